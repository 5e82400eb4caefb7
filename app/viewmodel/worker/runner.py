"""The interface to the long work: requests, callbacks, and a runner that answers at once (tests)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.comparison import result_parts
from app.viewmodel.worker.export import ExportRequest, export
from app.viewmodel.worker.opening import describe_file
from app.viewmodel.worker.stored import truth_alone
from app.viewmodel.worker.task_samples import sample_result
from app.viewmodel.worker.tasks.task import Task
from physics.errors import InputError


@dataclass(frozen=True)
class StoredTruth:
    """The truth of a setup on stored data, without forecasts."""

    setup: Setup


Request = Setup | StoredTruth | ExportRequest | Task | str


@dataclass
class Callbacks:
    """Where a job's answers go; called in the window's thread.

    Attributes
    ----------
    done, failed, progress : callable
    first : callable
        Given what can be shown before all is measured: of stored data the truth alone, then ForecastParts.
    preview : callable
        Given what is on the screen before all is forecast.
    near : (int, int) or None
        Which frames those are; no preview for None.
    frame : int
        The one that is shown: its forecast comes first.
    truth : bool
        Show the truth of stored data before its forecasts.
    pause : float
        Wait so long before the forecasts of stored data: another request may follow [second].
    """

    done: Callable[[Any], None]
    failed: Callable[[str], None]
    progress: Callable[[float], None] = lambda _: None
    first: Callable[[Any], None] = lambda _: None
    preview: Callable[[Preview], None] = lambda _: None
    near: tuple[int, int] | None = None
    frame: int = 0
    truth: bool = True
    pause: float = 0.0


class Job(Protocol):
    """A job that can be cancelled."""

    def cancel(self) -> None:
        """Ask the job to stop; nothing is reported afterwards but its end."""


class Runner(Protocol):
    """Runs requests: a Setup is result, an ExportRequest exported, a Task done, a path described."""

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """Start a job; its callbacks come later, or at once for the inline runner."""

    def close(self) -> None:
        """Stop everything; no callback comes after this."""


def answer(
    request: Request,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    first: Callable[[Any], None] = lambda _: None,
    frame: int = 0,
) -> Any:
    """What a request asks for, computed here and now."""
    if isinstance(request, Setup) and not request.forecasts:
        return sample_result(request)
    if isinstance(request, Setup):
        for part in result_parts(request, progress, frame):
            if isinstance(part, ComparisonResult) and part.measured:
                return part
            first(part)
        raise AssertionError("the last part is the whole one")
    if isinstance(request, StoredTruth):
        return truth_alone(request.setup)
    if isinstance(request, ExportRequest):
        return export(request, progress, cancelled)
    if isinstance(request, Task):
        return request.run(progress, cancelled, first)
    return describe_file(request)


class _Done:
    def cancel(self) -> None:
        """Nothing to stop."""


class InlineRunner:
    """Answers before `submit` returns: for tests of the Session."""

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """See Runner."""
        try:
            if isinstance(request, Setup) and request.forecasts and request.data and callbacks.truth:
                callbacks.first(truth_alone(request))
            result = answer(request, callbacks.progress, lambda: False, callbacks.first, callbacks.frame)
        except InputError as error:
            callbacks.failed(str(error))
        else:
            callbacks.done(result)
        return _Done()

    def close(self) -> None:
        """See Runner."""
