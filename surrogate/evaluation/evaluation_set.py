"""The windows of a data set on which forecasts are measured, and their truth; followed further, for roll-outs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.baselines.references import Windows
from physics.baselines.references import windows_at as windows_at
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.evaluation.chosen_windows import UNASKED, Asked, chosen_windows
from surrogate.evaluation.metrics import sample_errors
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import horizon_in_frames
from surrogate.tasks.dynamics.frames import elapsed, task_frames
from surrogate.tasks.dynamics.ranges import States
from surrogate.tasks.dynamics.scales import is_preset
from surrogate.tasks.dynamics.windows import FIELDS


def input_states(split: DataSplit, w: Windows) -> States:
    """Windows of a split with what else bounds a model's use: its box, the fields that act."""
    acting = {name: values for name in FIELDS if (values := getattr(split, name)) is not None}
    return States(w.x, w.v, w.q, w.m, split.box, acting)


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """The windows of a data set's task, and their truth.

    Attributes
    ----------
    windows : Windows
        `law` is "" where the data do not say.
    target : (n_windows, N, n) float64 [length]
    horizon : float [time]
    input_frame, target_frame : int
        As the file counts them; of the first window where they are those of one trajectory.
    split : DataSplit
        Which has the windows.
    first : int
        Their input frame in it.
    notes : tuple of str
        How they were chosen, where that is not plain.
    """

    windows: Windows
    target: FloatArray
    horizon: float
    input_frame: int
    target_frame: int
    split: DataSplit
    first: int
    notes: tuple[str, ...] = ()

    @property
    def knows_law(self) -> bool:
        """Whether baselines that know the law can be run."""
        return bool(self.windows.law)

    def errors(self, positions: FloatArray) -> FloatArray:
        """Mean squared error of each window, (n_windows,)."""
        return sample_errors(positions, self.target)


def evaluation_set(
    split: DataSplit,
    split_name: str,
    asked: Asked = UNASKED,
    models: Sequence[Forecaster] = (),
) -> EvaluationSet:
    """The windows of one split: those asked for, else the data's task, of own data the first model's.

    Raises
    ------
    InputError
        Where the data have none of what is asked for.
    """
    first, last, frames = -1, -1, (-1, -1)
    notes: tuple[str, ...] = ()
    if asked.nothing and not is_preset(split):
        for model in models:
            try:
                chosen = chosen_windows(model, split, split_name, asked)
            except InputError:
                continue
            split, first, last, frames, notes = (
                chosen.split,
                chosen.first,
                chosen.last,
                chosen.frames,
                chosen.notes,
            )
            break
    if first < 0:
        asked_for = (asked.input_frame, asked.target_frame, asked.horizon)
        first, last = frames = task_frames(split, split_name, *asked_for)
    target = np.asarray(split.positions[:, last], dtype=np.float64)
    horizon = elapsed(split.times, first, last)
    return EvaluationSet(windows_at(split, first), target, horizon, *frames, split, first, notes)


@dataclass(frozen=True, eq=False)
class RolloutSet:
    """Initial states, and the truth at every horizon after them.

    Attributes
    ----------
    start : Windows
    x, v : (n_windows, n_horizons, N, n) float64 [length], [length/time]
    horizon : float [time]
    split : DataSplit
        The windows' part of the data.
    """

    start: Windows
    x: FloatArray
    v: FloatArray
    horizon: float
    split: DataSplit

    @property
    def n_horizons(self) -> int:
        """How many horizons are followed."""
        return int(self.x.shape[1])

    def first(self, count: int) -> "RolloutSet":
        """The first `count` windows."""
        part = slice(0, count)
        return RolloutSet(self.start.part(part), self.x[part], self.v[part], self.horizon, self.split.part(part))


def frames_after(split: DataSplit, first: int, horizon: float) -> NDArray[np.int64]:
    """The frames one, two, ... horizons after frame `first`, to the end of the data.

    Raises
    ------
    InputError
        Where the data end within a horizon, or their frames do not divide it evenly.
    """
    k = horizon_in_frames(np.asarray(split.times[first:], dtype=np.float64), horizon)
    frames = np.arange(first + k, len(split.times), k)
    if not len(frames):
        raise InputError(f"{split.source}: ends less than the horizon of {horizon:g} after frame {first}")
    return frames


def rollout_set(split: DataSplit, first: int, horizon: float) -> RolloutSet:
    """All samples followed from frame `first` in steps of one horizon: see :func:`frames_after`."""
    frames = frames_after(split, first, horizon)
    x, v = (np.asarray(a[:, frames], dtype=np.float64) for a in (split.positions, split.velocities))
    return RolloutSet(windows_at(split, first), x, v, horizon, split)
