"""Linear: x_hat = x + t v with one learned scalar; the floor of the published table."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate.models.base import SurrogateModel


@dataclass(frozen=True)
class LinearConfig:
    """One learned scalar; `initial` is its start (0.7 as published)."""

    initial: float = 0.7


class Linear(SurrogateModel):
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
        super().__init__()
        self.t = nn.Parameter(torch.tensor(config.initial))

    def forward(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """See SurrogateModel.forward."""
        return x + self.t * v, v
