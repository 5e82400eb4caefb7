"""`python -m physics.generate`: data sets as Zarr, chunk by chunk, the same bytes whoever makes them.

Each chunk is written once; the manifest is written last, so a folder without it is an unfinished run that
`--resume` completes.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

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
from physics.datasets.chunks import chunks_of, prepare_split
from physics.datasets.executors import ChunkExecutor, Threads, cluster
from physics.datasets.manifest import MARK, file_entry
from physics.datasets.plan import plan_text
from physics.datasets.presets import PRESETS
from physics.datasets.request import Request, check_feasible, check_resumable, chunk_samples, request_from_options
from physics.errors import InputError, SimulationError
from physics.files import atomic_write, only_writer
from physics.machine import available_cores

EXAMPLES = (
    "python -m physics.generate --preset nbody-reference --out data/nbody.zarr",
    "python -m physics.generate --preset charged-bound --dims 4 --particles 8 --out data/bound4.zarr",
    "python -m physics.generate --preset charged-iso --set eps=0.2 p=1 --split train=100 --out data/soft.zarr",
    "python -m physics.generate --preset law-gravity --split train=10000 --scheduler tcp://node:8786 --out x.zarr",
)


def generate(
    request: Request,
    out: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    executor: ChunkExecutor | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the data set of `request` to the Zarr folder `out`; with `resume`, only what is missing.

    Parameters
    ----------
    workers : int, optional
        Threads; default: all cores. The bytes do not depend on it.
    executor : ChunkExecutor, optional
        What makes the chunks instead, such as a :func:`physics.datasets.executors.cluster`.
    progress : callable, optional
        Called with the number of trajectories just finished.
    """
    import zarr

    workers = workers or available_cores()
    check_feasible(request, out, resume=resume, workers=1 if executor else workers)
    manifest = out / "manifest.json"
    resuming = resume and (out / "zarr.json").is_file()
    if resuming:
        check_resumable(out, request)
        if manifest.is_file():
            if progress:
                progress(sum(request.sizes.values()))
            return
    out.mkdir(exist_ok=True)
    with only_writer(out):
        if not resuming:
            _clear(out)
        with uninterrupted():
            # attributes in one write: an interruption leaves no group, or one that says what it is
            attributes: Any = None if resuming else {"format": MARK, "request": request.identity()}
            root = zarr.open_group(out, mode="r+" if resuming else "a", attributes=attributes)
        for split in request.sizes:
            prepare_split(root, request, split)
        n_chunks = sum(-(-count // chunk_samples(request, split)) for split, count in request.sizes.items())
        executor = executor or Threads(workers, n_chunks)
        files = {}
        chunks = (chunk for split in request.sizes for chunk in chunks_of(request, out, split))
        with closing(executor.make(chunks, progress or (lambda _: None))) as results:
            for made in results:
                files.update(made)
        for leftover in [*out.rglob("*.partial"), *out.glob(".manifest-*.part.json")]:
            leftover.unlink(missing_ok=True)
        for path in out.rglob("*"):
            name = path.relative_to(out).as_posix()
            if path.is_file() and name not in files:
                files[name] = file_entry(path, durable=True)
        content = {"format": MARK, "files": dict(sorted(files.items()))}
        atomic_write(manifest, json.dumps(content, indent=1).encode())


def _clear(out: Path) -> None:
    """Empty a folder that holds a Zarr group, without losing the lock on it."""
    content = list(out.iterdir())
    if content and not (out / "zarr.json").is_file():
        raise InputError(f"{out}: holds something else; expected a Zarr group to replace, or nothing")
    for path in content:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def main(argv: Sequence[str]) -> None:
    """Parse the command line and generate."""
    parser = CommandParser("physics.generate", "Generate trajectories into a Zarr data set.", EXAMPLES)
    parser.add_argument("--preset", help="which data set (see --list)")
    parser.add_argument("--out", type=Path, metavar="DATA.zarr", help="the Zarr folder to write")
    parser.add_argument(
        "--split", nargs="+", action="extend", default=[], metavar="NAME=COUNT", help="trajectories per split"
    )
    parser.add_argument("--dims", type=positive_int, metavar="n", help="space dimensions (default 3)")
    parser.add_argument(
        "--particles",
        type=positive_int,
        metavar="N",
        help="particles per system (default: the preset's, mostly 5)",
    )
    parser.add_argument("--seed", type=seed, help="random seed (default: the preset's)")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="law parameters, or dt"
    )
    parser.add_argument("--resume", action="store_true", help="complete an interrupted run")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing data set")
    parser.add_argument("--workers", type=positive_int, metavar="K", help="threads (default: all cores)")
    parser.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="let the workers of this Dask scheduler make it instead"
    )
    parser.add_argument("--plan", action="store_true", help="say what it would take (bytes, files, time) and stop")
    parser.add_argument("--list", action="store_true", help="list the presets and stop")
    options = parser.parse_args(argv)
    if options.list:
        for name, preset in PRESETS.items():
            sizes = ", ".join(f"{split} {count}" for split, count in preset.sizes.items())
            sys.stdout.write(f"{name:22} {preset.description}\n{'':22} {sizes}; seed {preset.seed}\n")
        return
    if not options.preset or not (options.out or options.plan):
        parser.error("--preset and --out are required")
    if options.scheduler and options.workers:
        parser.error("--workers counts threads of this machine; with --scheduler the cluster has its own")
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
    workers = options.workers or available_cores()
    if options.plan:
        sys.stdout.write(plan_text(request, workers))
        return
    check_feasible(request, options.out, resume=options.resume, workers=1 if options.scheduler else workers)
    total = sum(request.sizes.values())
    try:
        with cluster(options.scheduler) if options.scheduler else nullcontext() as executor:
            claim_output(options.out, resume=options.resume, overwrite=options.overwrite)
            with progress_bar(f"{request.preset}", total, "trajectories") as advance:
                generate(
                    request,
                    options.out,
                    resume=options.resume,
                    workers=workers,
                    executor=executor,
                    progress=advance,
                )
    except SimulationError:
        if not options.resume:  # the same request fails again: nothing here is worth keeping
            shutil.rmtree(options.out, ignore_errors=True)
        raise
    sys.stdout.write(f"{options.out}: {total} trajectories, n = {request.n_dims}, N = {request.n_particles}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
