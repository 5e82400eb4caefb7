"""Readers that are not written in Python run in a process of their own: damaged files make some of them crash.

The process gets a bounded memory and time; what it finds comes back as .npy files that are mapped.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from physics.datasets.formats.base import Hints, Imported, Load
from physics.errors import InputError

MEMORY = (4 << 30, 64)
"""Bytes of address space, and how many more for each of the file."""
SECONDS = (20.0, 1e-6)
"""Of a reading, and how many more for each byte of the file."""
KEPT = 2
"""Readings whose files stay mapped: a file is asked for its shape, then for parts."""


def apart(load: Load, check: Callable[[Path], None] = lambda path: None) -> Load:
    """The function of a module's top level, run in another process.

    Parameters
    ----------
    check : callable
        Refuses a file by what can be read of it here, which is faster.

    Raises
    ------
    InputError
        What the function raised, or that its process crashed or took too long.
    """

    def loaded(path: Path, split: str, hints: Hints) -> Imported:
        check(path)
        state = path.stat()
        beside = hints.topology
        changed = (state.st_mtime_ns, 0 if beside is None else beside.stat().st_mtime_ns)
        place = "" if beside is None else str(beside)
        return _loaded(load.__module__, load.__name__, str(path), place, changed, state.st_size)

    return loaded


@lru_cache(maxsize=KEPT)
def _loaded(module: str, function: str, path: str, topology: str, changed: tuple[int, int], size: int) -> Imported:
    """Cached by the times and the size of the files; a refusal is not kept."""
    with tempfile.TemporaryDirectory(prefix="isotwin-") as folder:
        words = [module, function, path, topology, folder, str(size)]
        line = [sys.executable, "-c", "from physics.datasets.formats.apart import main; main()", *words]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            done = subprocess.run(
                line,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS[0] + SECONDS[1] * size,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise InputError(f"{path}: damaged: reading it did not end within {late.timeout:.0f} s") from None
        said = Path(folder) / "said.json"
        if not said.is_file():
            how = signal.Signals(-done.returncode).name if done.returncode < 0 else f"status {done.returncode}"
            raise InputError(f"{path}: damaged: its reader ended with {how}")
        texts: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
        if "refused" in texts:
            raise InputError(texts["refused"])
        # the files go with the folder, the maps of them stay
        arrays = {
            name: np.load(Path(folder) / f"{name}.npy", mmap_mode=_map_mode()) for name in texts.pop("arrays")
        }
        return Imported(arrays, **texts | {"notes": tuple(texts["notes"])})


def _map_mode() -> Any:
    return None if os.name == "nt" else "r"  # there, a file that is mapped cannot be removed


def main(words: Sequence[str] | None = None) -> None:
    """The other process: run the reader, write what it found."""
    module, function, name, topology, folder, size = sys.argv[1:] if words is None else words
    _bound_memory(MEMORY[0] + MEMORY[1] * int(size))
    path, out = Path(name), Path(folder)
    try:
        found: Imported = getattr(import_module(module), function)(
            path, "", Hints(topology=Path(topology) if topology else None)
        )
        for quantity, array in found.arrays.items():
            np.save(out / f"{quantity}.npy", np.ascontiguousarray(array), allow_pickle=False)
        texts = {key: value for key, value in asdict(found).items() if key != "arrays"}
        texts["arrays"] = list(found.arrays)
    except InputError as error:
        texts = {"refused": str(error)}
    except Exception as error:  # readers raise many kinds for damaged files; all are one refusal
        texts = {"refused": f"{path}: damaged ({type(error).__name__}: {' '.join(str(error).split()):.160})"}
    (out / "said.json").write_text(json.dumps(texts), encoding="utf-8")
    os._exit(0)  # no reader's clean-up of half-read files


def _bound_memory(size: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
