"""What training does about a loss that is not finite or far above all recent ones.

The weights go back to the last state whose loss was seen to be good, so that neither the batch nor the update
before it counts; the third such trouble within CALM steps ends the run.
"""

import math
from dataclasses import dataclass

from physics.errors import InputError

STRIKES = 3
"""Troubles close to each other after which a run stops."""
CALM = 100
"""Good steps after which the troubles before are forgotten."""
WARM_UP = 20
"""Steps of a stage before spikes are looked for."""
FADING = 0.9
"""By so much the level of recent losses sinks with each step: the worst of the last ten or twenty rules it."""


class DivergedError(InputError):
    """A training whose losses stay bad."""


@dataclass
class Guard:
    """Watches the losses of one stage; plain numbers, so that a restart point keeps it.

    Attributes
    ----------
    limit : float
        A loss above so many times the level of the recent ones is a spike (`train.spike`); 0 looks for none.
    level : float
        The fading largest of the accepted losses.
    seen : int
        Accepted losses.
    strikes, calm : int
        Troubles lately, and good steps since the last one.
    """

    limit: float
    level: float = 0.0
    seen: int = 0
    strikes: int = 0
    calm: int = 0

    def trouble(self, loss: float, gradient: float) -> str:
        """What is wrong with a step, from its loss and the norm of its gradient; empty for nothing."""
        if not math.isfinite(loss):
            return "the loss is not finite"
        if not math.isfinite(gradient):
            return "the gradient is not finite"
        if self.limit and self.seen >= WARM_UP and loss > self.limit * self.level > 0:
            return f"the loss jumped to {loss / self.level:.0f} times that of the worst recent batches"
        return ""

    def accept(self, loss: float) -> None:
        """Count a good step."""
        self.level = max(loss, FADING * self.level)
        self.seen += 1
        self.calm += 1
        if self.calm >= CALM:
            self.strikes = 0

    def strike(self) -> bool:
        """Count a trouble; whether it is one too many."""
        self.strikes += 1
        self.calm = 0
        return self.strikes >= STRIKES
