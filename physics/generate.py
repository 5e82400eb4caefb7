"""`python -m physics.generate`: data sets as Zarr, chunk by chunk, the same bytes for any number of workers.

Each chunk is written once; the manifest is written last, so a folder without it is an unfinished run that
`--resume` completes.
"""

import argparse
import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from physics import __version__
from physics.cli import (
    CommandParser,
    claim_output,
    key_values,
    positive_int,
    progress_bar,
    run_command,
    seed,
    uninterrupted,
)
from physics.dataset import CHUNK_LIMIT, FORMAT
from physics.errors import InputError, SimulationError, unknown_name
from physics.files import atomic_write
from physics.forces import resolve_parameters
from physics.integrators import INTEGRATORS
from physics.presets import PRESETS, SPLITS, Preset, initial_states, published_states
from physics.simulate import Schedule, available_cores, schedule_through, simulate_batch

FloatArray = NDArray[np.float64]

CHUNK_BYTES = 8 << 20
"""Aimed size of one stored chunk of positions."""

EXAMPLES = (
    "python -m physics.generate --preset nbody-reference --out data/nbody.zarr",
    "python -m physics.generate --preset charged-bound --dims 4 --particles 8 --out data/bound4.zarr",
    "python -m physics.generate --preset charged-iso --set eps=0.2 p=1 --split train=100 --out data/soft.zarr",
)


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
        """The recipe stored with each split (contract.md)."""
        preset = PRESETS[self.preset]
        return {
            "format": FORMAT,
            "preset": self.preset,
            "law": preset.law,
            "parameters": resolve_parameters(preset.law, self.parameters),
            "integrator": preset.integrator,
            "dt": self.dt,
            "seed": self.seed,
            "n_dims": self.n_dims,
            "n_particles": self.n_particles,
            "velocity_offset": INTEGRATORS[preset.integrator].velocity_offset * self.dt,
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
        for option, value, only in (
            ("--dims", dims, 3),
            ("--particles", particles, 5),
            ("--seed", chosen_seed, spec.seed),
        ):
            if value is not None and value != only:
                raise InputError(f"preset {preset!r} is the published set: {option} is {only}; got {value}")
        if settings:
            raise InputError(
                f"preset {preset!r} is the published set: --set is not possible; got {', '.join(settings)}"
            )
    sizes = dict(spec.sizes) if not split else {}
    for name, text in split.items():
        if name not in SPLITS:
            raise unknown_name("split", name, SPLITS)
        try:
            sizes[name] = positive_int(text)
        except argparse.ArgumentTypeError:
            raise InputError(f"--split {name} must be a whole number of at least 1; got {text!r:.60}") from None
        if spec.fixed_shape and sizes[name] > spec.sizes[name]:
            raise InputError(
                f"--split {name}: the published stream has {spec.sizes[name]} trajectories; got {text}"
            )
    parameters, dt = _settings(spec, settings)
    return Request(
        preset,
        sizes,
        dims or 3,
        particles or 5,
        spec.seed if chosen_seed is None else chosen_seed,
        parameters,
        dt,
    )


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


def generate(
    request: Request,
    out: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the data set of `request` to the Zarr folder `out`; with `resume`, only what is missing."""
    import zarr

    check_feasible(request, out, resume=resume)
    manifest = out / "manifest.json"
    if resume and (out / "zarr.json").is_file():
        _check_resumable(out, request)
        if manifest.is_file():
            if progress:
                progress(sum(request.sizes.values()))
            return
        with uninterrupted():
            root = zarr.open_group(out, mode="r+")
    else:
        # in one write: an interruption leaves no folder, or one that says what it is
        with uninterrupted():
            root = zarr.open_group(out, mode="w", attributes={"format": FORMAT, "request": request.identity()})
    for split in request.sizes:
        _write_split(root, out, request, split, workers, progress)
    for leftover in [*out.rglob("*.partial"), *out.glob(".manifest-*.part.json")]:
        leftover.unlink()
    files = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files[path.relative_to(out).as_posix()] = {"bytes": path.stat().st_size, "sha256": digest}
    atomic_write(manifest, json.dumps({"format": FORMAT, "files": files}, indent=1).encode())


def _chunk_samples(preset: Preset, split: str, request: Request) -> int:
    per_sample = len(preset.times[split]) * request.n_particles * request.n_dims * 8
    return int(min(max(CHUNK_BYTES // per_sample, 1), 1024, request.sizes[split]))


def _write_split(
    root: Any,
    out: Path,
    request: Request,
    split: str,
    workers: int | None,
    progress: Callable[[int], None] | None,
) -> None:
    from zarr.codecs import Crc32cCodec

    preset = PRESETS[request.preset]
    times, count = preset.times[split], request.sizes[split]
    n, d = request.n_particles, request.n_dims
    chunk = _chunk_samples(preset, split, request)
    shapes = {
        "times": ((len(times),), (len(times),)),
        "charges": ((count, n), (chunk, n)),
        "positions": ((count, len(times), n, d), (chunk, len(times), n, d)),
        "velocities": ((count, len(times), n, d), (chunk, len(times), n, d)),
    }
    if preset.masses:
        shapes["masses"] = shapes["charges"]
    with uninterrupted():
        group = root.require_group(split)
        arrays = {}
        for name, (shape, chunks) in shapes.items():
            if name in group:
                arrays[name] = group[name]
            else:
                arrays[name] = group.create_array(
                    name,
                    shape=shape,
                    chunks=chunks,
                    dtype="float64",
                    fill_value=np.nan,
                    compressors=(Crc32cCodec(),),
                )
        arrays["times"][:] = times
        group.attrs.update({"recipe": {**request.recipe, "split": split}})
    schedule = _schedule(request, split)
    for index, states in _chunks_of_states(request, split, chunk):
        first = index * chunk
        size = len(states[2])
        with uninterrupted():
            whole = _chunk_is_whole(out, split, arrays, index, slice(first, first + size))
        if not whole:
            positions, velocities = _trajectories(preset, request, states, schedule, workers)
            with uninterrupted():
                arrays["positions"][first : first + size] = positions
                arrays["velocities"][first : first + size] = velocities
                arrays["charges"][first : first + size] = states[2]
                if preset.masses:
                    arrays["masses"][first : first + size] = states[3]
        if progress:
            progress(size)


def _schedule(request: Request, split: str) -> Schedule:
    preset = PRESETS[request.preset]
    times = preset.times[split]
    # the start is frame 0 of every schedule; it is stored only where the preset stores it
    start_times = times if preset.first_frame_is_start else np.concatenate([[0.0], times])
    return schedule_through(start_times, request.dt)


def _trajectories(
    preset: Preset,
    request: Request,
    states: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    schedule: Schedule,
    workers: int | None,
) -> tuple[FloatArray, FloatArray]:
    positions, velocities = simulate_batch(
        states[0],
        states[1],
        states[2],
        masses=states[3],
        schedule=schedule,
        law=preset.law,
        parameters=request.parameters,
        integrator=preset.integrator,
        workers=workers,
    )
    first = 0 if preset.first_frame_is_start else 1
    return positions[:, first:], velocities[:, first:]


def _chunks_of_states(
    request: Request, split: str, chunk: int
) -> Iterator[tuple[int, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]]:
    count = request.sizes[split]
    if not PRESETS[request.preset].fixed_shape:
        for index, first in enumerate(range(0, count, chunk)):
            wanted = range(first, min(first + chunk, count))
            yield (
                index,
                initial_states(
                    request.preset,
                    split,
                    wanted,
                    n_particles=request.n_particles,
                    n_dims=request.n_dims,
                    seed=request.seed,
                ),
            )
        return
    stream = published_states(request.preset, split, count)
    for index, first in enumerate(range(0, count, chunk)):
        drawn = [next(stream) for _ in range(min(chunk, count - first))]
        x, v, q = (np.array(values) for values in zip(*drawn, strict=True))
        yield index, (x, v, q, np.ones_like(q))


def _chunk_is_whole(out: Path, split: str, arrays: dict[str, Any], index: int, samples: slice) -> bool:
    for name in arrays.keys() - {"times"}:
        array = arrays[name]
        key = "/".join(["c", str(index), *["0"] * (array.ndim - 1)])
        if not (out / split / name / key).is_file():
            return False
        try:
            whole = bool(np.isfinite(array[samples]).all())
        except Exception:  # whatever a torn chunk raises (crc32c, size), the answer is: write it again
            whole = False
        if not whole:
            return False
    return True


def _check_resumable(out: Path, request: Request) -> None:
    try:
        stored = dict(json.loads((out / "zarr.json").read_text(encoding="utf-8"))["attributes"]["request"])
    except (ValueError, KeyError, TypeError, OSError):
        raise InputError(f"{out}: not an Isotwin data set in the making; cannot --resume it") from None
    wanted = json.loads(json.dumps(request.identity()))
    for key, value in wanted.items():
        if stored.get(key) != value:
            raise InputError(f"{out}: cannot --resume: {key} was {stored.get(key)!r}; asked for {value!r}")


def check_feasible(request: Request, out: Path, *, resume: bool = False) -> None:
    """Refuse a request that cannot be carried out, before anything is written or removed.

    Raises
    ------
    InputError
        For too many steps, trajectories beyond what readers accept, a full disk, or, with `resume`, a folder
        that holds something else.
    """
    frames = PRESETS[request.preset].times
    needed = 0
    for split, count in request.sizes.items():
        _schedule(request, split)
        one = request.n_particles * len(frames[split]) * request.n_dims * 8
        if one > CHUNK_LIMIT:
            raise InputError(
                f"{out}: one trajectory takes {one / 2**20:.0f} MiB; at most {CHUNK_LIMIT >> 20} MiB are possible"
            )
        needed += count * (2 * one + request.n_particles * 8)
    if resume and out.is_dir():
        if not (out / "zarr.json").is_file() and not all(p.name.endswith(".partial") for p in out.iterdir()):
            raise InputError(f"{out}: not an Isotwin data set in the making; cannot --resume it")
        needed -= sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    existing = next((folder for folder in out.absolute().parents if folder.is_dir()), Path("/"))
    free = shutil.disk_usage(existing).free
    if needed > 0.95 * free:
        raise InputError(f"{out}: needs {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free on that disk")


def main(argv: Sequence[str]) -> None:
    """Parse the command line and generate."""
    parser = CommandParser("physics.generate", "Generate trajectories into a Zarr data set.", EXAMPLES)
    parser.add_argument("--preset", help="which data set (see --list)")
    parser.add_argument("--out", type=Path, metavar="DATA.zarr", help="the Zarr folder to write")
    parser.add_argument(
        "--split", nargs="+", action="extend", default=[], metavar="NAME=COUNT", help="trajectories per split"
    )
    parser.add_argument("--dims", type=positive_int, metavar="n", help="space dimensions (default 3)")
    parser.add_argument("--particles", type=positive_int, metavar="N", help="particles per system (default 5)")
    parser.add_argument("--seed", type=seed, help="random seed (default: the preset's)")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="law parameters, or dt"
    )
    parser.add_argument("--resume", action="store_true", help="complete an interrupted run")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing data set")
    parser.add_argument("--workers", type=positive_int, metavar="K", help="threads (default: all cores)")
    parser.add_argument("--list", action="store_true", help="list the presets and stop")
    options = parser.parse_args(argv)
    if options.list:
        for name, preset in PRESETS.items():
            sizes = ", ".join(f"{split} {count}" for split, count in preset.sizes.items())
            sys.stdout.write(f"{name:22} {preset.description}\n{'':22} {sizes}; seed {preset.seed}\n")
        return
    if not options.preset or not options.out:
        parser.error("--preset and --out are required")
    if options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    request = request_from_options(
        options.preset,
        key_values(options.split),
        options.dims,
        options.particles,
        options.seed,
        key_values(options.set),
    )
    check_feasible(request, options.out, resume=options.resume)
    claim_output(options.out, resume=options.resume, overwrite=options.overwrite)
    total = sum(request.sizes.values())
    try:
        with progress_bar(f"{request.preset}", total, "trajectories") as advance:
            generate(
                request,
                options.out,
                resume=options.resume,
                workers=options.workers or available_cores(),
                progress=advance,
            )
    except SimulationError:
        if not options.resume:  # the same request fails again: nothing here is worth keeping
            shutil.rmtree(options.out, ignore_errors=True)
        raise
    sys.stdout.write(f"{options.out}: {total} trajectories, n = {request.n_dims}, N = {request.n_particles}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
