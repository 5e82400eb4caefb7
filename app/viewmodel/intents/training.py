"""Training from the window: a plan, one run at a time, its best model used."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from app.viewmodel.files.preferences import config_folder
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.intents.models import ModelIntents
from app.viewmodel.intents.system import SystemIntents
from app.viewmodel.state.task_scenarios import example_of
from app.viewmodel.state.training import (
    STARTS,
    TrainReport,
    fixed_shape,
    learning_rate,
    task_of,
    task_of_preset,
    trouble,
)
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Callbacks, Runner
from app.viewmodel.worker.tasks.train import TrainTask
from resources.shipped import FILE_NAME
from surrogate.tasks import DEFAULT


class TrainIntents:
    """Start, stop, resume; use what came of it."""

    def __init__(
        self,
        store: Store,
        runner: Runner,
        jobs: JobIntents,
        models: ModelIntents,
        comparison: ComparisonIntents,
        system: SystemIntents,
    ) -> None:
        self._store, self._models, self._comparison, self._system = store, models, comparison, system
        self._job = LatestJob(runner, jobs, "Training", self.stop)
        self._stopping = False

    def set(self, **changes: Any) -> None:
        """Change the plan; not while it runs."""
        training = self._store.state.training
        if not training.running:
            if shape := fixed_shape(changes.get("preset", "")):
                changes["dims"], changes["particles"] = shape
            plan, task = training.plan, task_of(changes.get("config", training.plan.config))
            if changes.get("preset") and "config" not in changes:
                task = task_of_preset(changes["preset"])
            if task != task_of(plan.config):  # another task: a plan of its own to begin with
                own = {"data": example_of(task)} if task == "molecules" else {}
                changes = {**STARTS[task], **own, **changes}
            if "config" in changes:
                changes.setdefault("learning_rate", learning_rate(changes["config"]))
            self._change(plan=replace(training.plan, **changes), status="idle", reason="")
            self._look()

    def start(self, resume: bool = False) -> None:
        """Generate the data if need be, then train; with `resume` go on with the run in the folder."""
        store, training = self._store, self._store.state.training
        if training.running:
            return
        if not training.plan.out:
            self.set(out=default_out())
            training = store.state.training
        if resume and not _is_run(training.plan.out):
            store.say(f"{training.plan.out}: no run there to go on with")
            return
        wrong = {} if resume else trouble(training.plan)
        if wrong:
            store.say(next(iter(wrong.values())), "error")
            return
        if not resume and _is_run(training.plan.out):
            store.say(f"{training.plan.out} holds a run already: resume it, or choose another folder", "error")
            return
        phase = "training" if resume or not training.plan.preset else "data"
        self._stopping = False
        self._change(status=phase, report=TrainReport("data"), reason="", usable=False)
        callbacks = Callbacks(self._ended, self._failed, first=self._report)
        self._job.start(TrainTask(training.plan, resume), callbacks)

    def stop(self) -> None:
        """Ask it to stop; its last validated state and its best model are kept."""
        if self._store.state.training.running and not self._stopping:
            self._stopping = True
            self._change(status="stopping")
            self._job.ask_to_stop()

    def use(self) -> None:
        """Forecast with the best model of the run."""
        store, plan = self._store, self._store.state.training.plan
        out = plan.out
        if not (Path(out) / "best" / FILE_NAME).is_file():
            store.say(f"{out or 'no folder chosen'}: no trained model there yet")
            return
        if (task := task_of(plan.config)) != DEFAULT:
            self._models.add_of_task(task, out)
            if (store.state.setup.task, store.state.setup.task_model) == (task, out):
                self._comparison.request()  # its file has changed, its name has not
            else:
                self._system.show_set(task, plan.data_path, "test", out)
            return
        self._models.add(out)
        if store.state.setup.model == out:
            self._comparison.request()  # its file has changed, its name has not
        else:
            self._system.choose_model(out)

    def _change(self, **changes: Any) -> None:
        self._store.publish(training=replace(self._store.state.training, **changes))

    def _look(self) -> None:
        out = Path(self._store.state.training.plan.out)
        usable = (out / "best" / FILE_NAME).is_file()
        self._change(usable=usable, resumable=_is_run(str(out)))

    def _report(self, report: TrainReport) -> None:
        status = "stopping" if self._stopping else report.phase
        before = self._store.state.training
        self._change(status=status, report=report, usable=bool(report.rows))
        if len(report.rows) > len(before.report.rows) and task_of(before.plan.config) != DEFAULT:
            self.use()  # what it has learned by now is seen at once

    def _ended(self, how: str) -> None:
        self._change(status=how)
        self._look()
        out = self._store.state.training.plan.out
        if how == "done":
            self._store.say(f"{Path(out).name} is trained: use it as the forecast model")

    def _failed(self, reason: str) -> None:
        self._change(status="failed", reason=reason)
        self._look()
        self._store.say(f"training: {reason}", "error")


def _is_run(out: str) -> bool:
    return bool(out) and (Path(out) / "config.toml").is_file()


def default_out() -> str:
    """Where the first run is written: in the working folder if that is a place to write, else the user's own."""
    here = Path.cwd()
    return str(here / "runs" / "mine") if (here / "runs").is_dir() else str(config_folder() / "runs" / "mine")
