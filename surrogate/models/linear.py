"""Linear: x_hat = x + t v with one learned scalar; the floor of the published table."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges


@dataclass(frozen=True)
class LinearConfig:
    """One learned scalar; `initial` is its start (0.7 as published)."""

    initial: float = 0.7


class Linear(GraphModel):
    """x_hat_i = x_i + t v_i; the forecast velocity is v_i.

    Notes
    -----
    **Source** Satorras et al. 2021, table 2. **Deviations** none.
    **Checked by** tests/surrogate/models/test_models.py (closed-form optimum).
    """

    Config = LinearConfig
    sees = ("positions", "velocities")
    gives_velocity = True

    def __init__(self, config: LinearConfig) -> None:
        super().__init__(NeighbourConfig())
        self.t = nn.Parameter(torch.tensor(config.initial))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        return x + self.t * v, v
