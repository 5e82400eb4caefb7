"""Several seeds as one run: each has the numbers of its own run, and ends or goes on as if it were one."""

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.tasks.base import Validation
from surrogate.tasks.dynamics.batches import batches
from surrogate.train import main
from surrogate.training import loop as fit_module
from surrogate.training import state as trainer_module
from surrogate.training import whole_epoch_loop as epoch_fit
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import Config
from surrogate.training.divergence import DivergedError
from surrogate.training.stacked import NotStackedError, train_stacked, wants_stack
from surrogate.training.state import Trainer
from tests.surrogate.helpers import command, npz, tiny_arrays, tree
from tests.surrogate.training.test_whole_epochs import CLOSE, bad_at, config, furthest, run, stopping_after

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*its end alone trains")

SEEDS = (5, 6, 7)
NOT_STACKED = {"integrator"}
"""Its rounds are Numba kernels."""


def stack(out: str, seeds: tuple[int, ...] = SEEDS, **settings: Any) -> list[DivergedError | None]:
    configs = [config(seed=seed, **settings) for seed in seeds]
    return train_stacked(configs, folders(out, seeds), device="cpu", command="the command", quiet=True)


def folders(out: str, seeds: tuple[int, ...] = SEEDS) -> list[Path]:
    return [Path(out, f"seed={seed}") for seed in seeds]


def kept(out: str | Path) -> dict[str, bytes]:
    """All files but those with seconds."""
    return {name: data for name, data in tree(Path(out)).items() if not name.endswith("run.json")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz", tiny_arrays(28))
    return tmp_path


@pytest.mark.parametrize("name", [name for name in MODELS if name not in NOT_STACKED])
def test_each_seed_has_the_numbers_of_its_own_run(name: str, folder: Path) -> None:
    assert stack("all", name=name) == [None] * 3
    for seed, out in zip(SEEDS, folders("all"), strict=True):
        assert furthest(run(f"alone-{seed}", config(name, seed=seed)), out) < CLOSE
    assert furthest(*folders("all")[:2]) > 1e-4


@pytest.mark.parametrize(
    "settings",
    [
        {"model": {"velocity_head": True}, "velocity_epochs": 3, "ema": 0.9},
        {"data": {"windows": "all"}, "saturation": 0.1, "clip": 0.1},
        {"data": {"paths": ["data.npz", "flat.npz"]}, "loss": "relative", "weight_decay": 0.1, "lr": 1e-3},
        {"name": "egnn-recurrent", "velocity_weight": 0.5},
    ],
    ids=["velocity-head", "windows", "mixed", "velocities"],
)
def test_each_seed_has_the_numbers_of_its_own_run_in_every_setting(settings: dict[str, Any], folder: Path) -> None:
    npz(folder / "flat.npz", tiny_arrays(33, n=2, seed=1))
    stack("all", **settings)
    for seed, out in zip(SEEDS, folders("all"), strict=True):
        assert furthest(run(f"alone-{seed}", config(seed=seed, **settings)), out) < CLOSE


def test_the_orders_of_the_data_are_those_of_single_runs(folder: Path) -> None:
    trainers = [Trainer(config(seed=seed), folder / "x", "cpu", "") for seed in SEEDS]
    for trainer in trainers:
        trainer.start_stage(0)
    data = trainers[0].task.device_batches(list(SEEDS))
    fields = data.gathered(data.order(3), 0, 5)
    for index, seed in enumerate(SEEDS):
        for step, batch in enumerate(batches(trainers[0].task.train_sets, 5, seed, 3, "mse")):
            alone = (batch.x, batch.v, batch.q, batch.m, batch.x_target, batch.v_target)
            assert all(torch.equal(field[step, index], one) for field, one in zip(fields, alone, strict=True))


# Bad losses


def diverging(seed: int, patch: pytest.MonkeyPatch) -> None:
    """One seed's weights are not finite from its beginning."""
    inner = trainer_module.built_model

    def built(chosen: Config) -> Any:
        model = inner(chosen)
        if chosen.train.seed == seed:
            with torch.no_grad():
                next(model.parameters()).fill_(math.nan)
        return model

    patch.setattr(trainer_module, "built_model", built)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_seed_that_diverges_ends_alone(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"model": {"velocity_head": True}, "velocity_epochs": 2}
    stack("whole", **settings)
    diverging(seed, monkeypatch)
    found = stack("all", **settings)
    assert [error is not None for error in found] == [one == seed for one in SEEDS]
    said = str(next(error for error in found if error))
    assert "the loss is not finite in epoch 1, batch 3, for the third time" in said
    for one, out in zip(SEEDS, folders("all"), strict=True):
        if one == seed:
            assert not (out / "best").exists()
        else:
            assert furthest(Path("whole", out.name), out) == 0.0
    before = kept("all")
    assert [str(error) for error in stack("all", **settings) if error] == [said]  # resumed: it stays ended
    assert kept("all") == before


def test_all_seeds_may_diverge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_at({(0, 3): math.nan, (1, 0): math.inf, (2, 4): math.nan}, monkeypatch)
    found = stack("all")
    assert all("in epoch 3, batch 5, for the third time" in str(error) for error in found)
    assert read_checkpoint(folders("all")[0] / "latest").info["progress"]["epoch"] == 2


def test_a_validation_that_is_not_finite_ends_its_seed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Trainer.validation

    def validation(self: Trainer) -> Validation:
        bad = self.config.train.seed == 6 and self.progress.epoch == 4
        return Validation(math.nan) if bad else inner(self)

    monkeypatch.setattr(Trainer, "validation", validation)
    found = stack("all", epochs=6)
    assert "the validation error is not finite in epoch 4" in str(found[1])
    assert found[0] is found[2] is None
    assert read_checkpoint(folders("all")[1] / "latest").info["progress"]["epoch"] == 2


# Stopping and going on


def test_a_stack_that_was_stopped_goes_on_to_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_at({(2, 0): math.nan}, monkeypatch)
    settings = {"model": {"velocity_head": True}, "velocity_epochs": 2, "ema": 0.9, "validate_every": 3}
    stack("all", **settings)
    expected = kept("all")
    for count in (2, 5):
        shutil.rmtree("all")
        with monkeypatch.context() as patch:
            stopping_after(count, patch)
            with pytest.raises(KeyboardInterrupt, match="all keeps its state"):
                stack("all", **settings)
        stack("all", **settings)
        assert kept("all") == expected


class Killed(BaseException):
    """Stands for SIGKILL where nothing is cleaned up that matters."""


def test_seeds_left_at_different_epochs_go_back_to_one_that_all_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"model": {"velocity_head": True}, "velocity_epochs": 2, "ema": 0.9, "validate_every": 1}
    stack("all", **settings)
    expected = kept("all")
    inner, count, die_at = fit_module.save_restart_point, 0, 0

    def save(*arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == die_at:
            raise Killed
        inner(*arguments)

    monkeypatch.setattr(fit_module, "save_restart_point", save)
    for moment in (2, 6, 14, 18, 20):  # 12 of the positions, 6 of the change of stage
        shutil.rmtree("all")
        count, die_at = 0, moment
        with pytest.raises(Killed):
            stack("all", **settings)
        die_at = 0
        stack("all", **settings)
        assert kept("all") == expected, moment


def test_seeds_begun_one_by_one_are_left_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("all/seed=5", config(seed=5, captured="always"))
    with pytest.raises(NotStackedError, match="begun one by one"):
        stack("all", captured="always")
    for seed in (6, 7):
        with monkeypatch.context() as patch:
            stopping_after(2, patch)
            with pytest.raises(KeyboardInterrupt):
                run(f"all/seed={seed}", config(seed=seed, captured="always"))
    before = kept("all")
    with pytest.raises(NotStackedError, match="stand at different epochs"):
        stack("all", captured="always")
    assert kept("all") == before
    shutil.rmtree("all/seed=6/latest")
    (Path("all/seed=6/previous")).mkdir(exist_ok=True)
    Path("all/seed=6/previous/checkpoint.safetensors").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"seed=6/previous"):
        stack("all")


def test_a_damaged_restart_point_is_named_and_the_one_before_taken(folder: Path) -> None:
    stack("all")
    expected = kept("all")
    Path("all/seed=6/latest/checkpoint.safetensors").write_bytes(b"torn")
    with pytest.warns(UserWarning, match=r"seed=6/latest.*not used"):
        stack("all")
    assert kept("all") == expected


def test_other_settings_are_refused_as_of_single_runs(folder: Path) -> None:
    stack("all")
    with pytest.raises(InputError, match=r"cannot --resume: the configuration changed: train.lr"):
        stack("all", lr=2e-2)


# Which runs are stacked


def test_the_setting_chooses() -> None:
    assert not wants_stack(config(), "cpu")
    assert wants_stack(config(), "cuda")
    assert wants_stack(config(stacked="always"), "cpu")
    assert not wants_stack(config(stacked="never"), "cuda")
    with pytest.raises(InputError, match=r"train.stacked must be auto, always or never"):
        config(stacked="yes")
    with pytest.raises(InputError, match=r"train.captured must be auto, always or never"):
        config(captured="yes")


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"name": "integrator"}, "model 'integrator' cannot be stacked"), ({"patience": 3}, "train.patience ends")],
)
def test_what_cannot_be_stacked_says_why_and_leaves_nothing(
    settings: dict[str, Any], said: str, folder: Path
) -> None:
    with pytest.raises(NotStackedError, match=said):
        stack("all", **settings)
    assert not any(path.is_file() for path in Path("all").rglob("*"))


TOML = (
    '[model]\nname = "linear"\n[train]\nepochs = 4\nbatch_size = 4\nvalidate_every = 2\nlr = 1e-2\nthreads = 1\n'
)
ARGUMENTS = ["--config", "tiny.toml", "--data", "data.npz", "--device", "cpu", "--out"]
STACKED = ["--set", "train.seeds=3", "train.seed=5", "train.stacked=always"]


def test_the_command_stacks_the_seeds_of_every_point_of_a_sweep(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tiny.toml").write_text(TOML, encoding="utf-8")
    sweep = ["--sweep", "train.lr=1e-3,1e-2"]
    status, _, err = command(main, capsys, *ARGUMENTS, "all", *STACKED, *sweep)
    assert status == 0, err
    assert err.count("3 seeds as one run: ") == 2
    assert command(main, capsys, *ARGUMENTS, "one", *STACKED[:-1], "train.stacked=never", *sweep)[0] == 0
    tables = []
    for name in ("all", "one"):
        with Path(name, "table.csv").open(encoding="utf-8", newline="") as stream:
            tables.append([(row["run"], row["best_epoch"], float(row["valid"])) for row in csv.DictReader(stream)])
    for ours, alone in zip(*tables, strict=True):
        assert ours[:2] == alone[:2]
        assert ours[2] == pytest.approx(alone[2], rel=1e-5)
    before = {name: data for name, data in kept("all").items() if not name.startswith("table")}
    with monkeypatch.context() as patch:
        stopping_after(6, patch)
        status, _, err = command(main, capsys, *ARGUMENTS, "all", *STACKED, *sweep, "--overwrite")
    assert status == 130
    assert "all keeps its state (positions, after epoch 2 of 4); go on with:" in err
    assert command(main, capsys, *ARGUMENTS, "all", *STACKED, *sweep, "--resume")[0] == 0
    assert {name: data for name, data in kept("all").items() if not name.startswith("table")} == before


def test_the_command_says_why_seeds_are_trained_one_after_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tiny.toml").write_text(TOML, encoding="utf-8")
    status, _, err = command(main, capsys, *ARGUMENTS, "all", *STACKED, "train.patience=9")
    assert status == 0, err
    lines = [line for line in err.splitlines() if "after another" in line]
    assert lines == [
        "train.stacked: the seeds train one after another: train.patience ends each run at an epoch of its own"
    ]
    assert "run 3 of 3: seed=7" in err


def test_a_diverged_seed_is_a_row_of_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tiny.toml").write_text(TOML, encoding="utf-8")
    diverging(6, monkeypatch)
    status, out, err = command(main, capsys, *ARGUMENTS, "all", *STACKED)
    assert status == 0, err
    assert "| 3 | diverged | - |" in out
    notes = [line for line in err.splitlines() if line.startswith("warning: seed=6: the loss is not finite")]
    assert len(notes) == 2
    assert read_checkpoint("all/best").digest in {
        read_checkpoint(out / "best").digest for out in folders("all") if (out / "best").exists()
    }


def test_times_between_validations_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_fit, "SAVE_EVERY_SECONDS", -1.0)
    saved = []
    inner = epoch_fit.save_between
    monkeypatch.setattr(epoch_fit, "save_between", lambda *a: (saved.append(a[0].progress.epoch), inner(*a)))
    stack("all", epochs=4, validate_every=4)
    assert saved == [1] * 3 + [2] * 3 + [3] * 3
