"""Files made from a comparison: video, still and figures, tables, arrays, a one-file report.

One format is one small module with one function; to add one, write it (see
:class:`surrogate.export.base.Exporter`) and add its row to EXPORTERS. Importing this package loads neither
VTK nor matplotlib.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from physics.errors import InputError, unknown_name
from surrogate.comparison.comparison import Comparison
from surrogate.export.arrays import export as npz
from surrogate.export.base import Cancelled as Cancelled
from surrogate.export.base import ExportCancelled as ExportCancelled
from surrogate.export.base import Exporter as Exporter
from surrogate.export.base import Progress as Progress
from surrogate.export.base import portion, step
from surrogate.export.metrics import earlier_files
from surrogate.export.metrics import write_metrics as write_metrics
from surrogate.export.metrics import write_sidecar as write_sidecar
from surrogate.export.report import export as html
from surrogate.export.still import export as png
from surrogate.export.tables import export as csv
from surrogate.export.video import export as mp4
from surrogate.render.options import ViewOptions

EXPORTERS: Mapping[str, Exporter] = {
    "csv": csv,
    "npz": npz,
    "png": png,
    "mp4": mp4,
    "html": html,
}
"""In the order they are written: the report takes in what the others made."""

EFFORT: Mapping[str, float] = {"csv": 1.0, "npz": 1.0, "png": 3.0, "mp4": 20.0, "html": 4.0}
"""Rough shares of the time each takes, for the progress."""


def export_all(
    comparison: Comparison,
    folder: Path,
    formats: Sequence[str],
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    options: ViewOptions | None = None,
) -> list[Path]:
    """Write a comparison in several formats, with metrics.json and comparison.json: everything or nothing.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        Made if it does not exist. At the very end files of the same names are replaced, and those removed that
        an earlier export of another comparison left there.
    formats : sequence of str
        Names of EXPORTERS.
    progress : callable, optional
        Called with the share done, 0 to 1.
    cancelled : callable, optional
        Asked now and then; True ends the export.
    options : ViewOptions, optional
        How pictures and video look.

    Returns
    -------
    list of Path
        The files, metrics.json and comparison.json last.

    Raises
    ------
    InputError
        For an unknown format, or where there is no OpenGL for pictures.
    ExportCancelled
        Nothing was written or replaced then.
    """
    for name in formats:
        if name not in EXPORTERS:
            raise unknown_name("format", name, EXPORTERS)
    chosen = [name for name in EXPORTERS if name in formats]
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{error.filename}: is a file; expected a folder to export to") from None
    staging = Path(tempfile.mkdtemp(dir=folder, prefix=".export-"))
    try:
        kept, stale = earlier_files(comparison, folder)
        made = _staged(comparison, staging, chosen, kept, progress, cancelled, options)
        for name in stale:
            (folder / name).unlink()
        for name in made:
            (folder / name).parent.mkdir(exist_ok=True)
            (staging / name).replace(folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not existed:
            with suppress(OSError):  # not empty: the export went well
                folder.rmdir()
    step(1.0, progress, None)
    return [folder / name for name in made]


def _staged(
    comparison: Comparison,
    staging: Path,
    formats: Sequence[str],
    kept: Sequence[str],
    progress: Progress | None,
    cancelled: Cancelled | None,
    options: ViewOptions | None,
) -> list[str]:
    step(0.0, progress, cancelled)
    effort = sum(EFFORT[name] for name in formats) or 1.0
    made: list[Path] = []
    done = 0.0
    for name in formats:
        end = done + EFFORT[name] / effort
        made += EXPORTERS[name](comparison, staging, portion(progress, done, min(end, 0.999)), cancelled, options)
        done = end
    made.append(write_metrics(comparison, staging))
    names = [path.relative_to(staging).as_posix() for path in made]
    listed = dict.fromkeys([*names, "comparison.json", *kept])
    write_sidecar(comparison, staging, list(listed))
    step(min(done, 0.999), None, cancelled)
    return [*names, "comparison.json"]
