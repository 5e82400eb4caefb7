"""What every exporter is: one function from a comparison to files that appear only when complete."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from surrogate.comparison.comparison import Comparison
from surrogate.render.options import ViewOptions

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1, never falling."""

Cancelled = Callable[[], bool]
"""Asked now and then; True ends the export with :class:`ExportCancelled`."""


class ExportCancelled(Exception):  # noqa: N818  (not an error: the user asked for it)
    """The export was stopped on request; nothing it wrote is left."""


class Exporter(Protocol):
    """Writes one format of a comparison into an existing folder and names the files it wrote.

    `options` are how pictures look; formats without a picture leave them aside.
    """

    def __call__(
        self,
        comparison: Comparison,
        folder: Path,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        options: ViewOptions | None = None,
    ) -> list[Path]:
        """Export; see :data:`surrogate.export.EXPORTERS`."""


def step(done: float, progress: Progress | None, cancelled: Cancelled | None) -> None:
    """Report the share done, and stop here if that was asked for.

    Raises
    ------
    ExportCancelled
    """
    if cancelled is not None and cancelled():
        raise ExportCancelled("export cancelled")
    if progress is not None:
        progress(done)


def portion(progress: Progress | None, start: float, end: float) -> Progress | None:
    """A progress function for a part of the work, from `start` to `end` of the whole."""
    if progress is None:
        return None
    return lambda done: progress(start + (end - start) * done)
