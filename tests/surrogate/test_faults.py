"""A training run that meets damaged restart points, a second trainer, bad losses, or changes.

What is repeated many times (kills, failing disks, injected faults) is tests/torture/test_training_runs.py.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate.train import main
from surrogate.training import loop as fit_module
from surrogate.training import plan, restart
from surrogate.training.checkpoint import FILE_NAME, read_checkpoint
from surrogate.training.config import load_config
from surrogate.training.divergence import FORGOTTEN_AFTER, MOST_REJECTIONS, WARM_UP, Divergence, verdict
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep
from tests.surrogate.small_runs import ARGUMENTS, begun, kept, run, valid

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return begun(tmp_path)


def test_a_corrupt_newest_point_falls_back_to_the_one_before_and_says_so(folder: Path) -> None:
    expected = kept(run("whole"))
    for how in ("flipped", "cut", "empty"):
        out = Path(how)
        with pytest.MonkeyPatch.context() as patch:
            inner = fit_module.validate

            def die(trainer: Trainer, *args: Any, inner: Callable[..., None] = inner) -> None:
                inner(trainer, *args)
                if trainer.progress.epoch == 6:
                    raise KeyboardInterrupt

            patch.setattr(fit_module, "validate", die)
            with pytest.raises(KeyboardInterrupt):
                run(how)
        file = out / "latest" / FILE_NAME
        data = file.read_bytes()
        file.write_bytes(
            {"flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "cut": data[:-5], "empty": b""}[how]
        )
        with pytest.warns(UserWarning, match=rf"{how}/latest.*damaged.*; going on from {how}/previous"):
            run(how, resume=True)
        assert kept(out) == expected


def test_two_corrupt_points_are_refused(folder: Path) -> None:
    run("run")
    for name in ("latest", "previous"):
        Path("run", name, FILE_NAME).write_bytes(b"")
    with pytest.raises(InputError, match=r"run/latest.*; run/previous"):
        run("run", resume=True)


def test_two_trainers_in_one_folder_are_one_too_many(folder: Path) -> None:
    inner, tried = fit_module.train_epoch, []

    def twice(*args: Any) -> float:
        if not tried:
            tried.append(1)
            with pytest.raises(InputError, match="run: another process is writing it; wait for it or stop it"):
                run("run", resume=True)
        return inner(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "train_epoch", twice)
        run("run")
    assert tried


def test_a_point_is_written_within_long_epochs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = kept(run("whole"))
    monkeypatch.setattr(fit_module, "SAVE_EVERY_SECONDS", -1.0)
    written: list[tuple[int, int]] = []
    inner = restart.save_restart_point

    def save(trainer: Trainer, state: Any = None) -> None:
        inner(trainer, state)
        p = read_checkpoint("often/latest").info["progress"]
        written.append((p["epoch"], p["batch"]))

    monkeypatch.setattr(fit_module, "save_restart_point", save)
    assert kept(run("often")) == expected
    assert written[:6] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]


def test_weights_that_are_not_finite_at_the_end_of_an_epoch_go_back(folder: Path) -> None:
    inner, seen = TrainingStep.__call__, []

    def spoil(step: TrainingStep, batch: Any) -> str:
        found = inner(step, batch)
        seen.append(1)
        if len(seen) == 10:  # the last one before a validation
            with torch.no_grad():
                step.trainer.parameters[0].fill_(math.nan)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingStep, "__call__", spoil)
        run("run")
    assert math.isfinite(valid(Path("run")))


def test_which_losses_are_rejected() -> None:
    watched = Divergence(20.0)
    for step in range(WARM_UP):
        assert not watched.rejection(1.0 if step else 1e9, 1.0)  # a start is wild
    watched.level = 1.0
    for bad, gradient, said in (
        (25.0, 1.0, "jumped to 25 times"),
        (math.nan, 1.0, "loss is not finite"),
        (1.0, math.inf, "gradient is not finite"),
    ):
        before = replace(watched)
        assert said in watched.rejection(bad, gradient)
        assert watched == before  # what is rejected does not count
    assert not watched.rejection(19.0, 1.0)
    assert not watched.rejection(300.0, 1.0)  # the worst batch lately rules, not the usual one
    assert not Divergence(0.0, 1.0, 1000).rejection(1e30, 1.0)
    rejected = [watched.reject() for _ in range(MOST_REJECTIONS)]
    assert rejected == [False] * (MOST_REJECTIONS - 1) + [True]
    for _ in range(FORGOTTEN_AFTER):
        assert not watched.rejection(1.0, 1.0)
    assert watched.rejected == 0


@pytest.mark.parametrize("limit", [0.0, 3.0])
def test_the_verdict_on_a_device_is_the_one_on_numbers(limit: float) -> None:
    """Four runs at once in tensors, and each by itself in numbers: the same verdicts, levels and counts."""
    rng = np.random.default_rng(0)
    losses, norms = np.exp(rng.normal(0.0, 1.0, (200, 4))), np.ones((200, 4))
    losses[rng.random((200, 4)) < 0.05] = math.nan
    norms[rng.random((200, 4)) < 0.05] = math.inf
    alone = [Divergence(limit) for _ in range(4)]
    level, seen = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.int64)
    rejections = 0
    for loss, norm in zip(losses, norms, strict=True):
        accepted, level, seen = verdict(torch, torch.tensor(loss), torch.tensor(norm), level, seen, limit)
        said = [one.rejection(a, b) for one, a, b in zip(alone, loss, norm, strict=True)]
        assert accepted.tolist() == [not text for text in said]
        assert (level.tolist(), seen.tolist()) == ([one.level for one in alone], [one.seen for one in alone])
        rejections += sum("jumped" in text for text in said)
    assert (rejections > 0) == (limit > 0)


def test_resume_anyway_goes_on_and_names_what_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("run")
    argv = [*ARGUMENTS, "--set", "train.velocity_epochs=6", "train.lr=2e-3"]
    with pytest.warns(UserWarning, match="although the configuration changed: train.lr train.velocity_ep"):
        main([*argv, "--resume-anyway"])
    assert len((folder / "run" / "metrics.csv").read_text().splitlines()) == 1 + 4 + 3
    assert load_config("run/config.toml").train.lr == 2e-3
    with (
        pytest.warns(UserWarning, match="model.hidden"),
        pytest.raises(InputError, match="fits another model"),
    ):
        main([*ARGUMENTS, "--set", "model.hidden=9", "--resume-anyway"])


def test_other_threads_are_said_not_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("run")
    monkeypatch.setattr(restart, "setting", lambda trainer: {"device": "cpu", "threads": 3, "processes": 1})
    with pytest.warns(UserWarning, match="was threads 1, now 3: the last bits may differ"):
        run("run", resume=True)


def test_timing_later_stages_changes_nothing(folder: Path) -> None:
    config = load_config("tiny.toml")
    trainer = Trainer(config, folder / "run", "cpu", "")
    trainer.start_stage(0)
    before = {name: value.clone() for name, value in trainer.tensors().items()}
    found = plan.plan_of(trainer)
    assert [stage.name for stage in found.stages] == ["positions", "velocities"]
    assert found.stages[0].cost == 1.0
    assert all(torch.equal(value, before[name]) for name, value in trainer.tensors().items())
    assert trainer.parameters == trainer.model.position_parameters()
    assert plan.TIMED_PASSES > 1
