"""What a data set is to be: a checked request, how it is cut into chunks, and whether it can be made here."""

import argparse
import json
import math
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from physics import __version__
from physics.cli import positive_int
from physics.datasets.formats.base import CHUNK_LIMIT
from physics.datasets.manifest import MARK
from physics.datasets.presets import PRESETS
from physics.datasets.recipes import SPLITS, Preset
from physics.errors import InputError, unknown_name
from physics.integrators import INTEGRATORS
from physics.laws.names import resolve_parameters
from physics.machine import available_memory
from physics.stepping.schedule import Schedule, schedule_through

CHUNK_BYTES = 8 << 20
"""Aimed size of one stored chunk of positions."""

LARGEST_CHUNK_BYTES = 64 << 20
"""What it grows to in very large sets, so that the files stay countable."""

MANY_CHUNKS = 10_000
"""Number of chunks of a split from which on they grow."""


@dataclass(frozen=True)
class Request:
    """Everything that determines the bytes of a data set."""

    preset: str
    sizes: dict[str, int]
    n_dims: int
    n_particles: int
    seed: int
    parameters: dict[str, Any]
    dt: float

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe stored with each split."""
        preset = PRESETS[self.preset]
        return {
            "format": MARK,
            "preset": self.preset,
            "law": preset.law,
            "parameters": resolve_parameters(preset.law, self.parameters),
            "integrator": preset.integrator,
            "dt": self.dt,
            "seed": self.seed,
            "n_dims": self.n_dims,
            "n_particles": self.n_particles,
            "velocity_offset": INTEGRATORS[preset.integrator].velocity_offset * self.dt,
            **({} if preset.uniform_field is None else {"uniform_field_per": "mass"}),
            **({"half_side": preset.walls[self.n_dims]} if self.n_dims in preset.walls else {}),
            "input_frame": dict(preset.input_frame),
            "target_frame": dict(preset.target_frame),
            "sizes": self.sizes,
            "versions": {
                "isotwin": __version__,
                "numpy": np.__version__,
                "numba": numba.__version__,
                "python": platform.python_version(),
            },
        }

    def identity(self) -> dict[str, Any]:
        """The recipe without versions: what must agree for --resume."""
        return {key: value for key, value in self.recipe.items() if key != "versions"}


def request_from_options(
    preset: str,
    split: dict[str, str],
    dims: int | None,
    particles: int | None,
    chosen_seed: int | None,
    settings: dict[str, str],
) -> Request:
    """A checked request.

    Raises
    ------
    InputError
        For a name, size or parameter that does not fit the preset.
    """
    if preset not in PRESETS:
        raise unknown_name("preset", preset, PRESETS)
    spec = PRESETS[preset]
    if spec.fixed_shape:
        fixed = (
            ("--dims", dims, spec.dims),
            ("--particles", particles, (spec.particles,)),
            *((("--seed", chosen_seed, (spec.seed,)),) if spec.streams else ()),
        )
        for option, value, only in fixed:
            if value is not None and value not in only:
                choices = " or ".join(map(str, only))
                raise InputError(f"preset {preset!r} is a published set: {option} is {choices}; got {value}")
        if settings:
            raise InputError(
                f"preset {preset!r} is a published set: --set is not possible; got {', '.join(settings)}"
            )
    sizes = dict(spec.sizes) if not split else {}
    for name, text in split.items():
        if name not in SPLITS:
            raise unknown_name("split", name, SPLITS)
        try:
            sizes[name] = positive_int(text)
        except argparse.ArgumentTypeError:
            raise InputError(f"--split {name} must be a whole number of at least 1; got {text!r:.60}") from None
        if spec.streams and sizes[name] > spec.sizes[name]:
            raise InputError(
                f"--split {name}: the published stream has {spec.sizes[name]} trajectories; got {text}"
            )
    parameters, dt = _settings(spec, settings)
    seed = spec.seed if chosen_seed is None else chosen_seed
    return Request(preset, sizes, dims or 3, particles or spec.particles, seed, parameters, dt)


def _settings(spec: Preset, settings: dict[str, str]) -> tuple[dict[str, Any], float]:
    parameters: dict[str, Any] = dict(spec.parameters)
    dt = spec.dt
    for name, text in settings.items():
        setting: Any = text
        if text != "gauss":
            try:
                setting = float(text)
            except ValueError:
                raise InputError(f"--set {name} must be a number; got {text!r}") from None
        if name == "dt":
            if not isinstance(setting, float) or not 0 < setting <= 0.1:
                raise InputError(f"--set dt must be above 0 and at most 0.1; got {text}")
            dt = setting
        else:
            parameters[name] = setting
    resolve_parameters(spec.law, parameters)
    return parameters, dt


def trajectory_bytes(request: Request, split: str) -> int:
    """Bytes of the positions of one stored trajectory."""
    return len(PRESETS[request.preset].times[split]) * request.n_particles * request.n_dims * 8


def chunk_samples(request: Request, split: str) -> int:
    """Trajectories in one stored chunk: some 8 MiB of positions, more in very large sets."""
    one, count = trajectory_bytes(request, split), request.sizes[split]
    aimed = min(max(CHUNK_BYTES, one * count // MANY_CHUNKS), max(CHUNK_BYTES, LARGEST_CHUNK_BYTES))
    return int(min(max(aimed // one, 1), 1024 * aimed // CHUNK_BYTES, count))


def schedule_of(request: Request, split: str) -> Schedule:
    """The steps between the frames of a split; its first frame is the start, stored or not."""
    preset = PRESETS[request.preset]
    times = preset.times[split]
    start_times = times if preset.first_frame_is_start else np.concatenate([[0.0], times])
    return schedule_through(start_times, request.dt)


def stored_bytes(request: Request) -> int:
    """Bytes of all arrays of the data set."""
    beside = PRESETS[request.preset].arrays(request.n_particles, request.n_dims)
    return sum(
        count * (2 * trajectory_bytes(request, split) + 8 * sum(map(math.prod, beside.values())))
        for split, count in request.sizes.items()
    )


def working_memory(request: Request, workers: int) -> int:
    """Bytes that `workers` chunks in the making take: positions and velocities, once more while stored."""
    largest = max(chunk_samples(request, split) * trajectory_bytes(request, split) for split in request.sizes)
    return workers * 4 * largest


def check_feasible(request: Request, out: Path, *, resume: bool = False, workers: int = 1) -> None:
    """Refuse a request that cannot be carried out, before anything is written or removed.

    Raises
    ------
    InputError
        For too many steps, trajectories beyond what readers accept, a full disk, too little memory, or, with
        `resume`, a folder that holds something else.
    """
    for split in request.sizes:
        schedule_of(request, split)
        one = trajectory_bytes(request, split)
        if one > CHUNK_LIMIT:
            raise InputError(
                f"{out}: one trajectory takes {one / 2**20:.0f} MiB; at most {CHUNK_LIMIT >> 20} MiB are possible"
            )
    needed = stored_bytes(request)
    if resume and out.is_dir():
        if not (out / "zarr.json").is_file() and not all(p.name.endswith(".partial") for p in out.iterdir()):
            raise InputError(f"{out}: not an Isotwin data set in the making; cannot --resume it")
        needed -= sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    free = shutil.disk_usage(next((folder for folder in out.absolute().parents if folder.is_dir()), "/")).free
    if needed > 0.95 * free:
        raise InputError(f"{out}: needs {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free on that disk")
    memory, available = working_memory(request, workers), available_memory()
    if memory > available:
        raise InputError(
            f"{out}: {workers} workers need {memory / 1e9:.1f} GB of memory; {available / 1e9:.1f} GB are free: "
            "use fewer --workers"
        )


def check_resumable(out: Path, request: Request) -> None:
    """Refuse to complete a data set that was begun with another request."""
    try:
        stored = dict(json.loads((out / "zarr.json").read_text(encoding="utf-8"))["attributes"]["request"])
    except (ValueError, KeyError, TypeError, OSError):
        raise InputError(f"{out}: not an Isotwin data set in the making; cannot --resume it") from None
    wanted = json.loads(json.dumps(request.identity()))
    for key, value in wanted.items():
        if stored.get(key) != value:
            raise InputError(f"{out}: cannot --resume: {key} was {stored.get(key)!r}; asked for {value!r}")
