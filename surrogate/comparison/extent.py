"""How much of a comparison is made: all, or of a large system what fits into a time that one can wait for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate.comparison.comparison import ROLLOUT
from surrogate.inference.frame_pairs import FramePairs

SMALL = 2e7
"""Pairs times evaluations times forecasts up to which nobody asks how long it takes: at most some ten seconds."""

PAIR_ENERGIES = 1.5e9
"""Pairs times frames up to which energies are made."""


@dataclass(frozen=True, eq=False)
class Extent:
    """What is made.

    Attributes
    ----------
    frames : (n_frames,) int64
        Which pairs of frames are forecast.
    chained : bool
        Whether they are rolled out, too.
    measured : (n_measured,) int64
        Which of `frames` the equivariance error is measured at.
    n_elements : int
        Elements of O(n) it is measured with where the world is not turned.
    left_out : tuple of str
    """

    frames: NDArray[np.int64]
    chained: bool
    measured: NDArray[np.int64]
    n_elements: int
    left_out: tuple[str, ...] = ()

    @property
    def n_forecasts(self) -> int:
        """Forecasts of frames, of all kinds."""
        return len(self.frames) * (1 + self.chained) + len(self.measured) * self.n_elements


def whole_extent(n_pairs: int, n_elements: int, *, chained: bool) -> Extent:
    """All of it."""
    every = np.arange(n_pairs)
    return Extent(every, chained, every, n_elements)


def pair_passes(whole: Extent, n_particles: int, evaluations: int) -> float:
    """The work of a comparison: pairs times evaluations times forecasts."""
    return float(n_particles * (n_particles - 1)) * max(evaluations, 1) * whole.n_forecasts


def affordable_extent(whole: Extent, pairs: FramePairs, n_forecasts: int, *, thin: bool = True) -> Extent:
    """What can be made with so many forecasts: all, or one that measures equivariance and the others for frames.

    Frames are thinned evenly, such that their roll-out is still a chain of the model's own forecasts; where even
    that takes too many, there is none.

    Parameters
    ----------
    n_forecasts : int
        At least the frames themselves are forecast if not `thin`.
    """
    if whole.n_forecasts <= n_forecasts:
        return whole
    n, step = len(whole.frames), _frames_per_horizon(pairs)
    stride, chained = 1, False
    strides = [s for s in range(1, step + 1) if step % s == 0] if whole.chained else []
    strides = strides if thin else strides[:1]
    for candidate in strides:
        if 2 * -(-n // candidate) + 1 <= n_forecasts:
            stride, chained = candidate, True
            break
    else:
        stride = -(-n // max(n_forecasts - 1, 1)) if thin else 1
    frames = whole.frames[::stride]
    measured = np.array([len(frames) // 2] if n_forecasts > 1 else [], dtype=np.int64)
    left_out = []
    if stride > 1:
        left_out.append(f"forecasts of {n - len(frames)} of {n} frames (made: {_every(stride, len(frames))})")
    if whole.chained and not chained:
        left_out.append(ROLLOUT)
    if not len(measured):
        left_out.append("equivariance error")
    elif len(whole.measured) * whole.n_elements > 1:
        left_out.append("equivariance error but for one frame and one element of O(n)")
    return Extent(frames, chained, measured, 1, tuple(left_out))


def _every(stride: int, count: int) -> str:
    if count == 1:
        return "the first"
    last = 0 if 10 < stride % 100 < 14 else stride % 10
    return f"every {stride}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


def _frames_per_horizon(pairs: FramePairs) -> int:
    """How many frames a horizon spans; 0 where that differs."""
    steps = np.unique(pairs.targets - pairs.inputs)
    even = len(steps) == 1 and (np.diff(pairs.targets) == 1).all()
    return int(steps[0]) if even else 0
