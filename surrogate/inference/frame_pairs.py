"""Which stored frame each forecast starts from, and the horizon that fits the frames of a trajectory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from physics.datasets.times import STEP_SLACK, first_uneven, later_frames, same_spacing, time_tolerance
from physics.errors import InputError
from physics.types import FloatArray

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster

NEAREST = 0.5
"""Between uneven times a forecast may span a horizon that is so much of it shorter or longer."""

MOST_FRAMES = 10
"""The most frames in a horizon where nothing but their number says what a good one is."""

MOST_ROUNDS = 256
"""A horizon far beyond a model's own gets no more evaluations than this, unless they are asked for."""


@dataclass(frozen=True, eq=False)
class FramePairs:
    """Frames that are forecast, and the frame each starts from.

    Attributes
    ----------
    inputs, targets : (n_pairs,) int64
        Frames; targets increase, and an input comes before its target.
    horizons : (n_pairs,) float64 [time]
    """

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    horizons: FloatArray

    def __len__(self) -> int:
        return len(self.targets)

    def some(self, which: NDArray[np.int64]) -> "FramePairs":
        """Some of the pairs."""
        return FramePairs(self.inputs[which], self.targets[which], self.horizons[which])


def horizon_in_frames(times: FloatArray, horizon: float) -> int:
    """How many frames one horizon spans.

    Raises
    ------
    InputError
        Where frames are not equally spaced or the horizon is not a multiple of the spacing.
    """
    if len(times) < 2:
        raise InputError(f"one frame spans less than the model's horizon of {horizon:g}")
    uneven = first_uneven(times)
    spacing = _spacing(times)
    if uneven is not None:
        raise InputError(
            f"frames must be equally spaced and divide the horizon {horizon:g}; frame {uneven} at "
            f"t = {times[uneven]:g} is not where a spacing of {spacing:g} would have it"
        )
    count = _count(times, horizon)
    if count is None:
        raise InputError(
            f"frames must be equally spaced and divide the horizon {horizon:g}; spacing is {spacing:g}"
        )
    return count


def frame_pairs(times: FloatArray, horizon: float, *, any_horizon: bool) -> FramePairs:
    """The frames that can be forecast from a frame one horizon earlier.

    Parameters
    ----------
    times : (n_frames,) float64, increasing [time]
    horizon : float [time]
    any_horizon : bool
        Between uneven times each frame is then forecast from the frame about one horizon earlier, over the actual
        time between them; else only frames that have a frame exactly one horizon earlier are.

    Raises
    ------
    InputError
        Where there are none: one line that names spacing, horizon and what to do.
    """
    times = np.asarray(times, dtype=np.float64)
    n = len(times)
    if n < 2:
        raise InputError(
            f"one frame spans less than the model's horizon of {horizon:g}; expected two frames at least"
        )
    if same_spacing(times):
        count = _count(times, horizon)
        if count is None or count >= n:
            raise InputError(_misfit(times, horizon, count, any_horizon=any_horizon))
        frames = np.arange(n - count)
        return FramePairs(frames, frames + count, np.full(n - count, horizon))
    if any_horizon:
        return _nearest_pairs(times, horizon)
    after = later_frames(times, horizon)
    inputs = np.flatnonzero(after >= 0)
    if not len(inputs):
        raise InputError(
            f"frames are {_range(times)} apart: frame 0 (t = {times[0]:g}) has no frame one horizon of "
            f"{horizon:g} later, nor has any other; store such frames, or take a model of any horizon "
            "(integrator-nd)"
        )
    return FramePairs(inputs, after[inputs], np.full(len(inputs), horizon))


def fitting_horizon(times: FloatArray, own: float) -> tuple[float, str]:
    """A horizon for a model that takes any, such that frames have one, and why it is not its own (empty if it is).

    Parameters
    ----------
    times : (n_frames,) float64, increasing [time]
    own : float [time]
        The model's usual horizon.
    """
    times = np.asarray(times, dtype=np.float64)
    n = len(times)
    if n < 2:
        return own, ""
    spacing, span = _spacing(times), float(times[-1] - times[0])
    few = max(1, min(MOST_FRAMES, (n - 1) // 2))
    if not same_spacing(times):
        shortest = float(np.diff(times).min())
        if shortest <= own <= span:
            return own, f"times are uneven: each frame is forecast from the one about {own:g} earlier"
        chosen = float(np.median(np.diff(times))) * few if own > span else float(np.median(np.diff(times)))
        return chosen, f"times are uneven: each frame is forecast from the one about {chosen:g} earlier"
    count = _count(times, own)
    if count is not None and count < n:
        return own, ""
    count = max(round(min(own / spacing, 1e15)), 1)
    why = f"frames are {spacing:g} apart and the model's usual horizon is {own:g}"
    if count >= n:
        count, why = few, f"the data span {span:g}, less than the model's usual horizon of {own:g}"
    return count * spacing, f"horizon {count * spacing:g} ({count} frame{'s' * (count > 1)}): {why}"


def fitted(
    model: "Forecaster", times: FloatArray, asked: float | None = None, evaluations: int | None = None
) -> tuple["Forecaster", str]:
    """A model bound to the horizon that was asked for, or to one that fits the frames, and a note on the choice.

    Parameters
    ----------
    times : (n_frames,) float64, increasing [time]
    asked : float, optional [time]
        By default the model's own horizon, or of one that takes any, see :func:`fitting_horizon`.
    evaluations : int, optional
        Of each horizon, for models that choose.

    Raises
    ------
    InputError
        For a horizon that the model does not forecast or the frames do not have.
    """
    note = ""
    if asked is None and model.horizons == "any":
        asked, note = fitting_horizon(times, model.horizon)
    bound = model if asked is None or asked == model.horizon else model.with_horizon(asked)
    frame_pairs(times, bound.horizon, any_horizon=model.horizons == "any")
    if evaluations is not None:
        return bound.with_evaluations(evaluations), note
    bound, fewer = affordable(bound, model.evaluations)
    return bound, "; ".join(text for text in (note, fewer) if text)


def affordable(bound: "Forecaster", usual: int) -> tuple["Forecaster", str]:
    """A model bound to a long horizon with at most MOST_ROUNDS evaluations (or its `usual` ones), and a note."""
    most = max(MOST_ROUNDS, usual)
    if not bound.chooses_evaluations or bound.evaluations <= most:
        return bound, ""
    said = f"{most} evaluations, not {float(bound.evaluations):g} for a horizon so long (--evaluations chooses)"
    return bound.with_evaluations(most), said


def _nearest_pairs(times: FloatArray, horizon: float) -> FramePairs:
    inputs, targets = [], []
    for target in range(1, len(times)):
        before = times[:target]
        start = int(np.argmin(np.abs(times[target] - before - horizon)))
        if abs(times[target] - times[start] - horizon) <= NEAREST * horizon:
            inputs.append(start)
            targets.append(target)
    if not targets:
        raise InputError(
            f"frames are {_range(times)} apart: frame 1 (t = {times[1]:g}) has none about one horizon of "
            f"{horizon:g} earlier, nor has any other; choose a horizon that the frames have (--horizon)"
        )
    a, b = np.array(inputs, dtype=np.int64), np.array(targets, dtype=np.int64)
    return FramePairs(a, b, times[b] - times[a])


def _spacing(times: FloatArray) -> float:
    return float(times[-1] - times[0]) / (len(times) - 1)


def _range(times: FloatArray) -> str:
    steps = np.diff(times)
    return f"{steps.min():g} to {steps.max():g}"


def _count(times: FloatArray, horizon: float) -> int | None:
    """How many equal spacings a horizon spans; None where it is not a multiple of them."""
    spacing = _spacing(times)
    count = round(min(horizon / spacing, 1e15))
    slack = 2 * time_tolerance(times) + STEP_SLACK * horizon
    return count if count >= 1 and abs(count * spacing - horizon) <= slack else None


def _misfit(times: FloatArray, horizon: float, count: int | None, *, any_horizon: bool) -> str:
    spacing, n = _spacing(times), len(times)
    if count is not None:
        line = f"{n} frames {spacing:g} apart span less than the model's horizon of {horizon:g}"
    else:
        whose = "the" if any_horizon else "the model's"
        line = f"frames are {spacing:g} apart, and {whose} horizon of {horizon:g} is no multiple of that"
    if not any_horizon:
        return f"{line}; store frames that have it, or take a model of any horizon (integrator-nd)"
    low = min(max(int(min(horizon / spacing, 1e15)), 1), n - 1)
    fitting = [f"{k * spacing:g}" for k in (low, low + 1) if k < n and k != count]
    return f"{line}; choose {' or '.join(fitting)}"
