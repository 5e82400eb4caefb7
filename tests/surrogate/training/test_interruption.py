"""Runs interrupted at every write and within epochs: they end with the bytes of whole ones, or are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate.inference.loading import load
from surrogate.training import checkpoint as checkpoint_module
from surrogate.training import loop as fit_module
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import Config
from surrogate.training.progress_bar import ProgressBar
from surrogate.training.run import train
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep
from tests.surrogate.helpers import npz, tiny_arrays
from tests.surrogate.small_runs import kept
from tests.surrogate.tiny_runs import config, run

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")

SATURATED = {"saturation": 0.05, "velocity_weight": 0.2, "ema": 0.9, "windows": "all"}
LOGARITHMIC = SATURATED | {"saturation_form": "log"}


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


def test_interrupted_before_any_write_a_run_ends_with_the_same_bytes(data_folder: Path) -> None:
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


@pytest.mark.parametrize(
    ("name", "settings"),
    [("egnn", {}), ("integrator", SATURATED), ("integrator", LOGARITHMIC)],
    ids=["egnn", "integrator", "integrator-log"],
)
def test_a_run_interrupted_twice_in_an_epoch(name: str, settings: dict[str, Any], data_folder: Path) -> None:
    chosen = config(name, epochs=6, **settings)
    expected = kept(run(chosen, "whole"))
    inner = fit_module.train_epoch
    for epochs in (3, 5):

        def stop(trainer: Trainer, step: TrainingStep, report: ProgressBar, epochs: int = epochs) -> float:
            loss = inner(trainer, step, report)
            if trainer.progress.epoch == epochs:
                raise KeyboardInterrupt
            return loss

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fit_module, "train_epoch", stop)
            with pytest.raises(KeyboardInterrupt):
                run(chosen, "run", resume=epochs > 3)
    assert kept(run(chosen, "run", resume=True)) == expected


def test_does_it_bite_a_run_that_forgets_its_optimiser_differs(data_folder: Path) -> None:
    chosen = config()
    expected = kept(run(chosen, "whole"))
    stopped(chosen, "run", 5)  # in the second validation
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "load_state_dict", lambda self, state: None)
        assert kept(run(chosen, "run", resume=True)) != expected


def test_resuming_a_finished_run_changes_nothing(data_folder: Path) -> None:
    chosen = config(velocity_head=True, velocity_epochs=2)
    expected = kept(run(chosen))
    assert kept(run(chosen, resume=True)) == expected


def test_what_a_killed_run_was_writing_is_cleared(data_folder: Path) -> None:
    chosen = config()
    expected = kept(run(chosen))
    torn = [Path("run/best/.checkpoint-abc.part.safetensors"), Path("run/.metrics-abc.part.csv")]
    for path in torn:
        path.write_bytes(b"half")
    assert kept(run(chosen, resume=True)) == expected


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_killed_at_its_first_file_begins_anew(data_folder: Path, resume: bool) -> None:
    Path("run").mkdir()
    (Path("run") / ".config-abc.part.toml").write_text("half")
    out = run(config(epochs=2), resume=resume)
    assert (out / "best").is_dir()
    assert not list(out.rglob(".*.part*"))


def test_the_command_of_a_resumed_run_is_the_first_one(data_folder: Path) -> None:
    chosen = config()
    stopped(chosen, "run", 5)  # in the second validation
    train(chosen, Path("run"), resume=True, device="cpu", command="another", quiet=True)
    assert load("run").card["command"] == "the command"


def test_a_changed_configuration_is_named(data_folder: Path) -> None:
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
def test_changed_data_are_noticed(what: str, data_folder: Path) -> None:
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
    npz(data_folder / "data.npz", arrays)
    with pytest.raises(InputError, match="cannot --resume: the data changed"):
        run(config(), resume=True)


def test_restart_points_of_before_the_digest_still_resume(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = config()
    stopped(chosen, "run", 5)  # in the second validation
    stored = read_checkpoint("run/latest")
    for entry in stored.info["data"]:
        del entry["sha256"]
    del stored.info["command"]
    checkpoint_module.save_checkpoint(Path("run/latest"), stored.info, stored.tensors)
    run(chosen, resume=True)


def test_restart_points_of_before_a_key_still_resume_at_its_default(data_folder: Path) -> None:
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
