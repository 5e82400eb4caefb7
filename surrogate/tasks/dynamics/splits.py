"""What of a data set trains and what validates: its own splits, its last samples, or the end of one trajectory."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from physics.datasets.reading import available_splits, declared_shape, read_split
from physics.datasets.split import SAMPLED, DataSplit
from physics.errors import InputError
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import task_frames, window_frames
from surrogate.tasks.dynamics.scales import is_preset
from surrogate.tasks.dynamics.streamed import StreamedSplit, is_streamed, outline, streamed_split

HOLD_OUT = 0.1
"""Share of the last samples, or of the windows of one trajectory, that validate where there is no valid split."""
FEW = 10
"""Of fewer trajectories any window is a sample, where all are asked for: an epoch would be but a few of them."""
Split = DataSplit | StreamedSplit
S = TypeVar("S", DataSplit, StreamedSplit)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """One data set of a run.

    Attributes
    ----------
    train, valid : DataSplit or StreamedSplit
    config : DataConfig
        Which frames of them make windows.
    frames : (int, int)
        The window as the file counts frames.
    held_out_from : float or None [time]
        Where windows of one trajectory train and validate: the first input of the latter.
    """

    train: Split
    valid: Split
    config: DataConfig
    frames: tuple[int, int]
    held_out_from: float | None = None


def training_data(path: str, config: DataConfig, folder: Path) -> TrainingData:
    """What trains and what validates, and how that came about is said.

    A single sample is one long trajectory: its windows train and, after a gap of one horizon, validate.

    Parameters
    ----------
    folder : Path
        For the windows of data sets that are streamed.

    Raises
    ------
    InputError
    """
    if is_streamed(path, config.stream) and declared_shape(path, "train")[0] > 1:
        streamed = _train_and_valid(path, lambda path, name: streamed_split(path, name, folder))
        frames = task_frames(
            outline(streamed[0]), "train", config.input_frame, config.target_frame, config.horizon
        )
        return TrainingData(*streamed, config, frames)
    train = read_split(path, "train")
    frames = task_frames(train, "train", config.input_frame, config.target_frame, config.horizon)
    if len(train) == 1:
        return _of_one_trajectory(path, train, config, frames)
    splits = _train_and_valid(path, lambda _, name: train if name == "train" else read_split(path, name))
    if config.windows == "task" or len(splits[0]) >= FEW or is_preset(train):
        return TrainingData(*splits, config, frames)
    parts = [_windows_cut(part, config) for part in splits]
    warnings.warn(
        f"{path}: few trajectories, so every window of theirs is a sample: {len(parts[0])} train, {len(parts[1])} "
        "validate",
        stacklevel=3,
    )
    return TrainingData(parts[0], parts[1], _one_window(config), frames)


def training_splits(path: str) -> tuple[DataSplit, DataSplit]:
    """The train and valid split; without a valid split the last 10 % of the samples validate, and that is said."""
    return _train_and_valid(path, read_split)


def _train_and_valid(path: str, opened: Callable[[str, str], S]) -> tuple[S, S]:
    train = opened(path, "train")
    if "valid" in available_splits(path):
        return train, opened(path, "valid")
    samples = len(train)
    held = max(int(samples * HOLD_OUT), 1)
    if held >= samples:
        raise InputError(f"{path}: {samples} sample; at least 2 are needed to train and validate")
    warnings.warn(f"{path}: no valid split, so the last {held} of {samples} samples validate", stacklevel=4)
    return train.part(slice(0, samples - held)), train.part(slice(samples - held, samples))


def _of_one_trajectory(path: str, split: DataSplit, config: DataConfig, frames: tuple[int, int]) -> TrainingData:
    every = window_frames(split, "train", replace(config, windows="all"))
    starts, ends = every.inputs, every.targets
    one_window = _one_window(config)
    if "valid" in available_splits(path):
        valid = read_split(path, "valid")
        return TrainingData(
            cut(split, starts, ends, every.horizon), _windows_cut(valid, config), one_window, frames
        )
    first_held = len(starts) - max(int(len(starts) * HOLD_OUT), 1)
    t = split.times
    trained = t[ends] + every.horizon * (1 - 1e-6) <= t[starts[first_held]]
    if not trained.any():
        raise InputError(
            f"{path}: one sample of {len(t)} frames has {len(starts)} windows of {every.horizon:g}: too few to "
            "train on some and validate on others, a horizon later"
        )
    last = ends[trained].max()
    warnings.warn(
        f"{path}: one trajectory: {int(trained.sum())} windows of {every.horizon:g} train (frames {starts[0]} to "
        f"{last}), {len(starts) - first_held} validate (frames {starts[first_held]} to {ends[-1]}), a gap of one "
        "horizon between them",
        stacklevel=4,
    )
    train = cut(split, starts[trained], ends[trained], every.horizon)
    valid = cut(split, starts[first_held:], ends[first_held:], every.horizon)
    return TrainingData(train, valid, one_window, frames, float(t[starts[first_held]]))


def _one_window(config: DataConfig) -> DataConfig:
    """The configuration of windows that have been cut."""
    return replace(config, input_frame=0, target_frame=1, horizon=0.0, windows="task")


def _windows_cut(split: DataSplit, config: DataConfig) -> DataSplit:
    every = window_frames(split, "valid", replace(config, windows="all"))
    return cut(split, every.inputs, every.targets, every.horizon)


def cut(split: DataSplit, starts: NDArray[np.int64], ends: NDArray[np.int64], horizon: float) -> DataSplit:
    """Windows of every sample as samples of two frames, one horizon apart.

    Parameters
    ----------
    starts, ends : (n_windows,) int64
        Input and target frames.
    """
    pairs = np.stack([starts, ends], axis=1)
    moving = {name: getattr(split, name)[:, pairs] for name in ("positions", "velocities")}
    arrays = {name: a.reshape(-1, *a.shape[2:]) for name, a in moving.items()}
    for name in SAMPLED:
        if name not in arrays and (values := getattr(split, name)) is not None:
            arrays[name] = np.repeat(values, len(pairs), axis=0)
    times = split.times[starts[0]] + np.array([0.0, horizon])
    return replace(split, **arrays, times=times, first_state=0)
