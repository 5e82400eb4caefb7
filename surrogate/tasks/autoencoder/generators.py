"""Sets of random graphs, as published and repaired: the literal registry `GRAPH_PRESETS`.

**Source** the data of Satorras et al. 2021, section 5.2: NumPy's legacy generator and Python's `random`, in the
order in which the published code draws from them, so that the graphs are the same.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate.tasks.array_sets import SPLITS
from surrogate.tasks.autoencoder.graph_set import GraphSet, graph_set

COUNTS = {"train": 5000, "valid": 500, "test": 500}
COMMUNITY_SIZES = (6, 7, 8, 9, 10)
INSIDE, BETWEEN = 0.7, 0.01
"""Probabilities of an edge within a community and between two."""
NODES = range(7, 17)
"""Sizes of the Erdos-Renyi graphs, equally often."""
DENSITY = 0.25
OVERFIT_SEED, OVERFIT_EACH = 3, 10

Matrix = NDArray[np.uint8]


def random_graph(n: int, p: float, draw: Callable[[], float]) -> Matrix:
    """G(n, p): pairs in the order of combinations, joined where the next draw is below p."""
    a = np.zeros((n, n), dtype=np.uint8)
    for i, j in itertools.combinations(range(n), 2):
        if draw() < p:
            a[i, j] = a[j, i] = 1
    return a


def components(a: Matrix) -> list[list[int]]:
    """Nodes of each connected component, ordered, the component of the lowest node first."""
    found, left = [], set(range(len(a)))
    while left:
        reached, front = set(), [min(left)]
        while front:
            node = front.pop()
            if node not in reached:
                reached.add(node)
                front += [int(k) for k in a[node].nonzero()[0]]
        found.append(sorted(reached))
        left -= reached
    return found


def communities(rng: np.random.RandomState, *, repaired: bool) -> Matrix:
    """Two communities, joined by a few edges.

    Published: each community is drawn from a stream of its own that begins anew for every graph, so that there are
    only 25 of them. Repaired: both come from the graph's stream.
    """
    sizes = rng.choice(COMMUNITY_SIZES, 2)
    parts = [
        random_graph(int(n), INSIDE, rng.random_sample if repaired else random.Random(k).random)
        for k, n in enumerate(sizes)
    ]
    a = np.zeros((int(sizes.sum()), int(sizes.sum())), dtype=np.uint8)
    a[: sizes[0], : sizes[0]], a[sizes[0] :, sizes[0] :] = parts
    for first, second in itertools.combinations(components(a), 2):
        joined = [(i, j) for i in first for j in second if rng.random_sample() < BETWEEN]
        for i, j in joined or [(first[0], second[0])]:
            a[i, j] = a[j, i] = 1
    return a


def community_small(seed: int, count: int, *, repaired: bool = False) -> Iterator[Matrix]:
    """So many graphs of two communities of 6 to 10 nodes."""
    rng = np.random.RandomState(seed)
    return (communities(rng, repaired=repaired) for _ in range(count))


def erdos_renyi(seed: int, count: int, p: float = DENSITY) -> Iterator[Matrix]:
    """G(n, p) for n = 7, 8, ..., 16 in turn, then shuffled."""
    stream = random.Random(seed)
    graphs = [random_graph(n, p, stream.random) for _ in range(count // len(NODES)) for n in NODES]
    stream.shuffle(graphs)
    return iter(graphs)


def erdos_renyi_overfit(p: float) -> GraphSet:
    """The 100 graphs that are training, validation and test set at once, where overfitting is wanted."""
    return graph_set(list(erdos_renyi(OVERFIT_SEED, OVERFIT_EACH * len(NODES), p)))


@dataclass(frozen=True)
class GraphPreset:
    """A recipe of graphs.

    Attributes
    ----------
    description : str
    draw : callable (seed, count) -> adjacency matrices
    """

    description: str
    draw: Callable[[int, int], Iterator[Matrix]]

    def part(self, split: str, seed: int = 0, count: int = 0) -> GraphSet:
        """Training, validation or test set.

        Parameters
        ----------
        split : str
            Of SPLITS: each has a seed of its own, seed, seed + 1 and seed + 2.
        seed : int
            0 as published.
        count : int
            Graphs; 0 as published: 5000, 500 and 500.
        """
        return graph_set(list(self.draw(seed + SPLITS.index(split), count or COUNTS[split])))


GRAPH_PRESETS: dict[str, GraphPreset] = {
    "community-small": GraphPreset(
        "two communities of 6 to 10 nodes as published: only 25 different communities", community_small
    ),
    "community-small-repaired": GraphPreset(
        "the same with communities drawn anew for every graph",
        lambda seed, count: community_small(seed, count, repaired=True),
    ),
    "erdos-renyi": GraphPreset("G(n, 0.25) of 7 to 16 nodes, as published", erdos_renyi),
}


def copies(of: GraphSet, among: GraphSet) -> int:
    """How many graphs of one set stand in another, node for node."""
    known = {among.graph(k).tobytes() for k in range(len(among))}
    return sum(of.graph(k).tobytes() in known for k in range(len(of)))
