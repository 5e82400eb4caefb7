"""Two models beside each other, how much they spend, and the table of all of them on this state."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.setup import Effort
from app.viewmodel.state.view_state import ModelTable
from app.viewmodel.worker.runner import Callbacks
from app.viewmodel.worker.tasks.model_table import ModelRow, ModelTableTask
from resources.shipped import shipped_models

if TYPE_CHECKING:
    from app.viewmodel.session import Session

MAX_EVALUATIONS = 1000


class ModelIntents:
    """Which models, at which effort; measuring them all."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._job = LatestJob(session, "Measuring all models", self.cancel)

    def add(self, name: str) -> None:
        """Offer a model that was opened or trained."""
        table = self._session.state.models
        if name and name not in table.opened and name not in shipped_models():
            self._session.publish(models=replace(table, opened=(*table.opened, name)))

    def swap(self) -> None:
        """The second model forecasts, and the first stands beside it."""
        setup = self._session.state.setup
        if setup.contrast:
            self._session.comparison.change(
                model=setup.contrast,
                contrast=setup.model,
                effort=setup.contrast_effort,
                contrast_effort=setup.effort,
            )

    def set_effort(self, second: bool, evaluations: int | None, tolerance: float | None) -> None:
        """Rounds per horizon (None: the usual) and tolerance (None: none) of one of the two models."""
        if evaluations is not None and not 1 <= evaluations <= MAX_EVALUATIONS:
            self._session.say(f"rounds per horizon: 1 to {MAX_EVALUATIONS}; got {evaluations}", "error")
            return
        if tolerance is not None and not 0 < tolerance < float("inf"):
            self._session.say(f"a tolerance is a positive length; got {tolerance:g}", "error")
            return
        name = "contrast_effort" if second else "effort"
        self._session.comparison.change(**{name: Effort(evaluations, tolerance)})

    def measure(self) -> None:
        """Measure every shipped and opened model on the state that is shown."""
        session = self._session
        prepared, table = session.state.prepared, session.state.models
        if prepared is None or self._job.running:
            return
        shown = (prepared.setup.model, prepared.setup.contrast)
        names = tuple(dict.fromkeys((*shipped_models(), *table.opened, *filter(None, shown))))
        session.publish(models=ModelTable((), prepared.setup, 0.0, table.opened), message=None)
        self._job.start(
            ModelTableTask(prepared.setup, names), Callbacks(self._done, self._failed, self._progress, self._part)
        )

    def cancel(self) -> None:
        """Stop measuring; the rows that are there stay."""
        if self._job.cancel():
            self._change(progress=None)
            self._session.say("measuring the models was cancelled")

    def _change(self, **changes: object) -> None:
        self._session.publish(models=replace(self._session.state.models, **changes))  # type: ignore[arg-type]

    def _progress(self, fraction: float) -> None:
        self._change(progress=min(max(fraction, 0.0), 1.0))

    def _part(self, rows: tuple[ModelRow, ...]) -> None:
        self._change(rows=rows)

    def _done(self, rows: tuple[ModelRow, ...]) -> None:
        self._change(rows=rows, progress=None)

    def _failed(self, reason: str) -> None:
        self._change(progress=None)
        self._session.say(reason, "error")
