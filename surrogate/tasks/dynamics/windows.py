"""From data sets to training windows: (state at frame I) -> (state at frame J), in the run's units and dtype."""

import hashlib
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physics.datasets.presets import PRESETS
from physics.datasets.reading import available_splits, read_split
from physics.datasets.split import DataSplit
from physics.datasets.times import same_spacing
from physics.errors import InputError
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.streamed import StreamedSplit, blocks, mapped, outline, streamed_split

OWN_DATA_HOLD_OUT = 0.1
"""Share of the last samples that validate where a data set has no valid split."""


ROWS = 1 << 15
"""Samples that are summed or digested at a time."""
Split = DataSplit | StreamedSplit
S = TypeVar("S", DataSplit, StreamedSplit)


@dataclass(frozen=True)
class Scales:
    """The units a model was trained in, measured in the data's own units.

    Attributes
    ----------
    length, time, charge, mass : float
    """

    length: float = 1.0
    time: float = 1.0
    charge: float = 1.0
    mass: float = 1.0


@dataclass(frozen=True)
class Windows:
    """The windows of one data set, ready for a model.

    Attributes
    ----------
    x, v : (n_samples, n_frames, N, n) tensors
    q, m : (n_samples, N) tensors
    starts : (n_starts,) int64 array
        Allowed input frames; the target is `length` frames later.
    length : int
    horizon : float [time]
    ballistic : float
        Mean squared error of x + v t on these windows (first start only): the unit of the relative loss.
    """

    x: Tensor
    v: Tensor
    q: Tensor
    m: Tensor
    starts: NDArray[np.int64]
    length: int
    horizon: float
    ballistic: float
    source: str
    n_dims: int

    def __len__(self) -> int:
        return len(self.x)

    def pick(self, samples: Tensor, starts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Inputs x, v, q, m and targets x, v of the chosen samples and start frames."""
        here, there = (samples, starts), (samples, starts + self.length)
        return self.x[here], self.v[here], self.q[samples], self.m[samples], self.x[there], self.v[there]


def task_frames(split: DataSplit, split_name: str, input_frame: int, target_frame: int) -> tuple[int, int]:
    """The window's frames: as asked, else the preset's task, else first to second.

    Raises
    ------
    InputError
        Where the data set has no such frames.
    """
    preset = PRESETS.get(str(split.recipe.get("preset")))
    default = (
        (preset.input_frame[split_name], preset.target_frame[split_name])
        if preset
        else (split.first_state, split.first_state + 1)
    )
    first = default[0] if input_frame < 0 else input_frame
    last = default[1] if target_frame < 0 else target_frame
    n_frames = len(split.times)
    if not 0 <= first < last < n_frames:
        raise InputError(
            f"{split.source}: window {first} -> {last} does not fit frames 0 to {n_frames - 1}, input first"
        )
    if first < split.first_state:
        raise InputError(
            f"{split.source}: a window from frame {first} would need velocities, which are differences of "
            f"positions here and start at frame {split.first_state}; give input frame {split.first_state} or later"
        )
    return first, last


def task_horizon(split: DataSplit) -> float:
    """Time from input to target of the data set's own task [time]."""
    first, last = task_frames(split, "train", -1, -1)
    return float(split.times[last] - split.times[first])


def training_splits(path: str) -> tuple[DataSplit, DataSplit]:
    """The train and valid split; without a valid split the last 10 % of the samples validate, and that is said."""
    return _train_and_valid(path, read_split)


def streamed_splits(path: str, folder: Path) -> tuple[StreamedSplit, StreamedSplit]:
    """As `training_splits`, but not read yet; their windows will lie in files in `folder`."""
    return _train_and_valid(path, lambda path, name: streamed_split(path, name, folder))


def _train_and_valid(path: str, opened: Callable[[str, str], S]) -> tuple[S, S]:
    train = opened(path, "train")
    if "valid" in available_splits(path):
        return train, opened(path, "valid")
    samples = len(train)
    held = max(int(samples * OWN_DATA_HOLD_OUT), 1)
    if held >= samples:
        raise InputError(f"{path}: {samples} sample; at least 2 are needed to train and validate")
    warnings.warn(f"{path}: no valid split, so the last {held} of {samples} samples validate", stacklevel=3)
    return train.part(slice(0, samples - held)), train.part(slice(samples - held, samples))


def rms_radius(positions: NDArray[np.float64]) -> float:
    """Root of the mean squared distance from the centroid over samples and particles, (samples, N, n) [length]."""
    centred = positions - positions.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.mean(np.sum(centred**2, axis=-1))))


def fitted_scales(split: Split, frames: tuple[int, int]) -> Scales:
    """One length and one time scale for own data: RMS radius, and the horizon; 1 for our presets."""
    head = outline(split)
    if str(head.recipe.get("preset")) in PRESETS:
        return Scales()
    firsts = (np.asarray(block.positions[:, frames[0]], dtype=np.float64) for block in blocks(split))
    radii = [(rms_radius(positions), len(positions)) for positions in firsts]
    spread = radii[0][0] if len(radii) == 1 else math.sqrt(sum(r**2 * n for r, n in radii) / len(split))
    horizon = float(head.times[frames[1]] - head.times[frames[0]])
    if not np.isfinite(spread):
        raise InputError(f"{head.source}: positions are too large for float64 arithmetic")
    return Scales(spread or 1.0, horizon)


@dataclass(frozen=True)
class _Frames:
    """Which frames of a split make its windows."""

    kept: list[int] | slice
    starts: NDArray[np.int64]
    length: int
    horizon: float


def _frames(split: DataSplit, split_name: str, config: DataConfig) -> _Frames:
    first, last = task_frames(split, split_name, config.input_frame, config.target_frame)
    horizon = float(split.times[last] - split.times[first])
    if config.windows != "all":
        return _Frames([first, last], np.array([0]), 1, horizon)
    if not same_spacing(split.times):
        raise InputError(f"{split.source}: data.windows = all needs equally spaced frames")
    span, count = last - first, len(split.times) - split.first_state
    return _Frames(slice(split.first_state, None), np.arange(count - span), span, horizon)


def _window_arrays(
    split: DataSplit, frames: _Frames, scales: Scales, centre: bool, dtype: torch.dtype
) -> tuple[list[Tensor], float]:
    """x, v, q, m in the run's units and dtype, and the mean squared error of x + v t."""
    x = np.asarray(split.positions[:, frames.kept], dtype=np.float64)
    v = np.asarray(split.velocities[:, frames.kept], dtype=np.float64)
    if centre:
        x = x - x.mean(axis=(1, 2), keepdims=True)
    values = (x / scales.length, v * (scales.time / scales.length), split.charges, split.masses)
    tensors = [torch.as_tensor(np.asarray(a), dtype=dtype) for a in values]
    if not all(bool(torch.isfinite(t).all()) for t in tensors):
        raise InputError(f"{split.source}: values too large for {dtype} in units of {scales.length:g}")
    reach = x[:, frames.length :][:, frames.starts] - x[:, frames.starts] - frames.horizon * v[:, frames.starts]
    return tensors, float(np.mean(reach**2)) / scales.length**2


def windows(
    split: DataSplit | StreamedSplit,
    split_name: str,
    config: DataConfig,
    scales: Scales,
    *,
    centre: bool,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> Windows:
    """The windows of one split, centred in float64 before the cast where the model allows it.

    Those of a streamed split lie in a mapped file and stay on the CPU.
    """
    limit = config.train_samples if split_name == "train" else config.valid_samples
    if limit:
        split = split.part(slice(0, limit))
    head = outline(split)
    frames = _frames(head, split_name, config)
    parts = (_window_arrays(block, frames, scales, centre, dtype) for block in blocks(split))
    if isinstance(split, StreamedSplit):
        (x, v, q, m), ballistic = mapped(parts, len(split), split.folder)
    else:
        tensors, ballistic = next(parts)
        x, v, q, m = (t.to(device) for t in tensors)
    span = (frames.starts, frames.length, frames.horizon / scales.time)
    return Windows(x, v, q, m, *span, max(ballistic, 1e-12), head.source, head.n_dims)


def data_identity(train_sets: Sequence[Windows], valid_sets: Sequence[Windows]) -> list[dict[str, Any]]:
    """What must agree when a run is resumed: a summary and a digest of every data set."""
    return [
        {
            "samples": len(s),
            "particles": int(s.x.shape[2]),
            "dims": s.n_dims,
            "horizon": round(s.horizon, 9),
            "checksum": sum(
                float(s.x[i : i + ROWS].double().sum()) + float(s.v[i : i + ROWS].double().abs().sum())
                for i in range(0, len(s), ROWS)
            ),
            "sha256": _digest((s.x, s.v, s.q, valid.x, valid.v, valid.q)),
            "sha256_masses": _digest((s.m, valid.m)),
        }
        for s, valid in zip(train_sets, valid_sets, strict=True)
    ]


def _digest(tensors: Iterable[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        for i in range(0, len(tensor), ROWS):
            digest.update(tensor[i : i + ROWS].contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def training_range(splits: Mapping[str, DataSplit]) -> dict[str, Any]:
    """What a model trained on these has seen: n, N, laws, times (for the card and the outside-training flag)."""
    laws: list[dict[str, Any]] = []
    for s in splits.values():
        law = {key: s.recipe.get(key) for key in ("preset", "law", "parameters")}
        if law not in laws:
            laws.append(law)
    return {
        "dims": sorted({s.n_dims for s in splits.values()}),
        "particles": sorted({s.n_particles for s in splits.values()}),
        "laws": laws,
        "data": [Path(name).name for name in splits],
    }


def input_times(splits: Sequence[DataSplit], frames: Sequence[Sequence[int]], every_window: bool) -> list[float]:
    """Earliest and latest time of an input state [time]: the training range's time window."""
    spans = []
    for split, (first, last) in zip(splits, frames, strict=True):
        begin, end = (0, len(split.times) - 1 - (last - first)) if every_window else (first, first)
        spans += [float(split.times[begin]), float(split.times[end])]
    return [min(spans), max(spans)]
