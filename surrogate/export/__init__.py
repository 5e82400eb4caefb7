"""Files made from a comparison: video, still and figures, tables, arrays, a one-file report.

One format is one small module with one function; to add one, write it (see
:class:`surrogate.export.base.ExportFormat`) and add its row to EXPORTERS. Importing this package loads neither
VTK nor matplotlib.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from physics.errors import InputError, unknown_name
from surrogate.comparison.comparison import Comparison
from surrogate.export import arrays, report, still, tables, video
from surrogate.export.base import Cancelled as Cancelled
from surrogate.export.base import ExportCancelled as ExportCancelled
from surrogate.export.base import ExportFormat as ExportFormat
from surrogate.export.base import ExportJob as ExportJob
from surrogate.export.base import Progress as Progress
from surrogate.export.metrics import earlier_files
from surrogate.export.metrics import write_metrics as write_metrics
from surrogate.export.metrics import write_sidecar as write_sidecar
from surrogate.render.options import ViewOptions

EXPORTERS: Mapping[str, ExportFormat] = {
    "csv": ExportFormat(tables.export, effort=1.0),
    "npz": ExportFormat(arrays.export, effort=1.0),
    "png": ExportFormat(still.export, effort=3.0),
    "mp4": ExportFormat(video.export, effort=20.0),
    "html": ExportFormat(report.export, effort=4.0),
}
"""In the order they are written: the report takes in what the others made."""


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
        job = ExportJob(comparison, staging, options or ViewOptions(), progress, cancelled)
        made = _staged(job, chosen, kept)
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
    job.finish()
    return [folder / name for name in made]


def _staged(job: ExportJob, formats: Sequence[str], kept: Sequence[str]) -> list[str]:
    """The names of all files, written into the job's folder; `kept` are those of an earlier export that stay."""
    job.step(0.0)
    effort = sum(EXPORTERS[name].effort for name in formats) or 1.0
    made: list[Path] = []
    done = 0.0
    for name in formats:
        end = done + EXPORTERS[name].effort / effort
        made += EXPORTERS[name].write(job.portion(done, min(end, 0.999)))
        done = end
    made.append(write_metrics(job.comparison, job.folder))
    names = [path.relative_to(job.folder).as_posix() for path in made]
    listed = dict.fromkeys([*names, "comparison.json", *kept])
    write_sidecar(job.comparison, job.folder, list(listed))
    job.step(min(done, 0.999))
    return [*names, "comparison.json"]
