"""An export: the comparison made anew and written with the exporters of `surrogate.compare`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.viewmodel.state.commands import UNSAVED, sample_command
from app.viewmodel.state.own_system import scenario_of_system
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.stored import whole_comparison
from app.viewmodel.worker.task_samples import sample_result
from physics.cli import staged_folder

FORECASTS_SHARE = 0.5
"""Of an export of stored data, whose forecasts may take a while."""


@dataclass(frozen=True)
class ExportRequest:
    """What to export where."""

    setup: Setup
    folder: str
    formats: tuple[str, ...]


def export(request: ExportRequest, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> list[str]:
    """Make the comparison anew and write it with the exporters of `surrogate.compare`; paths written."""
    from surrogate.export import export_all
    from surrogate.export.task_pictures import sample_files

    if not request.setup.forecasts:
        sample = sample_result(request.setup).sample
        with staged_folder(Path(request.folder), overwrite=False) as folder:
            written = sample_files(sample, folder, sample_command(request.setup))
        return [str(Path(request.folder) / path.name) for path in written]
    begun = 0.0
    if request.setup.data:
        begun = FORECASTS_SHARE
        comparison = whole_comparison(request.setup, lambda share: progress(begun * share))
    else:
        comparison = result_of(replace(request.setup, contrast="")).comparison

    def reached(share: float) -> None:
        progress(begun + (1.0 - begun) * share)

    written = export_all(comparison, Path(request.folder), request.formats, reached, cancelled)
    paths = [str(path) for path in written]
    if request.setup.own is not None:  # the command line in the sidecar names it
        from physics.scenario_files import write_scenario

        path = Path(request.folder) / UNSAVED
        write_scenario(path, scenario_of_system(request.setup.own))
        paths.append(str(path))
    return paths
