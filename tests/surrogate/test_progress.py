"""What a run shows: a live line on a terminal, plain lines with the time left elsewhere, nothing when quiet."""

import io
from typing import Any

import pytest
from rich.console import Console

from physics.errors import InputError
from surrogate import progress as progress_module
from surrogate.machine import chosen_device
from surrogate.progress import LINE_EVERY_SECONDS, TrainingProgress


def row(epoch: int, epochs: int = 10, stage: str = "positions", **more: Any) -> dict[str, Any]:
    return {"stage": stage, "epoch": epoch, "epochs": epochs, "loss": 0.25, "best": 0.5, "valid": None, **more}


def test_elsewhere_a_line_now_and_then_and_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    with TrainingProgress() as report:
        for epoch in range(1, 11):
            now[0] += LINE_EVERY_SECONDS / 4
            report(row(epoch, valid=0.125))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "positions epoch 1/10 loss 0.25 valid 0.125 best 0.5 left 45 s"
    assert [line.split()[2] for line in lines] == ["1/10", "6/10", "10/10"]
    assert lines[-1].endswith("left 0 s")


def test_a_resumed_run_counts_its_own_epochs_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    with TrainingProgress() as report:
        now[0] += 30
        report(row(91, 100))
    assert capsys.readouterr().err == "positions epoch 91/100 loss 0.25 valid - best 0.5 left 270 s\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingProgress(quiet=True) as report:
        report(row(10))
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_live_line_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress_module, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=160)
    )
    with TrainingProgress() as report:
        report(row(1))
        report(row(10))
        report(row(2, 4, "velocities", valid=0.125))
    shown = screen.getvalue()
    for text in ("positions", "epoch 10/10", "velocities", "epoch 2/4", "loss 0.25", "valid 0.125"):
        assert text in shown


def test_devices_that_are_not_here_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert (chosen_device("auto"), chosen_device("cpu")) == ("cpu", "cpu")
    for name in ("cuda", "mps"):
        with pytest.raises(InputError, match=f"--device {name}: no .* here; use --device cpu"):
            chosen_device(name)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (chosen_device("auto"), chosen_device("cuda")) == ("cuda", "cuda")
