"""Training in this process: what is kept at every write, what is refused, and that learning happens."""

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate import checkpoint as checkpoint_module
from surrogate import fit as fit_module
from surrogate.checkpoint import read_checkpoint
from surrogate.config import Config, config_from_tree, shipped_configs
from surrogate.data import batches
from surrogate.loading import load
from surrogate.models import MODELS
from surrogate.progress import TrainingProgress
from surrogate.run import train
from surrogate.train import main
from surrogate.trainer import Trainer
from tests.surrogate.helpers import TINY, command, npz, refused, tiny_arrays, tree

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


def config(name: str = "egnn", data: tuple[str, ...] = ("data.npz",), **settings: Any) -> Config:
    short = {"epochs": 4, "batch_size": 4, "validate_every": 2, "threads": 1, "lr": 1e-2}
    model = {key: value for key, value in settings.items() if key in MODELS[name].Config.__dataclass_fields__}
    section = {key: value for key, value in settings.items() if key not in model and key != "windows"}
    return config_from_tree(
        {
            "model": {"name": name, **TINY[name], **model},
            "data": {"paths": list(data), "windows": settings.get("windows", "task")},
            "train": {**short, **section},
        },
        "test",
    )


def run(chosen: Config, out: Path | str = "run", resume: bool = False, **more: Any) -> Path:
    train(chosen, Path(out), resume=resume, device="cpu", command="the command", quiet=True, **more)
    return Path(out)


def kept(out: Path) -> dict[str, bytes]:
    """What must not depend on interruptions: all files but run.json, which holds seconds."""
    return {name: data for name, data in tree(out).items() if name != "run.json"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz")
    return tmp_path


# What a run leaves


def test_the_layout_of_a_run(folder: Path) -> None:
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
    assert lines[0] == "stage,epoch,step,lr,loss,valid"
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


def test_the_best_epoch_is_kept_not_the_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = run(config(epochs=6, validate_every=1, lr=0.4, schedule="constant", clip=0.0))
    rows = [line.split(",") for line in (out / "metrics.csv").read_text(encoding="utf-8").splitlines()[1:]]
    valid = [float(row[-1]) for row in rows]
    best = int(np.argmin(valid))
    card = load(out).card
    assert card["best_epoch"] == best + 1
    assert card["valid_mse_positions"] == valid[best]
    assert best < len(valid) - 1, "choose a rate that diverges, or this test sees nothing"


def test_the_velocity_stage_leaves_the_positions_bit_equal(folder: Path) -> None:
    alone = read_checkpoint(run(config(velocity_head=True), "alone") / "best").tensors
    both = read_checkpoint(run(config(velocity_head=True, velocity_epochs=4), "both") / "best").tensors
    changed = {name for name in alone if not torch.equal(alone[name], both[name])}
    assert changed
    assert all(name.startswith("velocity_head.") for name in changed)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_trains_and_learns(name: str, folder: Path) -> None:
    npz(folder / "data.npz", tiny_arrays(40, n=3))
    out = run(config(name, epochs=20, validate_every=5, batch_size=10))
    valid = [float(line.split(",")[-1]) for line in (out / "metrics.csv").read_text().splitlines()[1:]]
    assert min(valid) < valid[0]
    assert load(out).card["valid_mse_positions"] == min(valid)


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_the_schedule(schedule: str, folder: Path) -> None:
    trainer = Trainer(config(epochs=50, schedule=schedule, warmup=0.2), folder / "run", "cpu", "")
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


def test_the_loss_of_both_kinds_and_of_velocities(folder: Path) -> None:
    trainer = Trainer(config("egnn-recurrent", velocity_weight=0.5), folder / "run", "cpu", "")
    trainer.start_stage(0)
    (batch, *_) = batches(trainer.train_sets, 4, 0, 1, "relative")
    with torch.no_grad():
        x, v = trainer.model(batch.x, batch.v, batch.q, trainer.train_sets[0].horizon)
        expected = ((x - batch.x_target) ** 2).mean() + 0.5 * ((v - batch.v_target) ** 2).mean()
        expected = expected / trainer.train_sets[0].ballistic
        assert float(trainer.loss(batch)) == pytest.approx(float(expected), rel=1e-5)


def test_saturation_limits_what_one_sample_can_add(folder: Path) -> None:
    arrays = tiny_arrays()
    arrays["positions"][:, 1:, 0] += 100 * (np.arange(12) == 3)[:, None, None]  # one hopeless sample
    npz(folder / "data.npz", arrays)
    losses = {}
    forms: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "off": lambda e: e,
        "bounded": lambda e: e / (1 + e / 0.05),
        "log": lambda e: 0.05 * torch.log(1 + e / 0.05),
    }
    for form, expected_of in forms.items():
        settings = {} if form == "off" else {"saturation": 0.05, "saturation_form": form}
        chosen = config("integrator", velocity_weight=0.5, batch_size=11, **settings)
        trainer = Trainer(chosen, folder / "run", "cpu", "")
        trainer.start_stage(0)
        (batch,) = batches(trainer.train_sets, 11, 0, 1, "mse")
        with torch.no_grad():
            x, v = trainer.model(batch.x, batch.v, batch.q, trainer.train_sets[0].horizon, batch.m)
            errors = ((x - batch.x_target) ** 2).mean((1, 2)) + 0.5 * ((v - batch.v_target) ** 2).mean((1, 2))
            losses[form] = float(trainer.loss(batch))
        assert losses[form] == pytest.approx(float(expected_of(errors).mean()), rel=1e-5)
    assert losses["bounded"] < 0.05 < losses["log"] < 1 < losses["off"]


def test_masses_reach_the_models_that_use_them(folder: Path) -> None:
    """Heavy particles hardly move: only with the masses of the batch is that the loss."""
    npz(folder / "data.npz", {**tiny_arrays(), "masses": np.random.default_rng(1).uniform(0.2, 5.0, (12, 3))})
    trainer = Trainer(config("integrator"), folder / "run", "cpu", "")
    trainer.start_stage(0)
    with torch.no_grad():
        for p in trainer.model.law.phi[-1].parameters():
            p.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
        (batch, *_) = batches(trainer.train_sets, 4, 0, 1, "mse")
        assert float(batch.m.min()) != 1
        x, _ = trainer.model(batch.x, batch.v, batch.q, trainer.train_sets[0].horizon, batch.m)
        blind, _ = trainer.model(batch.x, batch.v, batch.q, trainer.train_sets[0].horizon)
        found = float(trainer.loss(batch))
    assert found == pytest.approx(float((x - batch.x_target).square().mean()), rel=1e-5)
    assert abs(found - float((blind - batch.x_target).square().mean())) > 1e-3 * found


def test_patience_ends_a_stage_early(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([3.0, 2.0, 2.5, 2.1, 2.2, 1.0])
    monkeypatch.setattr(Trainer, "validation_errors", lambda self: [next(errors)])
    out = run(config(epochs=12, validate_every=2, patience=6))
    rows = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [int(row.split(",")[1]) for row in rows] == [2, 4, 6, 8, 10]
    assert load(out).card["best_epoch"] == 4
    before = kept(out)
    assert kept(run(config(epochs=12, validate_every=2, patience=6), resume=True)) == before


def test_double_precision_on_request(folder: Path) -> None:
    out = run(config(dtype="float64"))
    point = read_checkpoint(out / "latest").tensors
    assert {t.dtype for name, t in point.items() if name.startswith(("model.", "average."))} == {torch.float64}
    single = run(config(), "single")
    one, two = (float((o / "metrics.csv").read_text().split(",")[-1]) for o in (out, single))
    assert one == pytest.approx(two, rel=1e-4)
    assert one != two
    assert load(out).forecast(np.eye(3), np.zeros((3, 3)), np.ones(3), 0.5).positions.shape == (3, 3)


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_killed_at_its_first_file_begins_anew(folder: Path, resume: bool) -> None:
    Path("run").mkdir()
    (Path("run") / ".config-abc.part.toml").write_text("half")
    out = run(config(epochs=2), resume=resume)
    assert (out / "best").is_dir()
    assert not list(out.rglob(".*.part*"))


@pytest.mark.parametrize("name", MODELS)
def test_mixed_precision_on_request(name: str, folder: Path) -> None:
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


def test_training_goes_on_uncompiled_and_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate.compiled.compiler", lambda: None)
    plain = kept(run(config(epochs=2), folder / "plain"))
    with pytest.warns(UserWarning, match=r"train.compile: not compiled: torch.compile needs a C\+\+ compiler"):
        asked = kept(run(config(epochs=2, compile=True), folder / "asked"))
    assert asked["metrics.csv"] == plain["metrics.csv"]


def test_curves_for_tensorboard_need_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate.board.find_spec", lambda name: None)
    with pytest.raises(InputError, match="--tensorboard: the package tensorboard is not installed"):
        run(config(), board=True)
    assert not Path("run").exists()


def test_curves_for_tensorboard(folder: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(config(), board=True)
    events = EventAccumulator("run/tensorboard")
    events.Reload()
    rows = [line.split(",") for line in Path("run/metrics.csv").read_text().splitlines()[1:]]
    found = events.Scalars("positions/valid")
    assert [event.step for event in found] == [int(row[2]) for row in rows]
    np.testing.assert_allclose([event.value for event in found], [float(row[5]) for row in rows], rtol=1e-6)


# Interruption: at every write there is


def writes_of(monkeypatch: pytest.MonkeyPatch, stop_at: int) -> list[str]:
    """Raise KeyboardInterrupt just before the n-th file of a run is renamed into place; -1 only counts."""
    made: list[str] = []
    whole = Path.replace

    def replace(self: Path, target: Path) -> Any:
        made.append(f"{Path(target).parent.name}/{Path(target).name}")
        if len(made) == stop_at:
            raise KeyboardInterrupt
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return made


def stopped(chosen: Config, out: Path | str, stop_at: int) -> list[str]:
    """Run, and stop before the n-th write."""
    with pytest.MonkeyPatch.context() as patch:
        names = writes_of(patch, stop_at)
        with pytest.raises(KeyboardInterrupt):
            run(chosen, out)
    return names


def test_interrupted_before_any_write_a_run_ends_with_the_same_bytes(folder: Path) -> None:
    chosen = config(velocity_head=True, velocity_epochs=4, ema=0.9)
    with pytest.MonkeyPatch.context() as patch:
        names = writes_of(patch, -1)
        expected = kept(run(chosen, "whole"))
    count = len(names)
    assert names.count("latest/checkpoint.safetensors") == 6  # four validations, the start of stage two twice
    assert names.count("previous/checkpoint.safetensors") == 5
    for stop_at in range(1, count):  # the last write is run.json, at the very end
        out = Path(f"stopped-{stop_at}")
        stopped(chosen, out, stop_at)
        resume = (out / "config.toml").is_file()
        assert kept(run(chosen, out, resume=resume)) == expected, (
            f"stopped before {names[stop_at - 1]} ({stop_at})"
        )


SATURATED = {"saturation": 0.05, "velocity_weight": 0.2, "ema": 0.9, "windows": "all"}
LOGARITHMIC = SATURATED | {"saturation_form": "log"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [("egnn", {}), ("integrator", SATURATED), ("integrator", LOGARITHMIC)],
    ids=["egnn", "integrator", "integrator-log"],
)
def test_a_run_interrupted_twice_in_an_epoch(name: str, settings: dict[str, Any], folder: Path) -> None:
    chosen = config(name, epochs=6, **settings)
    expected = kept(run(chosen, "whole"))
    inner = fit_module.train_epoch
    for epochs in (3, 5):

        def stop(trainer: Trainer, report: TrainingProgress, epochs: int = epochs) -> float:
            loss = inner(trainer, report)
            if trainer.progress.epoch == epochs:
                raise KeyboardInterrupt
            return loss

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fit_module, "train_epoch", stop)
            with pytest.raises(KeyboardInterrupt):
                run(chosen, "run", resume=epochs > 3)
    assert kept(run(chosen, "run", resume=True)) == expected


def test_does_it_bite_a_run_that_forgets_its_optimiser_differs(folder: Path) -> None:
    chosen = config()
    expected = kept(run(chosen, "whole"))
    stopped(chosen, "run", 5)  # in the second validation
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "load_state_dict", lambda self, state: None)
        assert kept(run(chosen, "run", resume=True)) != expected


def test_resuming_a_finished_run_changes_nothing(folder: Path) -> None:
    chosen = config(velocity_head=True, velocity_epochs=2)
    expected = kept(run(chosen))
    assert kept(run(chosen, resume=True)) == expected


def test_what_a_killed_run_was_writing_is_cleared(folder: Path) -> None:
    chosen = config()
    expected = kept(run(chosen))
    torn = [Path("run/best/.checkpoint-abc.part.safetensors"), Path("run/.metrics-abc.part.csv")]
    for path in torn:
        path.write_bytes(b"half")
    assert kept(run(chosen, resume=True)) == expected


def test_the_command_of_a_resumed_run_is_the_first_one(folder: Path) -> None:
    chosen = config()
    stopped(chosen, "run", 5)  # in the second validation
    train(chosen, Path("run"), resume=True, device="cpu", command="another", quiet=True)
    assert load("run").card["command"] == "the command"


# Refused resumption


def test_a_changed_configuration_is_named(folder: Path) -> None:
    run(config())
    before = kept(Path("run"))
    for changed, said in (
        (config(lr=2e-2, epochs=5), "the configuration changed: train.epochs train.lr"),
        (config(layers=1), "the configuration changed: model.layers"),
        (config(data=("./data.npz",)), "the configuration changed: data.paths"),
    ):
        with pytest.raises(InputError) as caught:
            run(changed, resume=True)
        assert said in str(caught.value)
        assert kept(Path("run")) == before


@pytest.mark.parametrize("what", ["positions", "velocities", "charges", "order", "valid", "count"])
def test_changed_data_are_noticed(what: str, folder: Path) -> None:
    run(config())
    arrays = tiny_arrays()
    if what == "order":
        arrays = {k: a if k == "times" else np.concatenate([a[1::-1], a[2:]]) for k, a in arrays.items()}
    elif what == "count":
        arrays = {k: a if k == "times" else a[:-1] for k, a in arrays.items()}
    elif what == "charges":
        arrays["charges"][0] *= -1
    else:
        arrays["positions" if what == "valid" else what][-1 if what == "valid" else 0] *= 1.5
    npz(folder / "data.npz", arrays)
    with pytest.raises(InputError, match="cannot --resume: the data changed"):
        run(config(), resume=True)


def test_restart_points_of_before_the_digest_still_resume(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = config()
    stopped(chosen, "run", 5)  # in the second validation
    stored = read_checkpoint("run/latest")
    for entry in stored.info["data"]:
        del entry["sha256"]
    del stored.info["command"]
    checkpoint_module.save_checkpoint(Path("run/latest"), stored.info, stored.tensors)
    run(chosen, resume=True)


def test_restart_points_of_before_a_key_still_resume_at_its_default(folder: Path) -> None:
    chosen = config("integrator")
    expected = kept(run(chosen, "whole"))
    stopped(chosen, "run", 5)  # in the second validation
    stored = read_checkpoint("run/latest")
    del stored.info["config"]["model"]["most_substeps"]
    checkpoint_module.save_checkpoint(Path("run/latest"), stored.info, stored.tensors)
    with pytest.raises(InputError, match=r"changed: model\.most_substeps"):
        run(config("integrator", most_substeps=1), resume=True)
    found = kept(run(chosen, "run", resume=True))
    former = "previous/checkpoint.safetensors"  # the old point itself
    assert found | {former: b""} == expected | {former: b""}


# Refused data and states


@pytest.mark.parametrize(
    ("arrays", "settings", "said"),
    [
        (tiny_arrays(particles=1), {}, "systems of one particle; models need at least 2"),
        (tiny_arrays(samples=1), {}, "1 sample; at least 2 are needed to train and validate"),
        (tiny_arrays(frames=1), {}, "window 0 -> 1 does not fit frames 0 to 0"),
        ({**tiny_arrays(), "masses": np.full((12, 3), 2.0)}, {}, "is for unit masses; the data has others"),
        ({**tiny_arrays(), "charges": np.full((12, 3), 1e60)}, {}, "too large for torch.float32"),
        ({**tiny_arrays(), "velocities": np.full((12, 4, 3, 3), 1e300)}, {}, "too large for torch.float32"),
        ({**tiny_arrays(), "times": np.array([0.0, 0.5, 1.0, 9.0])}, {"windows": "all"}, "equally spaced"),
        (tiny_arrays(), {"velocity_weight": 0.5}, "model 'egnn' gives no velocity with its positions"),
    ],
)
def test_data_that_do_not_fit(arrays: dict[str, Any], settings: dict[str, Any], said: str, folder: Path) -> None:
    npz(folder / "data.npz", arrays)
    with pytest.raises(InputError) as caught:
        run(config(**settings))
    assert said in str(caught.value)
    assert not Path("run").exists()


def test_a_gnn_is_for_one_dimension(folder: Path) -> None:
    npz(folder / "data.npz", tiny_arrays(n=2))
    with pytest.raises(InputError, match=r"model 'gnn' is for n = 3 .model.dims.; the data has n = 2"):
        run(config("gnn"))
    run(config("gnn", dims=2))


def test_mixed_data_must_agree(folder: Path) -> None:
    npz(folder / "more.npz", tiny_arrays(particles=4))
    npz(folder / "slow.npz", tiny_arrays(spacing=0.25))
    for other in ("more.npz", "slow.npz"):
        with pytest.raises(InputError, match="must agree in horizon and particles"):
            run(config(data=("data.npz", other)))


def test_mixed_dimensions_train_together(folder: Path) -> None:
    npz(folder / "flat.npz", tiny_arrays(n=2))
    out = run(config(data=("data.npz", "flat.npz"), loss="relative", windows="all"))
    assert (out / "metrics.csv").read_text().splitlines()[0].endswith("valid,valid_0,valid_1")
    assert load(out).card["dims"] == [2, 3]


def test_a_diverging_run_says_so_and_keeps_its_last_state(folder: Path) -> None:
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


def test_a_validation_that_is_not_finite_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "validation_errors", lambda self: [math.nan])
    with pytest.raises(InputError, match="the validation error is not finite in epoch 2"):
        run(config())
    assert not Path("run/best").exists()


# The command


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        ([], "--config and --out are required"),
        (["--config", "egnn-nbody"], "--config and --out are required"),
        (["--config", "egn", "--out", "r"], "unknown config 'egn'"),
        (["--config", "none.toml", "--out", "r"], "none.toml: no such file"),
        (["--config", "egnn-nbody", "--out", "r"], "no data set: give --data DATA"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "none.npz"], "none.npz: no such data set"),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "nan.npz"],
            "positions must be finite; got nan at index",
        ),
        (["--config", "egnn-nbody", "--out", "r", "--data", "text.npz"], "not a readable .npz"),
        (["--config", "egnn-nbody", "--out", "a/b/r", "--data", "none.npz"], "none.npz: no such data set"),
        (["--config", "egnn-nbody", "--out", "full", "--data", "data.npz"], "full: already exists"),
        (
            ["--config", "egnn-nbody", "--out", "full", "--data", "data.npz", "--resume"],
            "full: cannot --resume: not a run",
        ),
        (["--config", "egnn-nbody", "--out", "full", "--data", "data.npz", "--overwrite"], "not recognised"),
        (["--config", "egnn-nbody", "--out", "full", "--data", "none.npz", "--overwrite"], "no such data set"),
        (["--config", "egnn-nbody", "--out", "r", "--resume", "--overwrite"], "exclude each other"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "train.epoch=3"], "did you mean"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "train.epochs"], "key=value"),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "data.target_frame=9"],
            "window 0 -> 9",
        ),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--device", "tpu"],
            "invalid choice: 'tpu'",
        ),
        (["--config", "gnn-nbody", "--out", "r", "--data", "flat.npz"], "is for n = 3"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    argv: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = tiny_arrays()
    arrays["positions"][3, 0, 0, 0] = np.nan
    npz(folder / "nan.npz", arrays)
    npz(folder / "flat.npz", tiny_arrays(n=2))
    (folder / "text.npz").write_text("not a zip")
    (folder / "full").mkdir()
    (folder / "full" / "letter.txt").write_text("dear")
    before = tree(folder)
    status, out, err = command(main, capsys, *argv)
    assert said in refused(status, err)
    assert out == ""
    assert tree(folder) == before


def test_overwrite_keeps_the_old_run_when_the_data_are_bad(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config())
    before = tree(folder)
    argv = ["--config", "egnn-nbody", "--out", "run", "--overwrite", "--data"]
    status, _, err = command(main, capsys, *argv, "none.npz")
    refused(status, err)
    assert tree(folder) == before


def test_the_commands_around_a_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tiny.toml").write_text(
        '[model]\nname = "egnn"\nhidden = 4\nlayers = 1\n[train]\nepochs = 2\nvalidate_every = 1\n'
    )
    first = ["--config", "tiny.toml", "--out", "a/run", "--data", "data.npz"]
    status, out, err = command(main, capsys, *first)
    assert status == 0
    assert "a/run: done; its best model is a/run/best" in out
    assert "warning: data.npz: no valid split, so the last 1 of 12 samples validate" in err
    before = kept(folder / "a" / "run")
    status, _, err = command(main, capsys, *first)
    assert "already exists" in refused(status, err)
    status, _, err = command(main, capsys, "--config", "tiny.toml", "--out", "a/run", "--resume")
    assert status == 0, err
    assert kept(folder / "a" / "run") == before
    (folder / "a" / "run" / "notes.txt").write_text("old")
    assert command(main, capsys, *first, "--overwrite")[0] == 0
    assert kept(folder / "a" / "run") == before


def test_list_names_every_shipped_config(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(main, capsys, "--list")
    assert (status, err) == (0, "")
    assert {line.split()[0] for line in out.splitlines()} == set(shipped_configs())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
        command(main, capsys, option)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out if option == "--help" else out.startswith("isotwin ")
