"""Training in this process: that learning happens, what a run leaves, and the data and states it refuses."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate.inference.loading import load
from surrogate.models import MODELS
from surrogate.tasks.dynamics.task import Dynamics
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.state import Trainer
from tests.surrogate.helpers import npz, tiny_arrays, tree
from tests.surrogate.small_runs import kept
from tests.surrogate.tiny_runs import config, run

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*its end alone trains")


def test_the_layout_of_a_run(data_folder: Path) -> None:
    chosen = config(velocity_head=True, velocity_epochs=4)
    out = run(chosen)
    assert set(tree(out)) == {
        "config.toml",
        "metrics.csv",
        "run.json",
        "best",
        "latest",
        "previous",
        "best/checkpoint.safetensors",
        "latest/checkpoint.safetensors",
        "previous/checkpoint.safetensors",
    }
    assert (out / "config.toml").read_text(encoding="utf-8") == chosen.to_toml()
    lines = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "stage,epoch,step,lr,loss,valid,valid_mse,valid_relative"
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["positions", "2", "4"],
        ["positions", "4", "8"],
        ["velocities", "2", "4"],
        ["velocities", "4", "8"],
    ]
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert facts["command"] == "the command"
    assert facts["threads"] == 1
    card = load(out).card
    assert {"valid_mse_positions", "valid_mse_velocities", "position_steps", "position_best_epoch"} <= set(card)
    assert card["command"] == "the command"
    assert (card["dims"], card["particles"], card["train_samples"]) == ([3], [3], [11])


def test_the_best_epoch_is_kept_not_the_last(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = run(config(epochs=6, validate_every=1, lr=0.4, schedule="constant", clip=0.0))
    rows = [line.split(",") for line in (out / "metrics.csv").read_text(encoding="utf-8").splitlines()[1:]]
    valid = [float(row[5]) for row in rows]
    best = int(np.argmin(valid))
    card = load(out).card
    assert card["best_epoch"] == best + 1
    assert card["valid_mse_positions"] == valid[best]
    assert best < len(valid) - 1, "choose a rate that diverges, or this test sees nothing"


def test_the_velocity_stage_leaves_the_positions_bit_equal(data_folder: Path) -> None:
    alone = read_checkpoint(run(config(velocity_head=True), "alone") / "best").tensors
    both = read_checkpoint(run(config(velocity_head=True, velocity_epochs=4), "both") / "best").tensors
    changed = {name for name in alone if not torch.equal(alone[name], both[name])}
    assert changed
    assert all(name.startswith("velocity_head.") for name in changed)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_trains_and_learns(name: str, data_folder: Path) -> None:
    npz(data_folder / "data.npz", tiny_arrays(40, n=3))
    out = run(config(name, epochs=20, validate_every=5, batch_size=10))
    valid = [float(line.split(",")[5]) for line in (out / "metrics.csv").read_text().splitlines()[1:]]
    assert min(valid) < valid[0]
    assert load(out).card["valid_mse_positions"] == min(valid)


def test_patience_ends_a_stage_early(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([3.0, 2.0, 2.5, 2.1, 2.2, 1.0])
    monkeypatch.setattr(Dynamics, "validation_errors", lambda self, model, stage: [next(errors)])
    out = run(config(epochs=12, validate_every=2, patience=6))
    rows = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [int(row.split(",")[1]) for row in rows] == [2, 4, 6, 8, 10]
    assert load(out).card["best_epoch"] == 4
    before = kept(out)
    assert kept(run(config(epochs=12, validate_every=2, patience=6), resume=True)) == before


@pytest.mark.parametrize(
    ("settings", "computing"),
    [
        ({}, "fused float32 kernels"),
        ({"dtype": "float64"}, "PyTorch: float64 on cpu"),
        ({"amp": True}, "PyTorch: products in bfloat16"),
        ({"name": "integrator"}, "Numba rounds"),
        ({"name": "segno"}, "PyTorch"),
    ],
)
def test_a_stage_knows_what_makes_its_steps(settings: dict[str, Any], computing: str, data_folder: Path) -> None:
    trainer = Trainer(config(**settings), Path("run"), "cpu", "the command")
    trainer.start_stage(0)
    assert trainer.accelerated.description == computing


def test_double_precision_on_request(data_folder: Path) -> None:
    out = run(config(dtype="float64"))
    point = read_checkpoint(out / "latest").tensors
    assert {t.dtype for name, t in point.items() if name.startswith(("model.", "average."))} == {torch.float64}
    single = run(config(), "single")
    one, two = (float((o / "metrics.csv").read_text().split(",")[-1]) for o in (out, single))
    assert one == pytest.approx(two, rel=1e-4)
    assert one != two
    assert load(out).forecast(np.eye(3), np.zeros((3, 3)), np.ones(3), 0.5).positions.shape == (3, 3)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n", [2, 4, 5])
def test_every_model_trains_in_the_dimensions_that_its_row_names(name: str, n: int, tmp_path: Path) -> None:
    row, data = MODELS[name], npz(tmp_path / "data.npz", tiny_arrays(n=n, particles=4))
    changed = config(name, (str(data),), epochs=2, **({"dims": n} if row.dims == "config" else {}))
    if row.dims in ("any", "config"):
        assert (run(changed, tmp_path / "run") / "best").is_dir()
        return
    with pytest.raises(InputError, match=f"model {name!r} is for n = {row.dims}"):
        run(changed, tmp_path / "run")


@pytest.mark.parametrize("name", MODELS)
def test_mixed_precision_on_request(name: str, data_folder: Path) -> None:
    out, plain = run(config(name, amp=True)), run(config(name), "plain")
    point = read_checkpoint(out / "latest").tensors
    assert {t.dtype for key, t in point.items() if key.startswith(("model.", "average."))} == {torch.float32}
    one, two = (float((o / "metrics.csv").read_text().split(",")[-1]) for o in (out, plain))
    assert one == pytest.approx(two, rel=0.2)
    if name == "egnn":
        assert one != two
        before = kept(out)
        assert kept(run(config(name, amp=True), resume=True)) == before
    with pytest.raises(InputError, match=r"train.amp needs train.dtype float32"):
        config(name, amp=True, dtype="float64")


def test_training_goes_on_uncompiled_and_says_why(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate.training.compiled.compiler", lambda: None)
    plain = kept(run(config(epochs=2), data_folder / "plain"))
    with pytest.warns(UserWarning, match=r"train.compile: not compiled: torch.compile needs a C\+\+ compiler"):
        asked = kept(run(config(epochs=2, compile=True), data_folder / "asked"))
    assert asked["metrics.csv"] == plain["metrics.csv"]


def test_curves_for_tensorboard_need_the_package(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate.training.tensorboard.find_spec", lambda name: None)
    with pytest.raises(InputError, match="--tensorboard: the package tensorboard is not installed"):
        run(config(), tensorboard=True)
    assert not Path("run").exists()


def test_curves_get_every_validation(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr("surrogate.training.run.needs_tensorboard", lambda: None)
    monkeypatch.setattr("surrogate.training.run.event_writer", lambda folder, step: heard.append)
    run(config(), tensorboard=True)
    rows = Path("run/metrics.csv").read_text().splitlines()[1:]
    assert [(row["stage"], str(row["epoch"])) for row in heard] == [tuple(row.split(",")[:2]) for row in rows]


def test_curves_for_tensorboard(data_folder: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(config(), tensorboard=True)
    events = EventAccumulator("run/tensorboard")
    events.Reload()
    rows = [line.split(",") for line in Path("run/metrics.csv").read_text().splitlines()[1:]]
    found = events.Scalars("positions/valid")
    assert [event.step for event in found] == [int(row[2]) for row in rows]
    np.testing.assert_allclose([event.value for event in found], [float(row[5]) for row in rows], rtol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "settings", "said"),
    [
        (tiny_arrays(particles=1), {}, "systems of one particle; models need at least 2"),
        (
            tiny_arrays(samples=1, frames=3),
            {},
            "one sample of 3 frames has 2 windows of 0.5: too few to train on some",
        ),
        (tiny_arrays(frames=1), {}, "window 0 -> 1 does not fit frames 0 to 0"),
        (
            {**tiny_arrays(), "masses": np.tile([2.0, 2, 1], (12, 1))},
            {},
            "is for equal masses; the data has others",
        ),
        ({**tiny_arrays(), "charges": np.tile([1.0, 1, 1e60], (12, 1))}, {}, "too large for torch.float32"),
        ({**tiny_arrays(), "velocities": np.full((12, 4, 3, 3), 1e300)}, {}, "too large for torch.float32"),
        (tiny_arrays(), {"velocity_weight": 0.5}, "model 'egnn' gives no velocity with its positions"),
    ],
)
def test_data_that_do_not_fit(
    arrays: dict[str, Any], settings: dict[str, Any], said: str, data_folder: Path
) -> None:
    npz(data_folder / "data.npz", arrays)
    with pytest.raises(InputError) as caught:
        run(config(**settings))
    assert said in str(caught.value)
    assert not Path("run").exists()


def test_a_gnn_is_for_one_dimension(data_folder: Path) -> None:
    npz(data_folder / "data.npz", tiny_arrays(n=2))
    with pytest.raises(InputError, match=r"model 'gnn' is for n = 3 .model.dims.; the data has n = 2"):
        run(config("gnn"))
    run(config("gnn", dims=2))


def test_mixed_data_must_agree(data_folder: Path) -> None:
    npz(data_folder / "more.npz", tiny_arrays(particles=4))
    npz(data_folder / "slow.npz", tiny_arrays(spacing=0.25))
    for other in ("more.npz", "slow.npz"):
        with pytest.raises(InputError, match="must agree in horizon and particles"):
            run(config(data=("data.npz", other)))


def test_mixed_dimensions_train_together(data_folder: Path) -> None:
    npz(data_folder / "flat.npz", tiny_arrays(n=2))
    out = run(config(data=("data.npz", "flat.npz"), loss="relative", windows="all"))
    assert (
        (out / "metrics.csv")
        .read_text()
        .splitlines()[0]
        .endswith("valid,valid_0,valid_1,valid_mse,valid_relative")
    )
    assert load(out).card["dims"] == [2, 3]


def test_a_diverging_run_says_so_and_keeps_its_last_state(data_folder: Path) -> None:
    chosen = config(epochs=8, batch_size=3)
    with pytest.MonkeyPatch.context() as patch:
        whole = Trainer.loss
        patch.setattr(
            Trainer, "loss", lambda self, batch: whole(self, batch) * (math.inf if self.progress.epoch > 2 else 1)
        )
        with pytest.raises(
            InputError, match=r"the loss is not finite in epoch 4, batch 3, for the third time .* is kept"
        ):
            run(chosen)
    assert read_checkpoint("run/latest").info["progress"]["epoch"] == 2
    assert load("run").card["best_epoch"] == 2


def test_a_validation_that_is_not_finite_says_so(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dynamics, "validation_errors", lambda self, model, stage: [math.nan])
    with pytest.raises(InputError, match="the validation error is not finite in epoch 2"):
        run(config())
    assert not Path("run/best").exists()
