"""What a run shows: a live line on a terminal, plain lines with the time left elsewhere, nothing when quiet."""

import io
import threading
from collections.abc import Callable

import pytest
from rich.console import Console

from physics.errors import InputError
from surrogate.training import progress_bar as progress_module
from surrogate.training.machine import chosen_device
from surrogate.training.plan import Plan, PlannedStage
from surrogate.training.progress import Progress
from surrogate.training.progress_bar import LINE_EVERY_SECONDS, ProgressBar, duration

PLAN = Plan((PlannedStage("positions", 100), PlannedStage("velocities", 50, 0.5)), 10, 25)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress_module.time, "monotonic", lambda: self.now)


def trained(report: ProgressBar, clock: Clock, epochs: int, progress: Progress, seconds: float = 0.1) -> None:
    for _ in range(epochs):
        for _ in range(PLAN.steps_per_epoch):
            clock.now += seconds
            progress.batch += 1
            progress.loss_sum, progress.loss_count = progress.loss_sum + 0.25, progress.loss_count + 1
            report.step(progress)
        progress.epoch, progress.batch, progress.loss_sum, progress.loss_count = progress.epoch + 1, 0, 0.0, 0
        if progress.epoch % PLAN.validate_every == 0:
            clock.now += 2.0
            progress.best = 0.5
            progress.history.append({"stage": "positions", "valid": 0.75, "step": 1})
            report.validated()
        report.epoch(progress, 0.25)


def test_elsewhere_a_line_now_and_then_and_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, progress = Clock(monkeypatch), Progress()
    with ProgressBar() as report:
        report.begin(PLAN, progress)
        trained(report, clock, 100, progress)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("positions epoch 3/100 loss 0.25 valid - best - 10 steps/s, left ")
    assert len(lines) == 2 + (100 + 8) // LINE_EVERY_SECONDS
    # the second stage has as many steps at half the cost as a quarter of the first, and two validations
    assert "epoch 100/100 loss 0.25 valid 0.75 best 0.5 10 steps/s, left 29 s, " in lines[-1]
    assert lines[-1].endswith(" MB")


@pytest.mark.parametrize(
    ("computing", "said"),
    [("PyTorch: float64 on cpu", True), ("PyTorch", False), ("fused float32 kernels", False)],
)
def test_where_kernels_cannot_make_the_steps_the_run_says_so(
    computing: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressBar() as report:
        report.begin(PLAN, Progress(), computing)
    assert ("positions: PyTorch: float64 on cpu" in capsys.readouterr().err) == said


def test_the_time_left_counts_validations_and_later_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, progress = Clock(monkeypatch), Progress(epoch=50)
    with ProgressBar(quiet=True) as report:
        assert report.left(progress) is None
        report.begin(PLAN, progress)
        trained(report, clock, 25, progress)
        assert report.left(progress) == pytest.approx(25 * 1.0 + 2.0 + 50 * 0.5 + 2 * 2.0)


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, progress = Clock(monkeypatch), Progress()
    with ProgressBar(quiet=True) as report:
        report.begin(PLAN, progress)
        trained(report, clock, 100, progress)
        report.note("nobody hears this")
    assert capsys.readouterr().err == ""


def test_a_note_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as report:
        report.note("the loss [bold] jumped")
    assert capsys.readouterr().err == "warning: the loss [bold] jumped\n"


def test_a_terminal_gets_a_live_line_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    clock, progress = Clock(monkeypatch), Progress()
    monkeypatch.setattr(
        progress_module, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=160)
    )
    with ProgressBar() as report:
        report.begin(PLAN, progress)
        trained(report, clock, 100, progress)
        report.note("the loss [bold] jumped")
        progress.stage, progress.epoch = 1, 0
        report.begin(PLAN, progress)
        trained(report, clock, 2, progress, 0.05)
    shown = screen.getvalue()
    for text in ("positions", "epoch 100/100", "velocities", "epoch 2/50", "loss 0.25", "20 steps/s", "[bold]"):
        assert text in shown


def test_in_eighty_columns_nothing_of_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    clock, progress = Clock(monkeypatch), Progress(stage=1)
    monkeypatch.setattr(
        progress_module, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=80)
    )
    with ProgressBar() as report:
        report.begin(PLAN, progress)
        trained(report, clock, 50, progress)
    shown = screen.getvalue()
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    for text in ("velocities", "best 0.5", "10 steps/s", " MB"):
        assert text in shown


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "-"), (0.4, "0 s"), (89.0, "89 s"), (120.0, "2.0 min"), (9000.0, "2.5 h")]
)
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_devices_that_are_not_here_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert (chosen_device("auto"), chosen_device("cpu")) == ("cpu", "cpu")
    for name in ("cuda", "mps"):
        with pytest.raises(InputError, match=f"--device {name}: no .* here; use --device cpu"):
            chosen_device(name)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (chosen_device("auto"), chosen_device("cuda")) == ("cuda", "cuda")


class TimerByHand:
    """A `threading.Timer` whose time is over when the test says so."""

    def __init__(self, _seconds: float, function: Callable[..., None], given: tuple[object, ...]) -> None:
        self.function, self.given, self.runs = function, given, False

    def start(self) -> None:
        self.runs = True

    def cancel(self) -> None:
        self.runs = False

    def elapse(self) -> None:
        if self.runs:
            self.function(*self.given)


def test_a_first_step_that_takes_long_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[TimerByHand] = []
    monkeypatch.setattr(threading, "Timer", lambda *given: timers.append(TimerByHand(*given)) or timers[-1])
    with ProgressBar():
        timers[-1].elapse()
    assert capsys.readouterr().err == progress_module.PREPARING + "\n"
    with ProgressBar() as quick:
        quick.begin(PLAN, Progress())
        quick.step(Progress())
        timers[-1].elapse()
    assert progress_module.PREPARING not in capsys.readouterr().err
    with ProgressBar(quiet=True):
        timers[-1].elapse()
    assert capsys.readouterr().err == ""
