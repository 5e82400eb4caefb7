"""Two models beside each other, how much they spend, and the table of all of them on this state."""

from dataclasses import replace

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.models import ModelRow
from app.viewmodel.state.setup import Effort
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Callbacks, Runner
from app.viewmodel.worker.tasks.model_table import ModelTableTask
from resources.shipped import shipped_models, shipped_models_of_task

MAX_EVALUATIONS = 1000


class ModelIntents:
    """Which models, at which effort; measuring them all."""

    def __init__(self, store: Store, runner: Runner, jobs: JobIntents, comparison: ComparisonIntents) -> None:
        self._store, self._comparison = store, comparison
        self._job = LatestJob(runner, jobs, "Measuring all models", self.cancel)

    def add(self, name: str) -> None:
        """Offer a model that was opened or trained."""
        table = self._store.state.models
        if name and name not in table.opened and name not in shipped_models():
            self._store.publish(models=replace(table, opened=(*table.opened, name)))

    def add_of_task(self, task: str, name: str) -> None:
        """Offer a model of another task that was opened or trained."""
        table = self._store.state.models
        row = (task, name)
        if name and row not in table.of_tasks and name not in shipped_models_of_task(task):
            self._store.publish(models=replace(table, of_tasks=(*table.of_tasks, row)))

    def swap(self) -> None:
        """The second model forecasts, and the first stands beside it."""
        setup = self._store.state.setup
        if setup.contrast:
            self._comparison.change(
                model=setup.contrast,
                contrast=setup.model,
                effort=setup.contrast_effort,
                contrast_effort=setup.effort,
            )

    def set_effort(self, second: bool, evaluations: int | None, tolerance: float | None) -> None:
        """Rounds per horizon (None: the usual) and tolerance (None: none) of one of the two models."""
        if evaluations is not None and not 1 <= evaluations <= MAX_EVALUATIONS:
            self._store.say(f"rounds per horizon: 1 to {MAX_EVALUATIONS}; got {evaluations}", "error")
            return
        if tolerance is not None and not 0 < tolerance < float("inf"):
            self._store.say(f"a tolerance is a positive length; got {tolerance:g}", "error")
            return
        name = "contrast_effort" if second else "effort"
        self._comparison.change(**{name: Effort(evaluations, tolerance)})

    def measure(self) -> None:
        """Measure every shipped and opened model on the state that is shown."""
        store = self._store
        result, table = store.state.result, store.state.models
        if result is None or self._job.running:
            return
        shown = (result.setup.model, result.setup.contrast)
        names = tuple(dict.fromkeys((*shipped_models(), *table.opened, *filter(None, shown))))
        store.publish(models=replace(table, rows=(), setup=result.setup, progress=0.0), message=None)
        self._job.start(
            ModelTableTask(result.setup, names), Callbacks(self._done, self._failed, self._progress, self._part)
        )

    def cancel(self) -> None:
        """Stop measuring; the rows that are there stay."""
        if self._job.cancel():
            self._change(progress=None)
            self._store.say("measuring the models was cancelled")

    def _change(self, **changes: object) -> None:
        self._store.publish(models=replace(self._store.state.models, **changes))  # type: ignore[arg-type]

    def _progress(self, fraction: float) -> None:
        self._change(progress=min(max(fraction, 0.0), 1.0))

    def _part(self, rows: tuple[ModelRow, ...]) -> None:
        self._change(rows=rows)

    def _done(self, rows: tuple[ModelRow, ...]) -> None:
        self._change(rows=rows, progress=None)

    def _failed(self, reason: str) -> None:
        self._change(progress=None)
        self._store.say(reason, "error")
