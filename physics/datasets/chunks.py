"""One chunk of a data set: its initial states, its trajectories, its files. Any process can make any chunk.

A chunk is written once. Its bytes depend on the request and its place alone, so whoever makes it, and however
often, ends with the same files.
"""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from physics.boundaries import OPEN, Boundary
from physics.cli import uninterrupted
from physics.datasets.manifest import file_entry
from physics.datasets.presets import PRESETS, States, initial_states, published_states
from physics.datasets.recipes import Preset
from physics.datasets.request import Request, check_resumable, chunk_samples, schedule_of
from physics.errors import InputError
from physics.simulate import simulate_batch
from physics.stepping.external import External, external_batch
from physics.stepping.schedule import Schedule
from physics.types import FloatArray

FileEntries = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Chunk:
    """What is needed to make one chunk anywhere.

    Attributes
    ----------
    out : Path
        The Zarr folder, prepared by :func:`prepare_split`.
    index : int
        Its number along the samples; `first` is its first sample, `size` how many it holds.
    states : States, optional
        Initial states where they come from one random stream; else they are drawn where the chunk is made.
    """

    request: Request
    out: Path
    split: str
    index: int
    first: int
    size: int
    states: States | None = None


def chunks_of(request: Request, out: Path, split: str) -> Iterator[Chunk]:
    """All chunks of a split, in order; lazily, since the published stream is drawn on the way."""
    count, height = request.sizes[split], chunk_samples(request, split)
    stream = published_states(request.preset, split, count) if PRESETS[request.preset].streams else None
    for index, first in enumerate(range(0, count, height)):
        size = min(height, count - first)
        yield Chunk(request, out, split, index, first, size, None if stream is None else streamed(stream, size))


def streamed(stream: Iterator[tuple[FloatArray, FloatArray, FloatArray]], count: int) -> States:
    """The next `count` initial states of a published stream, with masses of 1."""
    x, v, q = (np.array(values) for values in zip(*islice(stream, count), strict=True))
    return States(x, v, q, np.ones_like(q))


def drawn_states(request: Request, split: str, indices: range) -> States:
    """Initial states of trajectories of a split that each have a random stream of their own."""
    sizes = {"n_particles": request.n_particles, "n_dims": request.n_dims}
    return initial_states(request.preset, split, indices, **sizes, seed=request.seed)


def simulated(
    request: Request,
    states: States,
    schedule: Schedule,
    threads: int = 1,
    progress: Callable[[int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities (S, F, N, n) from initial states, as the request has them simulated."""
    preset, (x, v, q, m, edges) = PRESETS[request.preset], states
    law: Any = {"law": preset.law, "parameters": request.parameters, "schedule": schedule}
    external = _external(preset, request.n_dims, edges)
    if external.any:
        return external_batch(x, v, q, external, masses=m, **law, workers=threads, progress=progress)
    integrator = preset.integrator
    return simulate_batch(x, v, q, masses=m, **law, integrator=integrator, workers=threads, progress=progress)


def _external(preset: Preset, n_dims: int, edges: FloatArray | None) -> External:
    boundary = Boundary("reflecting", np.array(2 * preset.walls[n_dims])) if n_dims in preset.walls else OPEN
    return External(preset.uniform_field, preset.magnetic_field, edges, boundary)


def prepare_split(root: Any, request: Request, split: str) -> None:
    """Create what is missing of a split's arrays, and its times and recipe, in the open Zarr group `root`."""
    from zarr.codecs import Crc32cCodec

    preset = PRESETS[request.preset]
    times, count = preset.times[split], request.sizes[split]
    n, d = request.n_particles, request.n_dims
    height = chunk_samples(request, split)
    shapes = {
        "times": ((len(times),), (len(times),)),
        "positions": ((count, len(times), n, d), (height, len(times), n, d)),
        "velocities": ((count, len(times), n, d), (height, len(times), n, d)),
    }
    for name, shape in preset.arrays(n, d).items():
        shapes[name] = ((count, *shape), (height, *shape))
    with uninterrupted():
        group = root.require_group(split)
        for name, (shape, chunks) in shapes.items():
            if name not in group:
                kind = {"dtype": "float64", "fill_value": np.nan, "compressors": (Crc32cCodec(),)}
                group.create_array(name, shape=shape, chunks=chunks, **kind)
        group["times"][:] = times
        group.attrs.update({"recipe": {**request.recipe, "split": split}})


def make_chunk(chunk: Chunk, progress: Callable[[int], None] | None = None, threads: int = 1) -> FileEntries:
    """Make the chunk unless it is there and whole; the name, size and SHA-256 of each of its files.

    Parameters
    ----------
    progress : callable, optional
        Called with the number of trajectories just finished; what it raises ends the work.

    Raises
    ------
    SimulationError
        Where a trajectory stops being finite.
    """
    import zarr

    group: Any = zarr.open_group(chunk.out, mode="r+")[chunk.split]
    arrays = {name: group[name] for name in group.array_keys() if name != "times"}
    where = slice(chunk.first, chunk.first + chunk.size)
    if _is_whole(chunk, arrays, where):
        if progress:
            progress(chunk.size)
    else:
        states = chunk.states or drawn_states(chunk.request, chunk.split, range(where.start, where.stop))
        schedule = schedule_of(chunk.request, chunk.split)
        positions, velocities = simulated(chunk.request, states, schedule, threads, progress)
        begin = 0 if PRESETS[chunk.request.preset].first_frame_is_start else 1
        made = {"positions": positions[:, begin:], "velocities": velocities[:, begin:]}
        made |= {"charges": states.q, "masses": states.m}
        if states.edges is not None:
            made["edges"] = states.edges
        for name in ("uniform_field", "magnetic_field"):
            if name in arrays:
                field = getattr(PRESETS[chunk.request.preset], name)
                made[name] = np.broadcast_to(field, (chunk.size, *field.shape))
        for name, array in arrays.items():
            array[where] = made[name]
    files = [_file(chunk, name, array.ndim) for name, array in arrays.items()]
    return {path.relative_to(chunk.out).as_posix(): file_entry(path, durable=True) for path in files}


def make_chunk_elsewhere(chunk: Chunk) -> FileEntries:
    """`make_chunk` on a machine of a cluster, once it is certain that this one sees the same folder and versions.

    Raises
    ------
    InputError
        Where it does not.
    """
    if not (chunk.out / "zarr.json").is_file():
        raise InputError(f"{chunk.out}: a worker on {platform.node()} does not see this folder")
    check_resumable(chunk.out, chunk.request)
    node = json.loads((chunk.out / chunk.split / "zarr.json").read_text(encoding="utf-8"))
    theirs, ours = node["attributes"]["recipe"]["versions"], chunk.request.recipe["versions"]
    if theirs != ours:
        raise InputError(f"{chunk.out}: a worker on {platform.node()} has other versions: {ours}, not {theirs}")
    return make_chunk(chunk)


def _file(chunk: Chunk, name: str, n_axes: int) -> Path:
    return chunk.out.joinpath(chunk.split, name, "c", str(chunk.index), *["0"] * (n_axes - 1))


def _is_whole(chunk: Chunk, arrays: dict[str, Any], where: slice) -> bool:
    if not all(_file(chunk, name, array.ndim).is_file() for name, array in arrays.items()):
        return False
    try:
        return all(np.isfinite(array[where]).all() for array in arrays.values())
    except Exception:  # whatever a torn chunk raises (crc32c, size), the answer is: write it again
        return False
