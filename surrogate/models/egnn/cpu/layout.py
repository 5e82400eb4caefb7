"""Where an EGNN's weights stand in the arrays of its training kernels, and where their gradients come from."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from surrogate.nn.cpu.tiles import LANES, PANEL, ROWS

IntArray = NDArray[np.int64]
Sizes = tuple[tuple[str, tuple[int, ...]], ...]


class Layout:
    """Where each weight stands in the kernels' arrays, and where its gradient comes from.

    Parameters
    ----------
    sizes : tuple of (name, shape)
        Of the weights, in the order in which they are written one behind the other, after a zero.

    Attributes
    ----------
    width : int
        Hidden size filled up to a multiple of PANEL.
    n_layers : int
    weights, transposed : int64 array
        For each number the kernels read, its place among the weights; 0 is the zero.
    starts : (layers,) int64
        Where the weights of each layer begin.
    gradients : int64 array
        For each weight, the place of its gradient.
    n_gradients : int
        Room for these.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._places: dict[str, IntArray] = {}
        counted = 1
        for name, shape in sizes:
            count = int(np.prod(shape))
            self._places[name] = np.arange(counted, counted + count, dtype=np.int64).reshape(shape)
            counted += count
        hidden = len(self._places["embedding.bias"])
        self._hidden, self.width = hidden, -(-hidden // PANEL) * PANEL
        self.n_layers = 1 + max(int(name.split(".")[1]) for name, _ in sizes if name.startswith("layers."))
        self._set_weights()
        self._set_transposed()
        self._set_gradients(counted)

    def _matrix(self, name: str, part: int = 0, parts: int = 1) -> IntArray:
        """A (width, width) block of a weight (out, in): of `parts` below each other in its inputs."""
        given = self._places[f"{name}.weight"]
        share = given[:, part * self._hidden : (part + 1) * self._hidden] if parts > 1 else given
        block = np.zeros((self.width, self.width), dtype=np.int64)
        block[: share.shape[0], : share.shape[1]] = share
        return block

    def _blocks(self, name: str, parts: int) -> list[IntArray]:
        return [self._matrix(name, part, parts) for part in range(parts)]

    def _row(self, places: IntArray, width: int = 0) -> IntArray:
        row = np.zeros(width or self.width, dtype=np.int64)
        row[: len(places)] = places
        return row

    def _scalar_rows(self, layer: int) -> list[IntArray]:
        return [self._row(row) for row in self._places[f"layers.{layer}.edge_in.weight"][:, 2 * self._hidden :].T]

    def _set_weights(self) -> None:
        """Every map (in, out) in panels, its bias behind it, layer by layer."""
        place = self._places
        pieces = [self._row(place["embedding.weight"][:, 0]), self._row(place["embedding.bias"])]
        starts = []

        def mapped(name: str, parts: int = 1) -> None:
            pieces.append(_panels(np.concatenate([b.T for b in self._blocks(name, parts)])))
            pieces.append(self._row(place[f"{name}.bias"]))

        for k in range(self.n_layers):
            starts.append(sum(len(piece) for piece in pieces))
            receivers, senders = self._blocks(f"layers.{k}.edge_in", 2)
            pieces += [_panels(receivers.T), _panels(senders.T), self._row(place[f"layers.{k}.edge_in.bias"])]
            pieces += [np.zeros(self.width, dtype=np.int64), *self._scalar_rows(k)]
            mapped(f"layers.{k}.edge_out")
            for name in (f"layers.{k}.phi_x", f"layers.{k}.phi_v"):
                mapped(f"{name}.0")
                pieces.append(self._row(place[f"{name}.2.weight"][0]))
            pieces.append(self._row(place[f"layers.{k}.phi_v.2.bias"], LANES))
            if k < self.n_layers - 1:
                mapped(f"layers.{k}.phi_h.0", parts=2)
                mapped(f"layers.{k}.phi_h.2")
        self.weights, self.starts = np.concatenate(pieces), np.array(starts, dtype=np.int64)

    def _set_transposed(self) -> None:
        """The same maps from out to in, in the order in which gradients go back through them."""
        pieces = []
        for k in range(self.n_layers - 1, -1, -1):
            if k < self.n_layers - 1:
                pieces.append(_panels(self._matrix(f"layers.{k}.phi_h.2")))
                pieces.append(_panels(np.concatenate(self._blocks(f"layers.{k}.phi_h.0", 2), axis=1)))
            for name in ("phi_v.0", "phi_x.0", "edge_out"):
                pieces.append(_panels(self._matrix(f"layers.{k}.{name}")))
            pieces.append(_panels(np.concatenate(self._blocks(f"layers.{k}.edge_in", 2))))
        self.transposed = np.concatenate(pieces)

    def _set_gradients(self, counted: int) -> None:
        """Gradients (out filled up to whole ROWS, in), in the order in which they come."""
        place = self._places
        pieces: list[IntArray] = []

        def grown(block: IntArray) -> None:
            filled = np.zeros((-(-len(block) // ROWS) * ROWS, block.shape[1]), dtype=np.int64)
            filled[: len(block)] = block
            pieces.append(filled.reshape(-1))

        def mapped(name: str, parts: int = 1) -> None:
            grown(np.concatenate(self._blocks(name, parts), axis=1))
            pieces.append(self._row(place[f"{name}.bias"]))

        for k in range(self.n_layers - 1, -1, -1):
            if k < self.n_layers - 1:
                mapped(f"layers.{k}.phi_h.2")
                mapped(f"layers.{k}.phi_h.0", parts=2)
            mapped(f"layers.{k}.phi_v.0")
            pieces.append(self._row(place[f"layers.{k}.phi_v.2.weight"][0]))
            pieces.append(self._row(place[f"layers.{k}.phi_v.2.bias"], LANES))
            mapped(f"layers.{k}.phi_x.0")
            pieces.append(self._row(place[f"layers.{k}.phi_x.2.weight"][0]))
            mapped(f"layers.{k}.edge_out")
            pieces += self._scalar_rows(k)
            grown(np.concatenate(self._blocks(f"layers.{k}.edge_in", 2)))
            pieces.append(self._row(place[f"layers.{k}.edge_in.bias"]))
        pieces += [self._row(place["embedding.weight"][:, 0]), self._row(place["embedding.bias"])]
        order = np.concatenate(pieces)
        self.n_gradients = -(-len(order) // LANES) * LANES
        self.gradients = np.zeros(counted - 1, dtype=np.int64)
        here = np.flatnonzero(order)
        self.gradients[order[here] - 1] = here


def _panels(block: IntArray) -> IntArray:
    """An (in, out) block cut into panels of its outputs."""
    return block.reshape(len(block), -1, PANEL).swapaxes(0, 1).reshape(-1)


@lru_cache(maxsize=8)
def layout_of(sizes: Sizes) -> Layout:
    """The layout of weights of these names and shapes, made once."""
    return Layout(sizes)
