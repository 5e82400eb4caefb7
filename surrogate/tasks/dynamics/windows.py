"""From data sets to training windows: (state at frame I) -> (state at frame J), in the run's units and dtype."""

import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import WindowFrames, left_out, window_frames
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.streamed import StreamedSplit, blocks, mapped, outline

ROWS = 1 << 15
"""Samples that are summed or digested at a time."""
FIELDS = ("uniform_field", "magnetic_field")
"""Arrays of uniform fields; data without one have none."""
LEAST = 1e-15
"""Mean squares below it, in the run's units, count as this: float32 resolves no less, nothing to compare with."""


@dataclass(frozen=True)
class Windows:
    """The windows of one data set, ready for a model.

    Attributes
    ----------
    x, v : (n_samples, n_frames, N, n) tensors
    q, m : (n_samples, N) tensors
    starts : (n_starts,) int64 array
        Allowed input frames.
    after : (n_frames,) int64 tensor
        The target of each of them.
    horizon : float [time]
    ballistic : float
        Mean squared error of x + v t on these windows: the unit of the relative loss.
    inertial : float
        Mean squared error of velocities that stay as they are.
    given : dict of str to (n_samples, ...) tensor
        What the model sees beside the states: see :data:`surrogate.models.base.GIVEN`.
    between : (n_times, n_frames) int64 tensor or None
        Frames between input and target that train, too.
    """

    x: Tensor
    v: Tensor
    q: Tensor
    m: Tensor
    starts: NDArray[np.int64]
    after: Tensor
    horizon: float
    ballistic: float
    inertial: float
    source: str
    n_dims: int
    given: dict[str, Tensor] = field(default_factory=dict)
    between: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def pick(self, samples: Tensor, starts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Inputs x, v, q, m and targets x, v of the chosen samples and start frames."""
        samples, starts = samples.to(self.x.device), starts.to(self.x.device)
        here, there = (samples, starts), (samples, self.after[starts])
        return self.x[here], self.v[here], self.q[samples], self.m[samples], self.x[there], self.v[there]

    def positions_between(self, samples: Tensor, starts: Tensor) -> Tensor:
        """Positions at the times between, (chosen, n_times, N, n)."""
        assert self.between is not None
        samples, starts = samples.to(self.x.device), starts.to(self.x.device)
        return self.x[samples.unsqueeze(-1), self.between[:, starts].T]


def given_arrays(split: DataSplit, takes: Sequence[str]) -> dict[str, FloatArray]:
    """Those arrays of a split that a model takes, (n_samples, ...) float64 in the data's units.

    A field that the data have not is 0, a box that they have not is open: 0.

    Raises
    ------
    InputError
        Where the data have no species or edges, and the model needs them.
    """
    shapes = {
        "uniform_field": (split.n_dims,),
        "magnetic_field": (split.n_dims, split.n_dims),
        "box": (split.n_dims,),
    }
    found = {}
    for name in takes:
        values = getattr(split, name)
        if values is None and name not in shapes:
            raise InputError(f"{split.source}: no {name}, which the model needs")
        absent = values is None
        found[name] = np.zeros((len(split), *shapes[name])) if absent else np.asarray(values, dtype=np.float64)
    return found


def _window_arrays(
    split: DataSplit,
    frames: WindowFrames,
    scales: Scales,
    centre: bool,
    dtype: torch.dtype,
    takes: Sequence[str] = (),
) -> tuple[list[Tensor], NDArray[np.float64]]:
    """x, v, q, m and what the model takes, in the run's units and dtype; then mean squared errors.

    Those are of x + v t and of a constant v.
    """
    x = np.asarray(split.positions[:, frames.kept], dtype=np.float64)
    v = np.asarray(split.velocities[:, frames.kept], dtype=np.float64)
    if centre:
        x = x - x.mean(axis=(1, 2), keepdims=True)
    charges, masses = (np.asarray(a, dtype=np.float64) for a in (split.charges, split.masses))
    values = [x / scales.length, v * (scales.time / scales.length), charges / scales.charge, masses / scales.mass]
    values += [array / scales.unit_of(name) for name, array in given_arrays(split, takes).items()]
    tensors = [torch.as_tensor(a, dtype=dtype) for a in values]
    if not all(bool(torch.isfinite(t).all()) for t in tensors):
        raise InputError(f"{split.source}: values too large for {dtype} in units of {scales.length:g}")
    starts, ends = frames.starts, frames.after[frames.starts]
    reach = (x[:, ends] - x[:, starts] - frames.horizon * v[:, starts]) / scales.length
    change = (v[:, ends] - v[:, starts]) / scales.speed
    return tensors, np.array([np.mean(reach**2), np.mean(change**2)])


def windows(
    split: DataSplit | StreamedSplit,
    split_name: str,
    config: DataConfig,
    scales: Scales,
    *,
    centre: bool,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    takes: Sequence[str] = (),
    fractions: Sequence[float] = (1.0,),
) -> Windows:
    """The windows of one split, centred in float64 before the cast where the model allows it.

    Those of a streamed split lie in a mapped file and stay on the CPU. `takes` names the arrays that the model
    takes beside the states, `fractions` are the times of its trajectory.
    """
    limit = config.train_samples if split_name == "train" else config.valid_samples
    if limit:
        split = split.part(slice(0, limit))
    head = outline(split)
    frames = window_frames(head, split_name, config, fractions[:-1])
    if len(fractions) > 1 and not len(frames.between):
        warnings.warn(
            f"{head.source}: no frames at every {fractions[0]:g} of the horizon; its end alone trains",
            stacklevel=2,
        )
    if said := left_out(head, frames):
        warnings.warn(f"{head.source}: {said}", stacklevel=2)
    parts = (_window_arrays(block, frames, scales, centre, dtype, takes) for block in blocks(split))
    if isinstance(split, StreamedSplit):
        (x, v, q, m, *more), squares = mapped(parts, len(split), split.folder)
    else:
        tensors, squares = next(parts)
        x, v, q, m, *more = (t.to(device) for t in tensors)
    after = torch.as_tensor(frames.after).to(x.device)
    ballistic, inertial = (max(float(value), LEAST) for value in squares)
    horizon = frames.horizon / scales.time
    given = dict(zip(takes, more, strict=True))
    between = torch.as_tensor(frames.between).to(x.device) if len(frames.between) else None
    errors, about = (ballistic, inertial), (head.source, head.n_dims)
    return Windows(x, v, q, m, frames.starts, after, horizon, *errors, *about, given, between)


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
            **({"sha256_given": _digest((*s.given.values(), *valid.given.values()))} if s.given else {}),
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


def input_times(splits: Sequence[DataSplit], inputs: Sequence[NDArray[np.int64]]) -> list[float]:
    """Earliest and latest time of an input state [time]: the training range's time window."""
    spans = [split.times[frames] for split, frames in zip(splits, inputs, strict=True)]
    return [float(min(t.min() for t in spans)), float(max(t.max() for t in spans))]
