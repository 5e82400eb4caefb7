"""Which frames make a window: the input state, and the state one horizon later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.presets import PRESETS
from physics.datasets.split import DataSplit
from physics.datasets.times import frame_after, later_frames, same_spacing
from physics.errors import InputError
from surrogate.tasks.dynamics.config import DataConfig

FRAMES_SAID = 3
"""Times that a message names at the beginning and at the end."""


def task_frames(
    split: DataSplit, split_name: str, input_frame: int, target_frame: int, horizon: float = 0.0
) -> tuple[int, int]:
    """The window's frames: as asked, else the preset's task, else first to second.

    Parameters
    ----------
    input_frame, target_frame : int
        -1 where not asked for.
    horizon : float [time]
        The target is so much later; 0 where not asked for.

    Raises
    ------
    InputError
        Where the data set has no such frames.
    """
    preset = PRESETS.get(str(split.recipe.get("preset")))
    first = input_frame if input_frame >= 0 else preset.input_frame[split_name] if preset else split.first_state
    n_frames = len(split.times)
    if horizon and 0 <= first < n_frames:
        last = frame_after(split.times, first, horizon)
        if last is None and input_frame < 0 and not preset:  # of uneven times another frame may have one
            first += int(np.argmax(later_frames(split.times[first:], horizon) >= 0))
            last = frame_after(split.times, first, horizon)
        if last is None:
            raise InputError(
                f"{split.source}: no frame is {horizon:g} after frame {first} (t = {split.times[first]:g}); "
                f"frames are at {times_said(split)}"
            )
    else:
        last = target_frame if target_frame >= 0 else preset.target_frame[split_name] if preset else first + 1
    if not 0 <= first < last < n_frames:
        raise InputError(
            f"{split.source}: window {first} -> {last} does not fit frames 0 to {n_frames - 1}, input first"
        )
    if first < split.first_state:
        raise InputError(
            f"{split.source}: a window from frame {first} would need velocities, which are differences of "
            f"positions here and start at frame {split.first_state}; give data.input_frame = {split.first_state} "
            f"(--input-frame {split.first_state}) or later"
        )
    return first, last


def times_said(split: DataSplit) -> str:
    """The times of the frames, the middle left out where there are many."""
    texts = [f"{t:g}" for t in split.times]
    if len(texts) > 2 * FRAMES_SAID:
        texts = [*texts[:FRAMES_SAID], "...", *texts[-FRAMES_SAID:]]
    return "t = " + ", ".join(texts)


def elapsed(times: NDArray[np.float64], first: int, last: int) -> float:
    """Time between two frames; of equally spaced times that were rounded to float32, what they were before it."""
    t = np.asarray(times, dtype=np.float64)
    if (t == t.astype(np.float32)).all() and same_spacing(t):
        steps = len(t) - 1
        error = 2 * float(np.finfo(np.float32).eps) * float(np.abs(t).max()) / steps
        spacing = round((t[-1] - t[0]) / steps, int(np.floor(-np.log10(error))))
        return float(spacing * (last - first))
    return float(t[last] - t[first])


def task_horizon(split: DataSplit) -> float:
    """Time from input to target of the data set's own task [time]."""
    return elapsed(split.times, *task_frames(split, "train", -1, -1))


@dataclass(frozen=True, eq=False)
class WindowFrames:
    """Which frames of a split make its windows.

    Attributes
    ----------
    kept : list of int or slice
        The frames that are needed; the numbers below count these.
    starts : (n_starts,) int64
        Input frames.
    after : (n_kept,) int64
        The target of each input frame; 0 for others.
    horizon : float [time]
    between : (n_times, n_kept) int64
        Of each input frame those at the fractions of the horizon that were asked for; none where frames have not
        all of them.
    """

    kept: Any
    starts: NDArray[np.int64]
    after: NDArray[np.int64]
    horizon: float
    between: NDArray[np.int64]

    @property
    def inputs(self) -> NDArray[np.int64]:
        """The input frames as the split counts them."""
        return np.asarray(self._counted[self.starts])

    @property
    def targets(self) -> NDArray[np.int64]:
        """The frame one horizon after each input frame, as the split counts them."""
        return np.asarray(self._counted[self.after[self.starts]])

    @property
    def _counted(self) -> NDArray[np.int64]:
        """The frames that are kept."""
        return np.array(self.kept) if isinstance(self.kept, list) else np.arange(len(self.after)) + self.kept.start


def window_frames(
    split: DataSplit, split_name: str, config: DataConfig, fractions: Sequence[float] = ()
) -> WindowFrames:
    """The windows a configuration asks for: one, or all pairs of frames one horizon apart.

    Parameters
    ----------
    fractions : sequence of float
        Of the horizon: frames at these times belong to a window, too.

    Raises
    ------
    InputError
        Where there are none.
    """
    first, last = task_frames(split, split_name, config.input_frame, config.target_frame, config.horizon)
    horizon = elapsed(split.times, first, last)
    later = np.array([later_frames(split.times, horizon * f) for f in fractions]).reshape(-1, len(split.times))
    if config.windows != "all":
        of_first = later[:, first] if (later[:, first] >= 0).all() else later[:0, 0]
        between = np.zeros((len(of_first), 2 + len(of_first)), dtype=np.int64)
        between[:, 0] = 2 + np.arange(len(of_first))
        after = np.zeros(2 + len(of_first), dtype=np.int64)
        after[0] = 1
        return WindowFrames([first, last, *of_first.tolist()], np.array([0]), after, horizon, between)
    begin = split.first_state
    after = later_frames(split.times, horizon)[begin:] - begin
    starts, between = np.flatnonzero(after >= 0), later[:, begin:] - begin
    between = between if (between[:, starts] >= 0).all() else between[:0]
    return WindowFrames(slice(begin, None), starts, np.maximum(after, 0), horizon, np.maximum(between, 0))


def left_out(split: DataSplit, frames: WindowFrames) -> str:
    """What is said where uneven times leave windows out; empty where they do not."""
    t = split.times[split.first_state :]
    could = int((t[-1] - t >= frames.horizon * (1 - 1e-6)).sum())
    if len(frames.starts) >= could or isinstance(frames.kept, list):
        return ""
    return (
        f"uneven times: {len(frames.starts)} of {could} frames begin a window, having one {frames.horizon:g} later"
    )
