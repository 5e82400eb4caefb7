"""Models that pass messages along edges: all pairs, near pairs, or a graph that is given."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from physics.errors import InputError
from surrogate.models.base import SurrogateModel
from surrogate.nn.edges import AllPairs, Edges
from surrogate.nn.graph import Graph

CUTOFF_UNITS = ("run", "data")


@dataclass(frozen=True)
class NeighbourConfig:
    """Which pairs exchange messages; of the positions at the start of a forecast, and all where both are 0.

    Attributes
    ----------
    cutoff : float
        Pairs within this distance [length]; 0 is any.
    cutoff_units : str
        Of the cut-off. "run": those of the run, which for our presets are the law's own and for own data fitted
        (an RMS radius of 1). "data": those of the data, turned into the run's when training begins; the
        checkpoint's card keeps both.
    neighbours : int
        So many senders for each receiver at most, the nearest; 0 is any.
    """

    cutoff: float = 0.0
    cutoff_units: str = "run"
    neighbours: int = 0


class GraphModel(SurrogateModel):
    """Base of models that are written on edges: `on_edges` says what happens, here it is settled on which.

    On a graph, arrays are flat: x (M, n), v (M, n), q (M,), masses (M,) of the particles of all systems.
    """

    takes_graphs = True

    def __init__(self, config: NeighbourConfig) -> None:
        super().__init__()
        if config.cutoff < 0 or config.neighbours < 0:
            raise InputError("model.cutoff and model.neighbours must be >= 0")
        if config.cutoff_units not in CUTOFF_UNITS:
            raise InputError(
                f"model.cutoff_units must be {' or '.join(CUTOFF_UNITS)}; got {config.cutoff_units!r}"
            )
        self.cutoff, self.neighbours = config.cutoff or math.inf, config.neighbours
        self._cutoff_of_data = self.cutoff if config.cutoff_units == "data" else None
        if self.all_pairs:
            return
        self.sees = (*self.sees, "box")

    def set_length_unit(self, length: float) -> None:
        """See SurrogateModel.set_length_unit."""
        if self._cutoff_of_data is not None:
            self.cutoff = self._cutoff_of_data / length

    @property
    def all_pairs(self) -> bool:
        """Whether every pair exchanges messages, where no graph is given."""
        return math.isinf(self.cutoff) and not self.neighbours

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Positions and velocities (or None) one horizon later, of node arrays (..., n); q and masses (..., 1)."""
        raise NotImplementedError

    def edges_of(
        self, x: Tensor, *, graph: Edges | None = None, box: Tensor | None = None, edges: Tensor | None = None
    ) -> Edges:
        """What exchanges messages at positions x: see `forward`."""
        if graph is not None:
            return graph
        if self.all_pairs:
            return AllPairs.of(x, edges)
        given = None if edges is None else edges.unbind()
        return self.graph_of(x.flatten(0, 1), [x.shape[1]] * x.shape[0], box=box, edges=given)

    def graph_of(
        self,
        x: Tensor,
        sizes: Sequence[int],
        *,
        box: Tensor | None = None,
        edges: Sequence[Tensor] | None = None,
    ) -> Graph:
        """What exchanges messages in systems of any sizes, at positions x (M, n) one system after the other.

        Parameters
        ----------
        box : (S, n) tensor, optional
        edges : sequence of (N, N) tensors, optional
            A number for each pair of each system.
        """
        near = Graph.near(x, sizes, cutoff=self.cutoff, nearest=self.neighbours, box=box)
        return near if edges is None else near.with_matrices(edges)

    def forward(
        self,
        x: Tensor,
        v: Tensor,
        q: Tensor,
        horizon: float = 1.0,
        masses: Tensor | None = None,
        graph: Edges | None = None,
        box: Tensor | None = None,
        edges: Tensor | None = None,
        **asked: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """See SurrogateModel.forward.

        Parameters
        ----------
        graph : Edges, optional
            In place of the model's own choice of pairs, with flat arrays.
        box : (B, n) tensor, optional
            Periods along the axes, 0 where open: near pairs are those of the nearest images.
        edges : (B, N, N) tensor, optional
            A number for each pair, for models that see it; a graph carries its own.
        asked
            Of a model's own `on_edges`: `trajectory` of those that give one.

        Raises
        ------
        InputError
            Where the weights are for another dimension.
        """
        if self.dims not in (None, x.shape[-1]):
            raise InputError(f"the model runs in n = {self.dims} alone; got n = {x.shape[-1]}")
        found = self.edges_of(x, graph=graph, box=box, edges=edges)
        state = x, v, q.unsqueeze(-1)
        m = None if masses is None else masses.unsqueeze(-1)
        if graph is not None or isinstance(found, AllPairs):
            return self.on_edges(*state, found, horizon, m, **asked)
        flat_x, flat_v, flat_q = (t.flatten(0, 1) for t in state)
        flat_m = None if m is None else m.flatten(0, 1)
        x_hat, v_hat = self.on_edges(flat_x, flat_v, flat_q, found, horizon, flat_m, **asked)
        return x_hat.view(*x_hat.shape[:-2], *x.shape), None if v_hat is None else v_hat.view(x.shape)
