"""Text files of frames: a header, then a line for every particle. They are read a frame at a time.

What a header declares is compared with the size of the file before anything of that size is made.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from physics.datasets.formats.base import refuse_impossible, refuse_oversized
from physics.errors import InputError

BUFFER_BYTES = 1 << 18
LINE_LIMIT = 1 << 20
"""Characters of a line of a header."""


class _CountedFile(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, progress: Callable[[float], None]) -> None:
        super().__init__(path)
        self.progress = progress

    def readinto(self, buffer: Any) -> int:
        """As any file, and tell."""
        count = super().readinto(buffer) or 0
        self.progress(count)
        return count


@contextmanager
def frames_of_text(path: Path, progress: Callable[[float], None], weight: int = 1) -> Iterator[TextIO]:
    """The open file; refused where it is not text, or too large: `weight` bytes in memory for each of its own."""
    refuse_oversized(path, weight * path.stat().st_size)
    try:
        raw = io.BufferedReader(_CountedFile(path, progress), BUFFER_BYTES)
        with io.TextIOWrapper(raw, encoding="utf-8-sig") as stream:
            yield stream
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None


def open_end(path: Path) -> tuple[str, ...]:
    """A note where the last line of a file has no end: a number may have been cut off."""
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        ended = stream.read(1) in b"\r\n"
    return () if ended else ("the last line has no end; if the file was cut off there, its last number is wrong",)


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines of a file, as far as it is a text file; none of a folder or of something binary."""
    if not path.is_file():
        return []
    with path.open("rb") as stream:
        head = stream.read(1 << 14)
    if b"\0" in head:
        return []
    return head.decode("utf-8-sig", errors="replace").splitlines()[:count]


def next_line(path: Path, stream: TextIO) -> str | None:
    """The next line, without its end; None at the end of the file."""
    line = stream.readline(LINE_LIMIT)
    if len(line) == LINE_LIMIT:
        raise InputError(f"{path}: a line of more than {LINE_LIMIT} characters; expected a header")
    return line.rstrip("\r\n") if line else None


def header_line(path: Path, stream: TextIO, frame: int) -> str:
    """The next line, which must be there."""
    line = next_line(path, stream)
    if line is None:
        raise InputError(f"{path}: frame {frame} ends in its header: it is cut off")
    return line


def declared_count(path: Path, text: str, frame: int) -> int:
    """How many particles a header declares, if the file can hold them."""
    try:
        count = int(text)
    except ValueError:
        raise InputError(f"{path}: frame {frame}: expected the number of particles; got {text!r:.60}") from None
    refuse_impossible(path, f"particles in frame {frame}", count, 2)
    return count


def particle_rows(
    path: Path, stream: TextIO, count: int, frame: int, dtype: DTypeLike, columns: tuple[int, ...]
) -> NDArray[Any]:
    """The next `count` lines, a structured row each, of these columns."""
    lines = list(islice(stream, count))
    if len(lines) < count:
        raise InputError(f"{path}: frame {frame} ends after {len(lines)} of {count} particles: it is cut off")
    try:
        rows = np.loadtxt(lines, dtype=dtype, comments=None, usecols=columns, ndmin=1)
    except (ValueError, IndexError) as error:
        raise InputError(f"{path}: frame {frame}: {' '.join(str(error).split()):.200}") from None
    if len(rows) < count:
        raise InputError(f"{path}: frame {frame} has {len(rows)} rows and empty lines; expected {count} particles")
    return rows


def refuse_ragged(path: Path, count: int, first: int, frame: int) -> None:
    """Refuse another number of particles than in the first frame."""
    if count != first:
        raise InputError(
            f"{path}: frame {frame} has {count} particles, frame 0 has {first}; expected the same particles in "
            "all frames (write a group that none leaves or joins, or a data set for each number)"
        )


def by_id(path: Path, ids: NDArray[Any], known: NDArray[Any] | None, frame: int) -> NDArray[np.intp]:
    """The order that sorts particles by their ids, which must be those of the first frame (`known`, sorted)."""
    order = np.argsort(ids, kind="stable")
    found = ids[order]
    if known is None:
        if (found[1:] == found[:-1]).any():
            raise InputError(f"{path}: frame {frame} has the id {found[:-1][found[1:] == found[:-1]][0]} twice")
    elif (found != known).any():
        at = int(np.argmax(found != known))
        raise InputError(
            f"{path}: frame {frame} has a particle of id {found[at]}, where frame 0 has {known[at]}; "
            "expected the same particles in all frames"
        )
    return order
