"""What every file format of a comparison is: a row with a function that writes files only when complete."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from surrogate.comparison.comparison import Comparison
from surrogate.render.options import ViewOptions

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1, never falling."""

Cancelled = Callable[[], bool]
"""Asked now and then; True ends the export with :class:`ExportCancelled`."""


class ExportCancelled(Exception):  # noqa: N818  (not an error: the user asked for it)
    """The export was stopped on request; nothing it wrote is left."""


@dataclass(frozen=True, eq=False)
class ExportJob:
    """A comparison to be written into an existing folder.

    Attributes
    ----------
    comparison : Comparison
    folder : Path
    options : ViewOptions
        How pictures look; formats without a picture leave them aside.
    progress : Progress, optional
    cancelled : Cancelled, optional
    """

    comparison: Comparison
    folder: Path
    options: ViewOptions = field(default_factory=ViewOptions)
    progress: Progress | None = None
    cancelled: Cancelled | None = None

    def step(self, done: float) -> None:
        """Report the share done, and stop here if that was asked for.

        Raises
        ------
        ExportCancelled
        """
        if self.cancelled is not None and self.cancelled():
            raise ExportCancelled("export cancelled")
        if self.progress is not None:
            self.progress(done)

    def finish(self) -> None:
        """Report that everything is written; too late to cancel."""
        if self.progress is not None:
            self.progress(1.0)

    def portion(self, start: float, end: float) -> "ExportJob":
        """A part of the work, whose progress runs from `start` to `end` of the whole."""
        whole = self.progress
        if whole is None:
            return self
        return replace(self, progress=lambda done: whole(start + (end - start) * done))


@dataclass(frozen=True)
class ExportFormat:
    """A row of :data:`surrogate.export.EXPORTERS`.

    Attributes
    ----------
    write : callable
        Writes the files of one format and returns their paths.
    effort : float
        Rough share of the time it takes, for the progress.
    """

    write: Callable[[ExportJob], list[Path]]
    effort: float
