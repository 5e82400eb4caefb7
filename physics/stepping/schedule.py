"""When frames are due and how many equal steps lead from one to the next."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.errors import InputError
from physics.types import FloatArray

MAX_STEPS = 2_000_000_000
"""A run longer than this is refused: it would take a day even for two particles."""

TIME_TOLERANCE = 1e-9
"""Fraction of a run by which its first and last output time may miss its start and end, beside rounding."""


@dataclass(frozen=True)
class Schedule:
    """From one frame to the next: how many steps of which size.

    Attributes
    ----------
    n_steps : (n_intervals,) int64
    dt : (n_intervals,) float64 [time]
    """

    n_steps: NDArray[np.int64]
    dt: FloatArray

    @classmethod
    def through(cls, times: FloatArray, dt: float) -> "Schedule":
        """Equal steps of at most `dt` in each interval of `times`, so that every time is met exactly."""
        intervals = np.diff(times)
        # The small slack keeps 0.1 / 0.001 at 100 steps when the interval is a rounded difference.
        n_steps = np.maximum(np.ceil(np.abs(intervals) / dt - 1e-6), 1).astype(np.int64)
        return cls(n_steps, intervals / n_steps)

    def halved(self) -> "Schedule":
        """Twice as many steps of half the size."""
        return Schedule(2 * self.n_steps, 0.5 * self.dt)

    def times(self, start: float) -> FloatArray:
        """Of the frames, from `start` on, (n_intervals + 1,) [time]."""
        return np.asarray(start + np.concatenate([[0.0], np.cumsum(self.n_steps * self.dt)]))


def schedule_through(times: FloatArray, dt: float) -> Schedule:
    """The schedule through `times` with steps of at most `dt`, refused where dt or the step count is absurd."""
    refuse_step(dt, float(times[-1] - times[0]))
    return Schedule.through(times, dt)


def refuse_step(dt: float, duration: float) -> None:
    """Refuse a step that is none, or that means absurdly many."""
    if not math.isfinite(dt) or dt <= 0:
        raise InputError(f"dt must be positive and finite; got {dt}")
    expected = abs(duration) / dt
    if expected > MAX_STEPS:
        raise InputError(f"dt = {dt:g} means {expected:.3g} steps; at most {MAX_STEPS:.0e} are allowed")


def output_times(start: float, duration: float, times: ArrayLike | None, n_frames: int | None) -> FloatArray:
    """The frames' times, checked."""
    if times is None:
        count = 101 if n_frames is None else n_frames
        if not isinstance(count, int | np.integer) or count < 2:
            raise InputError(f"n_frames must be a whole number of at least 2; got {count!r:.60}")
        equal: FloatArray = start + duration * np.arange(count) / (count - 1)
        if not ((np.diff(equal) * duration) > 0).all():
            raise InputError(
                f"duration {duration:g} is too short for {count} frames at time {start:g}: they fall together"
            )
        return equal
    if n_frames is not None:
        raise InputError("give times or n_frames, not both")
    try:
        given, output = np.asarray(times), np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"times must be numbers; got {type(times).__name__}") from None
    if output.ndim != 1 or output.size < 2:
        raise InputError(f"times must be (n_frames,) with at least two; got shape {given.shape}")
    if not np.isfinite(output).all():
        at = int(np.argmin(np.isfinite(output)))
        raise InputError(f"times must be finite; got {output[at]} at index {at}")
    forward = np.diff(output) * math.copysign(1.0, duration) > 0
    if not forward.all():
        at = int(np.argmin(forward)) + 1
        raise InputError(
            f"times must run strictly in the direction of duration; got {output[at]:.12g} at index {at} after "
            f"{output[at - 1]:.12g}"
        )
    end = start + duration
    precision = np.finfo(given.dtype if given.dtype.kind == "f" else np.float64).eps
    tolerance = TIME_TOLERANCE * abs(duration) + 4.0 * precision * max(abs(start), abs(end))
    for at, expected in ((0, start), (len(output) - 1, end)):
        late = float(output[at]) - expected
        if abs(late) > tolerance:
            raise InputError(
                f"times must run from the state's time {start:.12g} to {end:.12g}; got {output[at]:.12g} at index "
                f"{at}, which is {abs(late):.3g} too {'late' if late > 0 else 'early'}"
            )
    return output
