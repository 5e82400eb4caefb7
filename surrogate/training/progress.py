"""How far a training run is."""

import math
from dataclasses import dataclass, field


@dataclass
class Progress:
    """How far a run is: what a restart point keeps beside the tensors.

    Attributes
    ----------
    stage, epoch, batch : int
        Stages and epochs that are done, and batches of the epoch under way.
    step : int
        Steps of the stage, rejected ones included: the schedule's clock.
    loss_sum, loss_count : float, int
        Of the epoch under way.
    best, best_epoch : float, int
        The least validation score of the stage.
    history : list of dict
        A row for every validation.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    best: float = math.inf
    best_epoch: int = 0
    history: list[dict[str, float | str | int]] = field(default_factory=list)

    def count_step(self, loss: float | None) -> None:
        """Count a step of the epoch under way, and its loss unless it was rejected (None)."""
        if loss is not None:
            self.loss_sum += loss
            self.loss_count += 1
        self.batch += 1
        self.step += 1
