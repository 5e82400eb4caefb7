"""Sets of undirected graphs: their arrays, what is asked of them, and the files they are kept in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import refuse_oversized
from physics.errors import InputError, unknown_name
from surrogate.tasks.array_sets import SPLITS, read_npz, read_zarr

ARRAYS = ("adjacency", "n_nodes")
MOST_NODES = 512
"""Of a graph: every pair of nodes exchanges messages."""


@dataclass(frozen=True)
class GraphSet:
    """Undirected graphs without self loops.

    Attributes
    ----------
    adjacency : (samples, M, M) uint8 array
        1 where two nodes are joined; 0 in rows and columns from `n_nodes` on.
    n_nodes : (samples,) int64 array
    """

    adjacency: NDArray[np.uint8]
    n_nodes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.n_nodes)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What files keep of them, by name."""
        return {"adjacency": self.adjacency, "n_nodes": self.n_nodes}

    def graph(self, index: int) -> NDArray[np.uint8]:
        """The adjacency matrix of one graph, (nodes, nodes)."""
        n = int(self.n_nodes[index])
        return self.adjacency[index, :n, :n]

    def densities(self) -> NDArray[np.float64]:
        """The part of its pairs that each graph joins, (samples,)."""
        pairs = self.n_nodes * (self.n_nodes - 1)
        found: NDArray[np.float64] = self.adjacency.sum((1, 2)) / pairs
        return found


def graph_set(graphs: Sequence[NDArray[Any]]) -> GraphSet:
    """Adjacency matrices of any sizes as one set."""
    sizes = np.array([len(a) for a in graphs], dtype=np.int64)
    adjacency = np.zeros((len(graphs), int(sizes.max()), int(sizes.max())), dtype=np.uint8)
    for index, a in enumerate(graphs):
        adjacency[index, : len(a), : len(a)] = a
    return GraphSet(adjacency, sizes)


def checked(where: str, arrays: Mapping[str, NDArray[Any]]) -> GraphSet:
    """A GraphSet of the arrays of a file.

    Raises
    ------
    InputError
        Naming the first graph that is none: self loops, one-way edges, fewer than two nodes.
    """
    for name in ARRAYS:
        if name not in arrays:
            raise InputError(f"{where}: no array {name!r}; a set of graphs has adjacency (samples, M, M), n_nodes")
    a, n = arrays["adjacency"], arrays["n_nodes"]
    if a.ndim != 3 or a.shape[1] != a.shape[2] or 0 in a.shape or a.dtype.kind not in "biuf":
        raise InputError(f"{where}: adjacency must be numbers (samples, M, M); got {a.dtype} {a.shape}")
    if n.shape != a.shape[:1] or n.dtype.kind not in "iu":
        raise InputError(f"{where}: n_nodes must be {len(a)} whole numbers; got {n.dtype} {n.shape}")
    most = a.shape[1]
    if most > MOST_NODES:
        raise InputError(f"{where}: graphs of up to {most} nodes; at most {MOST_NODES}")
    inside = np.arange(most) < n[:, None]
    outside = ~(inside[:, :, None] & inside[:, None, :])
    for wrong, words in (
        ((n < 2) | (n > most), f"n_nodes must be from 2 to {most}"),
        (((a != 0) & (a != 1)).any((1, 2)), "adjacency must be 0 or 1"),
        (np.einsum("sii->s", a != 0).astype(bool), "a node is joined to itself (self loop)"),
        ((a != a.swapaxes(1, 2)).any((1, 2)), "adjacency is not symmetric (an edge in one direction alone)"),
        (((a != 0) & outside).any((1, 2)), "edges of nodes from n_nodes on"),
    ):
        if wrong.any():
            raise InputError(f"{where}: graph {int(wrong.argmax())}: {words}")
    return GraphSet(a.astype(np.uint8), n.astype(np.int64))


def _networkx(path: Path, read: str) -> GraphSet:
    import networkx as nx

    try:
        refuse_oversized(path, path.stat().st_size)
        found = getattr(nx, read)(path)
    except InputError:
        raise
    except Exception as error:  # networkx and the parsers behind it raise many kinds
        raise InputError(f"{path}: not readable by networkx.{read} ({error})") from None
    if found.is_directed():
        raise InputError(f"{path}: a directed graph; expected undirected edges")
    if len(found) < 2:
        raise InputError(f"{path}: a graph of {len(found)} nodes; expected at least 2")
    return checked(str(path), {
        "adjacency": (nx.to_numpy_array(found, weight=None) != 0)[None].astype(np.uint8),
        "n_nodes": np.array([len(found)]),
    })  # fmt: skip


NETWORKX = {
    (".edges", ".edgelist", ".txt"): "read_edgelist",
    (".graphml",): "read_graphml",
    (".gml",): "read_gml",
    (".adjlist",): "read_adjlist",
}
"""Reader of NetworkX by the endings of file names; each file is one graph."""


def read_graphs(path: Path | str, split: str = "test") -> GraphSet:
    """One part of a set of graphs; the whole of a file without parts; the files of a folder as one set.

    Parameters
    ----------
    path : Path or str
        A Zarr folder, an .npz, a file that NetworkX reads (NETWORKX), or a folder of such files.
    split : str
        "train", "valid" or "test".

    Raises
    ------
    InputError
        One line: what, where, what was expected.
    """
    path = Path(path)
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    if not path.exists():
        raise InputError(f"{path}: no such set of graphs")
    if path.is_dir():
        if (path / "zarr.json").is_file():
            return checked(str(path), read_zarr(path, split, ARRAYS))
        files = sorted(file for file in path.iterdir() if _reader(file))
        if not files:
            raise InputError(f"{path}: neither a Zarr folder nor one with graphs ({', '.join(_endings())})")
        return graph_set([read_graphs(file).graph(0) for file in files])
    if path.suffix.lower() == ".npz":
        return checked(str(path), read_npz(path, ARRAYS))
    if reader := _reader(path):
        return _networkx(path, reader)
    raise InputError(f"{path}: not a set of graphs (.zarr, .npz, {', '.join(_endings())})")


def _reader(path: Path) -> str:
    return next((read for endings, read in NETWORKX.items() if path.suffix.lower() in endings), "")


def _endings() -> list[str]:
    return [ending for endings in NETWORKX for ending in endings]
