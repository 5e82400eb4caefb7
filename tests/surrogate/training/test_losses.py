"""The loss and the schedule of a trainer, against their formulas."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate.tasks.dynamics.batches import batches
from surrogate.training.state import Trainer
from tests.surrogate.helpers import npz, tiny_arrays
from tests.surrogate.tiny_runs import config

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_the_schedule(schedule: str, data_folder: Path) -> None:
    trainer = Trainer(config(epochs=50, schedule=schedule, warmup=0.2), data_folder / "run", "cpu", "")
    trainer.start_stage(0)
    assert trainer.total_steps == 100
    rates = [trainer.learning_rate(step) for step in range(101)]
    if schedule == "constant":
        assert set(rates) == {1e-2}
    else:
        assert rates[0] == pytest.approx(0.04 * 1e-2)
        assert max(rates) == rates[20] == pytest.approx(1e-2)
        assert all(np.diff(rates[:21]) > 0)
        assert all(np.diff(rates[20:]) < 0)
        assert rates[100] == pytest.approx(0, abs=1e-15)


def test_the_loss_of_both_kinds_and_of_velocities(data_folder: Path) -> None:
    trainer = Trainer(config("egnn-recurrent", velocity_weight=0.5), data_folder / "run", "cpu", "")
    trainer.start_stage(0)
    (batch, *_) = batches(trainer.task.train_sets, 4, 0, 1, "relative")
    with torch.no_grad():
        x, v = trainer.model(batch.x, batch.v, batch.q, trainer.task.train_sets[0].horizon)
        expected = ((x - batch.x_target) ** 2).mean() + 0.5 * ((v - batch.v_target) ** 2).mean()
        expected = expected / trainer.task.train_sets[0].ballistic
        assert float(trainer.loss(batch)) == pytest.approx(float(expected), rel=1e-5)


def test_saturation_limits_what_one_sample_can_add(data_folder: Path) -> None:
    arrays = tiny_arrays()
    arrays["positions"][:, 1:, 0] += 100 * (np.arange(12) == 3)[:, None, None]  # one hopeless sample
    npz(data_folder / "data.npz", arrays)
    losses = {}
    forms: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "off": lambda e: e,
        "bounded": lambda e: e / (1 + e / 0.05),
        "log": lambda e: 0.05 * torch.log(1 + e / 0.05),
    }
    for form, expected_of in forms.items():
        settings = {} if form == "off" else {"saturation": 0.05, "saturation_form": form}
        chosen = config("integrator", velocity_weight=0.5, batch_size=11, **settings)
        trainer = Trainer(chosen, data_folder / "run", "cpu", "")
        trainer.start_stage(0)
        (batch,) = batches(trainer.task.train_sets, 11, 0, 1, "mse")
        with torch.no_grad():
            x, v = trainer.model(batch.x, batch.v, batch.q, trainer.task.train_sets[0].horizon, batch.m)
            errors = ((x - batch.x_target) ** 2).mean((1, 2)) + 0.5 * ((v - batch.v_target) ** 2).mean((1, 2))
            losses[form] = float(trainer.loss(batch))
        assert losses[form] == pytest.approx(float(expected_of(errors).mean()), rel=1e-5)
    assert losses["bounded"] < 0.05 < losses["log"] < 1 < losses["off"]


def test_masses_reach_the_models_that_use_them(data_folder: Path) -> None:
    """Heavy particles hardly move: only with the masses of the batch is that the loss."""
    npz(data_folder / "data.npz", {**tiny_arrays(), "masses": np.random.default_rng(1).uniform(0.2, 5.0, (12, 3))})
    trainer = Trainer(config("integrator"), data_folder / "run", "cpu", "")
    trainer.start_stage(0)
    with torch.no_grad():
        for p in trainer.model.law.phi[-1].parameters():
            p.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
        (batch, *_) = batches(trainer.task.train_sets, 4, 0, 1, "mse")
        assert float(batch.m.min()) != 1
        x, _ = trainer.model(batch.x, batch.v, batch.q, trainer.task.train_sets[0].horizon, batch.m)
        blind, _ = trainer.model(batch.x, batch.v, batch.q, trainer.task.train_sets[0].horizon)
        found = float(trainer.loss(batch))
    assert found == pytest.approx(float((x - batch.x_target).square().mean()), rel=1e-5)
    assert abs(found - float((blind - batch.x_target).square().mean())) > 1e-3 * found
