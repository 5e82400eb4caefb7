"""Autosaved sessions: a file for each running window, which only a crash leaves behind.

A window holds a lock as long as it runs; the system releases it when the process ends, however it ends. So a file
whose lock can be taken is one of a crash, and two windows never touch each other's file. Of several the newest
valid one is chosen by the time that stands in it under a checksum, not by the file's own. What was written before
the last time is kept beside it: where the last one is damaged, that is offered.
"""

import hashlib
import json
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.viewmodel.files.documents import document_of, plain, read_content, write_document
from app.viewmodel.files.sessions import SavedSession, check_session
from app.viewmodel.state.draft import Draft
from physics.errors import InputError

FOLDER = "autosave"
KIND, VERSION = "autosave", 2
LAST, EARLIER = ".json", ".earlier"
"""Suffixes of what was written last, and of what was written before it."""


@dataclass(frozen=True)
class Autosave:
    """A session as it was a few seconds before a crash.

    Attributes
    ----------
    session : SavedSession
    path : str
        Of the session file that was in use; empty for none.
    written : float
        Seconds since 1970.
    digest : str
        SHA-256 over the rest.
    draft : Draft or None
        What the scene editor had and the simulation had not.
    """

    session: SavedSession
    path: str
    written: float
    digest: str = ""
    draft: Draft | None = None

    def sealed(self) -> "Autosave":
        """The same with its digest."""
        return replace(self, digest=_digest(plain(self)))


def _digest(content: dict[str, Any]) -> str:
    """SHA-256 over the content of a file but for its own digest, under the names that the file has."""
    return hashlib.sha256(json.dumps(content | {"digest": ""}, sort_keys=True).encode()).hexdigest()


def write_autosave(path: Path, saved: Autosave) -> None:
    """Write it whole or not at all; OSError where that cannot be."""
    write_document(path, KIND, VERSION, saved.sealed())


def read_autosave(path: Path) -> Autosave:
    """Read and check it.

    Raises
    ------
    InputError
        One line: the path, the place in it, what was expected.
    """
    content = read_content(path, KIND, VERSION)
    saved = document_of(path, content, Autosave)
    if saved.digest != _digest(content):
        raise InputError(f"{path}: its checksum does not fit its content")
    check_session(saved.session, str(path))
    return saved


class Lock:
    """A file held by this process until it releases it or ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take it without waiting; False where someone else holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self, remove: bool) -> None:
        """Release it; with `remove` the file is removed first, so that no other process takes one about to go."""
        if self._descriptor is None:
            return
        if remove and sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None
        if remove and sys.platform == "win32":  # an open file cannot be removed there
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


class OwnFile:
    """The autosave of one window.

    Parameters
    ----------
    folder : Path
        The configuration folder.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.path = folder / FOLDER / f"{name}{LAST}"
        self._lock: Lock | None = None

    def write(self, saved: Autosave) -> None:
        """Keep what was written last as the earlier one, and write; OSError where that cannot be."""
        if self._lock is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock(self.path.with_suffix(".lock"))
            if not lock.take():
                raise OSError(None, "the lock of a new file is taken", str(lock.path))
            self._lock = lock
        if self.path.exists():
            self.path.replace(self.path.with_suffix(EARLIER))
        write_autosave(self.path, saved)

    def remove(self) -> None:
        """Leave nothing behind: the window was closed as it should be."""
        if self._lock is not None:
            _unlink_both(self.path)
            self._lock.release(remove=True)
            self._lock = None


@dataclass(frozen=True, eq=False)
class Left:
    """An autosave that a crash left, held by this window until it is let go or removed."""

    path: Path
    saved: Autosave
    lock: Lock

    def let_go(self) -> None:
        """Leave it for the next start."""
        self.lock.release(remove=False)

    def remove(self) -> None:
        """It was restored, or is not wanted."""
        _unlink_both(self.path)
        self.lock.release(remove=True)


def _unlink_both(path: Path) -> None:
    path.with_suffix(EARLIER).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def left_behind(folder: Path) -> tuple[list[Left], list[str]]:
    """What crashes left, the newest first, and a line for each damaged file, which is kept aside.

    Files of windows that run are not touched. OSError where the folder cannot be read.
    """
    place = folder / FOLDER
    found, troubles = list[Left](), list[str]()
    if not place.is_dir():
        return found, troubles
    kept = (path for path in place.iterdir() if path.suffix in (LAST, EARLIER))
    names = {path.stem for path in kept if not path.name.startswith(".")}  # those are being written
    for path in sorted(place / f"{name}{LAST}" for name in names):
        lock = Lock(path.with_suffix(".lock"))
        if not lock.take():
            continue
        for torn in place.glob(f".{path.stem}-*"):
            torn.unlink(missing_ok=True)
        saved, trouble = _newest_valid(path)
        troubles += trouble
        if saved is not None:
            found.append(Left(path, saved, lock))
        else:  # damaged, or its window was closed this moment
            lock.release(remove=True)
    return sorted(found, key=lambda left: -left.saved.written), troubles


def _newest_valid(path: Path) -> tuple[Autosave | None, list[str]]:
    """What was written last, or before that; and a line for each damaged file, which is kept aside."""
    troubles: list[str] = []
    for file, aside in ((path, ".bad"), (path.with_suffix(EARLIER), ".earlier-bad")):
        if file.exists():
            try:
                return read_autosave(file), troubles
            except InputError as error:
                file.replace(path.with_suffix(aside))
                troubles.append(f"{error}; kept as {path.with_suffix(aside).name}")
    return None, troubles
