"""Output folders that appear whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from physics.cli import claim_output, refuse_existing
from physics.errors import InputError


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
