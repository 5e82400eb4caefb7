"""The one Numba decorator: all flags in one place, and a compile cache that cannot go stale.

Numba's own cache misses edits of a callee in another file, so the cache folder is keyed by a hash of the
physics sources, and of all sources of a kernel's own package that use Numba or that these import (a constant is
compiled into a kernel); it lives in the user's cache directory, or where :mod:`physics.caches` finds one.
No fastmath anywhere: results must have the same bits for every lane, thread count and machine.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

from physics import caches

P = ParamSpec("P")
R = TypeVar("R")


FORGOTTEN_AFTER = 60 * 86400
"""Seconds after which compiled code that no process has asked for is removed."""


PHYSICS = Path(__file__).resolve().parents[1]
_USES_NUMBA = re.compile(rb"numba|physics\.kernels")
_IMPORT = re.compile(r"^(?:from|import) +([\w.]+)(?: +import +(?:\(([^)]*)\)|(.*)))?", re.MULTILINE)


def _package(file: Path) -> Path:
    """The outermost package a source file belongs to; its folder where it belongs to none."""
    folder = file.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _kernel_sources(package: Path) -> set[Path]:
    """Files of a package that use Numba, and what they import from it as they are loaded."""
    found = {path for path in package.rglob("*.py") if _USES_NUMBA.search(path.read_bytes())}
    pending = list(found)
    while pending:
        for module, several, one in _IMPORT.findall(pending.pop().read_text(encoding="utf-8")):
            for name in ("", *re.findall(r"\w+", several or one)):
                stem = package.parent.joinpath(*module.split("."), name)
                for path in (stem.with_suffix(".py"), stem / "__init__.py"):
                    if path not in found and path.is_relative_to(package) and path.is_file():
                        found.add(path)
                        pending.append(path)
    return found


def cache_folder(package: Path = PHYSICS, base: Path | None = None) -> Path:
    """Where compiled code of a package is kept in `base`: its kernels may call each other, and all of physics."""
    sources = sorted(PHYSICS.rglob("*.py"))
    if package != PHYSICS:
        sources += sorted(_kernel_sources(package))
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sources:
        digest.update(source.read_bytes())
    return (base or caches.own_cache_folder()) / "kernels" / digest.hexdigest()[:16]


def mark_used(folder: Path) -> None:
    """Mark a cache folder as used today, and remove those of other sources that nobody uses any more."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        for other in folder.parent.iterdir():
            if time.time() - other.stat().st_mtime > FORGOTTEN_AFTER:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:  # another process may remove them too
        pass


@cache
def _folder_in_use(package: Path) -> str:
    """:func:`cache_folder`, made and marked."""
    folder = cache_folder(package, caches.cache_folder())
    mark_used(folder)
    return str(folder)


@cache
def _numba_folder_is_usable() -> bool:
    """Whether the user names a folder for all of Numba that can be written."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return bool(named) and caches.usable(Path(named or ""))


kernel_options = {"nopython": True, "nogil": True, "cache": True, "error_model": "numpy", "fastmath": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """`function` compiled without the GIL, cached on disk; it takes arrays, scalars and named tuples of these.

    What a factory made it with becomes part of its name. Numba tells the kernels of one factory apart by a number
    that counts within a process, but the cache is filled by many: two of them under one symbol, loaded together,
    would be one.
    """
    return _compiled(function)


def inlined_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that becomes part of those that call it.

    For small ones with named tuples of arrays, whose references would be counted again in a call of its own.
    """
    return _compiled(function, forceinline=True)


def leaf_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that makes no arrays and calls none that does: the references of those it is given are not counted.

    For short ones with many arrays, where counting would take as long as the work.
    """
    return _compiled(function, _nrt=False)


def _compiled(function: Callable[P, R], **options: bool) -> Callable[P, R]:
    kept = _numba_folder_is_usable() or caches.cache_folder() is not None
    if kept and not _numba_folder_is_usable():  # Numba asks for it when a function is decorated
        numba.config.CACHE_DIR = _folder_in_use(_package(Path(function.__code__.co_filename).resolve()))
    made_with = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    if made_with:
        function.__qualname__ += "_" + hashlib.sha256(repr(made_with).encode()).hexdigest()[:8]
    return cast("Callable[P, R]", numba.jit(**kernel_options | {"cache": kept}, **options)(function))
