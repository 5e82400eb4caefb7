"""What training does about a loss that is not finite or far above all recent ones.

Such a step is rejected: the weights go back to the last state whose loss was accepted, so that neither the batch
nor the update before it counts. The third rejection within `FORGOTTEN_AFTER` steps ends the run.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from physics.errors import InputError

MOST_REJECTIONS = 3
"""Rejections close to each other after which a run stops."""
FORGOTTEN_AFTER = 100
"""Accepted steps after which the rejections before are forgotten."""
WARM_UP = 20
"""Steps of a stage before jumps are looked for."""
FADING = 0.9
"""By so much the level of recent losses sinks with each step: the worst of the last ten or twenty rules it."""


class DivergedError(InputError):
    """A training whose losses stay bad."""


def verdict(arrays: Any, loss: Any, norm: Any, level: Any, seen: Any, limit: float) -> tuple[Any, Any, Any]:
    """Whether a step is accepted, and level and count after it; of one run, or of several at once.

    Parameters
    ----------
    arrays : module
        `numpy` for numbers, `torch` for tensors on a device, which is not waited for.
    loss, norm : () or (runs,) float64
        Of the batch, and of its gradient.
    level, seen : like `loss`
        The fading largest of the accepted losses, and how many they were.
    limit : float
        A loss above so many times the level is rejected; 0 rejects none that is finite.
    """
    bound = limit * level
    jumped = (seen >= WARM_UP) & (bound > 0) & (loss > bound)
    accepted = arrays.isfinite(loss) & arrays.isfinite(norm) & arrays.logical_not(jumped)
    return accepted, arrays.where(accepted, arrays.maximum(loss, FADING * level), level), seen + accepted


@dataclass
class Divergence:
    """Watches the losses of one stage; plain numbers, so that a restart point keeps it.

    Attributes
    ----------
    limit : float
        A loss above so many times the level of the recent ones is rejected (`train.spike`); 0 looks for none.
    level : float
        The fading largest of the accepted losses.
    seen : int
        Accepted losses.
    rejected, calm : int
        Rejections lately, and accepted steps since the last one.
    """

    limit: float
    level: float = 0.0
    seen: int = 0
    rejected: int = 0
    calm: int = 0

    def rejection(self, loss: float, norm: float) -> str:
        """Why a step with this loss and gradient norm is rejected; empty where it is accepted, and counted."""
        numbers = np.float64(loss), np.float64(norm)
        accepted, level, seen = verdict(np, *numbers, self.level, self.seen, self.limit)
        if not accepted:
            if not math.isfinite(loss):
                return "the loss is not finite"
            if not math.isfinite(norm):
                return "the gradient is not finite"
            return f"the loss jumped to {loss / self.level:.0f} times that of the worst recent batches"
        self.level, self.seen = float(level), int(seen)
        self.calm += 1
        if self.calm >= FORGOTTEN_AFTER:
            self.rejected = 0
        return ""

    def reject(self) -> bool:
        """Count a rejection; whether it is one too many."""
        self.rejected += 1
        self.calm = 0
        return self.rejected >= MOST_REJECTIONS
