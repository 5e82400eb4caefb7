"""Which windows of a data set a model is measured on: as asked, else the data's task, else the model's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from physics.datasets.split import DataSplit
from physics.datasets.times import later_frames, same_spacing
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import fitting_horizon
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import elapsed, task_frames, times_said, window_frames
from surrogate.tasks.dynamics.scales import is_preset
from surrogate.tasks.dynamics.signatures import share_seen, signatures
from surrogate.tasks.dynamics.splits import cut

MOST_WINDOWS = 1000
"""Windows of one long trajectory that are measured, evenly chosen."""
LOOKED_THROUGH = 16
"""Samples all of whose frames are compared with those a model was trained on, where no input frame was."""
HORIZON_SLACK = 1e-6


@dataclass(frozen=True)
class Asked:
    """What the user asks for.

    Attributes
    ----------
    input_frame, target_frame : int
        -1 where not asked for.
    horizon : float [time]
        0 where not asked for.
    """

    input_frame: int = -1
    target_frame: int = -1
    horizon: float = 0.0

    @property
    def nothing(self) -> bool:
        """Whether the windows are left to the data and the model."""
        return self.input_frame < 0 and self.target_frame < 0 and not self.horizon


UNASKED = Asked()


@dataclass(frozen=True, eq=False)
class Chosen:
    """The windows a model is measured on.

    Attributes
    ----------
    split : DataSplit
        Which has them: the one that was given, or the windows of its one trajectory as samples.
    first, last : int
        Their frames in it.
    frames : (int, int)
        The (first) window as the file counts frames.
    horizon : float [time]
    notes : tuple of str
        How they were chosen, where that is not plain.
    seen : float or None
        The share of these samples that the model was trained on; None where its card does not say.
    """

    split: DataSplit
    first: int
    last: int
    frames: tuple[int, int]
    horizon: float
    notes: tuple[str, ...]
    seen: float | None


def chosen_windows(model: Forecaster, split: DataSplit, split_name: str, asked: Asked) -> Chosen:
    """The windows of a split on which a model is measured.

    Of one long trajectory they are spread over all of it, or over what the model was not trained on.

    Raises
    ------
    InputError
        Where the data have none that the model forecasts.
    """
    first, last, note = _frames(model, split, split_name, asked)
    horizon = elapsed(split.times, first, last)
    notes: tuple[str, ...] = (note,) if note else ()
    if len(split) > 1 or asked.input_frame >= 0 or asked.target_frame >= 0 or is_preset(split):
        return Chosen(split, first, last, (first, last), horizon, notes, seen_share(model, split, first))
    every = window_frames(split, split_name, DataConfig(input_frame=first, target_frame=last, windows="all"))
    starts, ends = every.inputs, every.targets
    whole = seen_share(model, cut(split, starts, ends, horizon), 0)
    held, kept = model.card.get("held_out_from"), np.arange(len(starts))
    if whole and isinstance(held, list) and held:
        late = np.flatnonzero(split.times[starts] >= min(held) - HORIZON_SLACK * horizon)
        if len(late):
            kept = late
            notes += (
                f"{model.name} was trained on this trajectory up to t = {min(held):.6g}: what follows is measured",
            )
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, MOST_WINDOWS).round().astype(int))]
    starts, ends = starts[kept], ends[kept]
    windows = cut(split, starts, ends, horizon)
    notes += (f"one trajectory: {len(starts)} windows of {horizon:g}, frames {starts[0]} to {ends[-1]}",)
    found = (int(starts[0]), int(ends[0]))
    return Chosen(windows, 0, 1, found, horizon, notes, seen_share(model, windows, 0))


def _frames(model: Forecaster, split: DataSplit, split_name: str, asked: Asked) -> tuple[int, int, str]:
    """The window and what is said of the choice."""
    own = model.horizon if model.horizons != "any" else None
    if asked.horizon and asked.target_frame >= 0:
        raise InputError("--horizon and --target-frame exclude each other")
    if asked.nothing:
        return _unasked(model, split, split_name, own)
    horizon = asked.horizon
    if asked.input_frame >= 0 and asked.target_frame < 0 and not horizon and own and not is_preset(split):
        horizon = own
    first, last = task_frames(split, split_name, asked.input_frame, asked.target_frame, horizon)
    there = elapsed(split.times, first, last)
    if own and abs(there - own) > HORIZON_SLACK * own:
        frames = _window_of(split, own, first)
        way = f", which is --input-frame {frames[0]} --target-frame {frames[1]} here" if frames else ""
        raise InputError(
            f"model {model.name!r} forecasts a horizon of {own:g} only; got {there:g} (frames {first} -> {last}); "
            f"use --horizon {own:g}{way}"
        )
    return first, last, ""


def _unasked(model: Forecaster, split: DataSplit, split_name: str, own: float | None) -> tuple[int, int, str]:
    if is_preset(split):
        first, last = task_frames(split, split_name, -1, -1)
        if own is None or abs(elapsed(split.times, first, last) - own) <= HORIZON_SLACK * own:
            return first, last, ""
    else:
        first = split.first_state
    usual, trained = model.horizon, _trained_frames(model.card)
    found, how = _window_of(split, usual, first), f"the horizon of {usual:g} that {model.name} forecasts"
    if trained and not is_preset(split) and split.first_state <= trained[0] < trained[1] < len(split.times):
        fits = abs(elapsed(split.times, *trained) - usual) <= HORIZON_SLACK * usual
        found, how = (trained, "as trained") if fits else (found, how)
    if found:
        return *found, "" if found == (first, first + 1) else f"frames {found[0]} -> {found[1]}: {how}"
    if own is not None:
        frames = f" (its frames {trained[0]} -> {trained[1]})" if trained else ""
        raise InputError(
            f"{split.source}: model {model.name!r} forecasts a horizon of {own:g} only{frames}, and no two "
            f"frames here are so far apart: {times_said(split)}; train one of another horizon (data.horizon)"
        )
    horizon, note = fitting_horizon(split.times[first:], usual)
    even = same_spacing(split.times[first:]) and len(split.times) > first + 1
    first, last = task_frames(split, split_name, first, -1 if even else first + 1, horizon if even else 0.0)
    there = elapsed(split.times, first, last)
    usually = f"a horizon of {there:g}, where {model.name} usually has {usual:g}"
    return first, last, f"frames {first} -> {last}: {note if even and note else usually}"


def _window_of(split: DataSplit, horizon: float, first: int) -> tuple[int, int] | None:
    """The first window of a horizon from frame `first` on."""
    after = later_frames(split.times, horizon)
    there = np.flatnonzero(after[first:] >= 0) + first if len(split.times) > 1 else np.array([], dtype=int)
    return (int(there[0]), int(after[there[0]])) if len(there) else None


def _trained_frames(card: Mapping[str, Any]) -> tuple[int, int] | None:
    """The window of a model's (first) data set, as its card has it."""
    frames = card.get("frames")
    try:
        first, last = frames[0]  # type: ignore[index]
        return int(first), int(last)
    except (TypeError, ValueError, IndexError):
        return None


def seen_share(model: Forecaster, split: DataSplit, first: int) -> float | None:
    """The share of samples a model was trained on, by what its card keeps of them; None where that is nothing.

    Parameters
    ----------
    first : int
        The input frame; that of the training is looked at, too, and where neither is known all frames of some.
    """
    kept = model.seen if isinstance(model.seen, dict) else {}
    marks = kept.get("marks")
    if not isinstance(marks, list) or not marks or not all(isinstance(mark, str) for mark in marks):
        return None
    states, begin = kept.get("of") == "states", split.first_state
    trained = _trained_frames(model.card)
    frames = {first} | ({trained[0]} if trained and begin <= trained[0] < len(split.times) else set())

    def marked(x: FloatArray, v: FloatArray) -> list[str]:
        return signatures(x, v) if states else signatures(x)

    share = max(share_seen(marks, marked(split.positions[:, f], split.velocities[:, f])) for f in frames)
    if share:
        return share
    some = np.unique(np.linspace(0, len(split) - 1, LOOKED_THROUGH).round().astype(int))
    through = [a[some, begin:].reshape(-1, *a.shape[2:]) for a in (split.positions, split.velocities)]
    known = set(marks)
    found = np.reshape([mark in known for mark in marked(*through)], (len(some), -1)).any(axis=1)
    return float(found.mean())


def seen_text(share: float | None, samples: int, name: str) -> str:
    """What is said of data that a model was trained on; empty of others."""
    if not share:
        return ""
    which = (
        "these samples" if share > 1 - 0.5 / samples else f"about {share * samples:.0f} of these {samples} samples"
    )
    return f"model {name} was trained on {which}: no held-out data"


def no_splits_text(chosen: int, given: bool) -> str:
    """What is said of data without splits: everything is measured, whatever split is asked for."""
    return f"no splits: all {chosen} {'samples' if given else 'windows'} are measured"
