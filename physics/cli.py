"""What every command shares: the parser, the exit statuses, the progress bar, and the claim of an output path.

Exit 0 done, 2 bad input (one line on stderr, nothing written), 130 interrupted (state kept).
"""

import argparse
import math
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from physics.caches import use_writable_folders
from physics.errors import InputError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

N = TypeVar("N", int, float)


class CommandParser(argparse.ArgumentParser):
    """argparse with one-line errors, `--version`, examples kept as written, and no abbreviated options."""

    def __init__(self, prog: str, description: str, examples: Sequence[str] = ()) -> None:
        epilog = "examples:\n" + "\n".join(f"  {line}" for line in examples) if examples else None
        super().__init__(
            prog=f"python -m {prog}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        from physics import __version__

        self.add_argument("--version", action="version", version=f"isotwin {__version__}")

    def error(self, message: str) -> NoReturn:
        """Refuse the command line in one line."""
        raise InputError(f"{message} (see {self.prog} --help)")


def run_command(main: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None) -> int:
    """Run a command's `main` and turn what it raises into an exit status and one line on stderr."""
    warnings.showwarning = _one_line_warning
    use_writable_folders()
    try:
        main(sys.argv[1:] if argv is None else argv)
    except InputError as error:
        return _refused(str(error))
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"interrupted{': ' if str(interrupt) else ''}{interrupt}\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _refused("not enough memory for this request")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _refused(f"{where}{error.strerror or error}")
    return 0


def _refused(message: str) -> int:
    sys.stderr.write("error: " + " ".join(message.split()) + "\n")
    return EXIT_BAD_INPUT


def _one_line_warning(message: Warning | str, *_: object, **__: object) -> None:
    sys.stderr.write(f"warning: {message}\n")


def command_line(prog: str, argv: Sequence[str]) -> str:
    """The command as a user would type it again."""
    return shlex.join(["python", "-m", prog, *argv])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done: Zarr's event loop leaves noise and torn files when broken off."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pending: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pending:
        raise KeyboardInterrupt


def _number(text: str, kind: type[N], allowed: Callable[[N], bool], words: str) -> N:
    """What an argparse type makes of `text`, refused unless it is `allowed`."""
    with suppress(ValueError):
        if allowed(value := kind(text)):
            return value
    raise argparse.ArgumentTypeError(f"must be a {words}; got {text!r}")


def positive_int(text: str) -> int:
    """An argparse type: an integer of at least 1."""
    return _number(text, int, lambda value: value >= 1, "whole number of at least 1")


def positive_float(text: str) -> float:
    """An argparse type: a finite number above 0."""
    return _number(text, float, lambda value: 0 < value < math.inf, "finite number above 0")


def seed(text: str) -> int:
    """An argparse type: an integer from 0 to 2^32 - 1."""
    return _number(text, int, lambda value: 0 <= value < 2**32, "whole number from 0 to 2^32-1")


def key_values(items: Sequence[str]) -> dict[str, str]:
    """The dict of "key=value" arguments."""
    result: dict[str, str] = {}
    for item in items:
        key, separator, value = item.partition("=")
        if not separator or not key or not value:
            raise InputError(f"--set and --split take key=value; got {item!r}")
        if key in result:
            raise InputError(f"{key} is given twice")
        result[key] = value
    return result


def claim_output(path: Path, *, resume: bool = False, overwrite: bool = False) -> None:
    """Refuse an existing output unless it may be resumed or replaced; with `overwrite`, remove it."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
    if not unused(path):
        if overwrite:
            _remove(path)
        elif not resume:
            raise InputError(f"{path}: already exists; use --overwrite to replace it, or --resume to go on")


def unused(path: Path) -> bool:
    """Whether nothing is there, or a folder where nothing has its final name: killed at its first file."""
    if path.is_dir():
        return all(fnmatch(entry.name, ".*.part*") for entry in path.iterdir())
    return not path.exists()


def refuse_existing(path: Path, allowed: bool, hint: str = "--overwrite") -> None:
    """Refuse an existing file or non-empty folder unless `allowed`."""
    if not allowed and not unused(path):
        raise InputError(f"{path}: already exists; choose another name or use {hint}")


def _remove(path: Path) -> None:
    results = ("comparison.json", "metrics.json", "bench.json", "benchmark.json", "audit.json")
    markers = ("manifest.json", "zarr.json", "config.toml", *results)
    if path.is_dir():
        if not any((path / name).exists() for name in markers):
            raise InputError(f"{path}: --overwrite removes only what Isotwin wrote; this folder is not recognised")
        shutil.rmtree(path)
    else:
        path.unlink()


def refuse_foreign(out: Path, overwrite: bool, marker: str) -> None:
    """Before the work: refuse an existing output, with `overwrite` only one that lacks `marker` (not ours)."""
    refuse_existing(out, overwrite)
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / marker).exists()):
        raise InputError(f"{out}: --overwrite replaces only a folder with {marker}; this is another")


@contextmanager
def staged_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary folder beside `out`, renamed to it when the block succeeds and removed when it fails."""
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        yield staging
        staging.chmod(0o755)
        claim_output(out, overwrite=overwrite)
        if out.is_dir():
            out.rmdir()
        staging.replace(out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def progress_bar(title: str, total: float, unit: str = "") -> Iterator[Callable[[float], None]]:
    """A bar with rate and time left on stderr; yields a function that advances it.

    Where stderr is not a terminal: one plain line every ten seconds, the first after two.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_progress(title, total, unit)
        return
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total)
        yield lambda amount: progress.advance(task, amount)


def _plain_progress(title: str, total: float, unit: str) -> Callable[[float], None]:
    start = time.monotonic()
    done, due = 0.0, start + 2.0

    def advance(amount: float) -> None:
        nonlocal done, due
        done += amount
        now = time.monotonic()
        if now >= due and 0 < done < total:
            left = (now - start) * (total / done - 1)
            sys.stderr.write(f"{title}: {done:,.0f}/{total:,.0f} {unit}, about {left:,.0f} s left\n")
            sys.stderr.flush()
            due = now + 10.0

    return advance
