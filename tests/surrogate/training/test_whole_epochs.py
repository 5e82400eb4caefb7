"""Epochs made as one: the weights of the plain loop, with good and bad losses, and what a graph adds to it."""

import math
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate.models import MODELS
from surrogate.training import whole_epoch_loop as epoch_fit
from surrogate.training import whole_epochs
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import Config, config_from_tree
from surrogate.training.divergence import DivergedError
from surrogate.training.run import train
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep
from surrogate.training.whole_epochs import WholeEpochs
from tests.surrogate.helpers import TINY, npz, tiny_arrays, tree

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*its end alone trains")

CLOSE = 1e-10
"""Largest difference of float64 numbers that two orders of the same sums may leave, relative where above one.

Gradients of kernels before a LayerNorm nearly vanish, and Adam divides by their size.
"""


def config(name: str = "egnn", **settings: Any) -> Config:
    """A run of five steps an epoch; `data` is that section, `model` changes that one."""
    short = {"epochs": 4, "batch_size": 5, "validate_every": 2, "threads": 1, "lr": 1e-2, "dtype": "float64"}
    data = {"paths": ["data.npz"], **settings.pop("data", {})}
    model = {"name": name, **TINY[name], **settings.pop("model", {})}
    return config_from_tree({"model": model, "data": data, "train": {**short, **settings}}, "test")


def run(out: str, chosen: Config, *, resume: bool = False, device: str = "cpu") -> Path:
    train(chosen, Path(out), resume=resume, device=device, command="the command", quiet=True)
    return Path(out)


def furthest(one: Path, other: Path) -> float:
    """The largest difference between the files of two runs."""
    found = [0.0]
    for name in ("best", "latest", "previous"):
        a, b = read_checkpoint(one / name), read_checkpoint(other / name)
        assert a.tensors.keys() == b.tensors.keys()
        assert a.info.get("progress", {}).get("step") == b.info.get("progress", {}).get("step")
        assert a.info.get("divergence", {}).get("rejected") == b.info.get("divergence", {}).get("rejected")
        weights = [key for key in a.tensors if not key.startswith("random")]
        for first, second in ((a.tensors[key].double(), b.tensors[key].double()) for key in weights):
            found.append(float((first - second).abs().max() / second.abs().max().clamp(min=1.0)))
    return max(found)


def bad_at(places: dict[tuple[int, int], float], patch: pytest.MonkeyPatch) -> None:
    """Losses times a number at these (epochs, batches), in both loops."""
    alone, whole = Trainer.loss, WholeEpochs.gradients

    def loss(self: Trainer, batch: Any, model: Any = None) -> torch.Tensor:
        place = (self.progress.epoch, self.progress.batch)
        return alone(self, batch, model) * (places.get(place, 1.0) if self.loop == "step by step" else 1.0)

    def gradients(self: WholeEpochs, step: int) -> torch.Tensor:
        return whole(self, step) * places.get((self.lead.progress.epoch, step), 1.0)

    patch.setattr(Trainer, "loss", loss)
    patch.setattr(WholeEpochs, "gradients", gradients)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz", tiny_arrays(28))
    return tmp_path


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gets_the_weights_of_the_plain_loop(name: str, folder: Path) -> None:
    plain = run("plain", config(name, captured="never"))
    assert furthest(plain, run("whole", config(name, captured="always"))) < CLOSE


@pytest.mark.parametrize(
    "settings",
    [
        {"model": {"velocity_head": True}, "velocity_epochs": 3, "ema": 0.9},
        {"data": {"windows": "all"}, "saturation": 0.1, "saturation_form": "log", "clip": 0.0},
        {"data": {"paths": ["data.npz", "flat.npz"]}, "loss": "relative", "weight_decay": 0.1},
        {"schedule": "constant", "patience": 1, "lr": 0.05, "epochs": 12, "validate_every": 1},
    ],
    ids=["velocity-head", "windows", "mixed", "patience"],
)
def test_every_setting_does_what_it_does_in_the_plain_loop(settings: dict[str, Any], folder: Path) -> None:
    npz(folder / "flat.npz", tiny_arrays(33, n=2, seed=1))
    plain = run("plain", config(captured="never", **settings))
    assert furthest(plain, run("whole", config(captured="always", **settings))) < CLOSE
    lines = [(out / "metrics.csv").read_text().count("\n") for out in (plain, Path("whole"))]
    assert lines[0] == lines[1]
    if "patience" in settings:
        assert lines[0] < 13, "choose a rate that ends it early, or this sees nothing"


def test_bad_losses_take_the_weights_back_as_in_the_plain_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # the second one undoes the last update of the epoch before
    bad_at({(1, 2): math.nan, (3, 0): math.inf, (25, 3): 1e4}, monkeypatch)
    outs = [run(str(kind), config(captured=kind, epochs=30, validate_every=15)) for kind in ("never", "always")]
    assert furthest(*outs) < CLOSE
    notes = []
    for kind in ("never", "always"):
        chosen = config(captured=kind, epochs=30)
        train(chosen, Path(f"said-{kind}"), resume=False, device="cpu", command="", quiet=False)
        notes.append([line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")])
    assert len(notes[0]) == 3
    assert re.search(r"jumped to \d+ times .* in epoch 26, batch 4", notes[0][2])
    assert notes[0] == notes[1]


def test_the_third_bad_loss_ends_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_at({(0, 3): math.nan, (1, 0): math.inf, (2, 4): math.nan}, monkeypatch)
    said = []
    for kind in ("never", "always"):
        with pytest.raises(DivergedError) as caught:
            run(kind, config(captured=kind))
        said.append(str(caught.value).replace(kind, "run"))
    assert said[0] == said[1]
    assert "in epoch 3, batch 5, for the third time" in said[0]
    with pytest.raises(DivergedError, match="for the third time"):
        run("always", config(captured="always"), resume=True)


def test_an_epoch_of_bad_losses_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_fit, "count_rejection", lambda *_: None)
    bad_at({(0, batch): math.nan for batch in range(5)}, monkeypatch)
    with pytest.raises(DivergedError, match="every batch of epoch 1 had to be skipped"):
        run("always", config(captured="always"))


def test_weights_that_end_an_epoch_not_finite_go_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(config(), folder / "run", "cpu", "")
    trainer.start_stage(0)
    epochs = WholeEpochs([trainer])
    update, made = epochs.update, []

    def ruined() -> None:
        update()
        made.append(1)
        if len(made) == trainer.steps_per_epoch:
            epochs.now.weights.fill_(math.inf)

    monkeypatch.setattr(epochs, "update", ruined)
    assert not epochs.train().finite.any()
    assert len(made) == trainer.steps_per_epoch
    for now, before in zip(epochs.now.tensors(), epochs.before.tensors(), strict=True):
        assert torch.isfinite(now).all()
        assert torch.equal(now, before)


@pytest.mark.parametrize("longest", [1, 2, 4])
def test_blocks_of_an_epoch_change_nothing(longest: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("whole", config(captured="always"))
    monkeypatch.setattr(whole_epochs, "LONGEST_BLOCK", longest)
    assert furthest(whole, run("blocks", config(captured="always"))) == 0.0


# Stopping


def stopping_after(count: int, patch: pytest.MonkeyPatch) -> None:
    """Have somebody press Ctrl-C in the `count`-th epoch."""
    inner, seen = epoch_fit.train_epoch, [0]

    def ask(group: Any, *arguments: Any) -> Any:
        seen[0] += 1
        group.trainers[0].stop_requested = seen[0] == count
        return inner(group, *arguments)

    patch.setattr(epoch_fit, "train_epoch", ask)


def test_a_stop_ends_the_epoch_and_a_resumed_run_has_the_bytes_of_an_undisturbed_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad_at({(3, 0): math.nan}, monkeypatch)  # right after a stop: what it goes back to must have been kept
    settings = {"captured": "always", "model": {"velocity_head": True}, "velocity_epochs": 2, "validate_every": 4}
    chosen = config(epochs=6, ema=0.9, **settings)

    def kept(out: Path) -> dict[str, bytes]:
        return {name: data for name, data in tree(out).items() if name != "run.json"}

    expected = kept(run("whole", chosen))
    for count in range(1, 8):
        with monkeypatch.context() as patch:
            stopping_after(count, patch)
            with pytest.raises(KeyboardInterrupt, match=rf"stopped-{count} keeps its state \((posi|velo)"):
                run(f"stopped-{count}", chosen)
        point = read_checkpoint(f"stopped-{count}/latest").info["progress"]
        assert point["epoch"] + 6 * point["stage"] == count
        assert kept(run(f"stopped-{count}", chosen, resume=True)) == expected
    with monkeypatch.context() as patch:
        stopping_after(8, patch)  # there is nothing left to stop
        assert kept(run("late", chosen)) == expected


def test_a_run_stopped_step_by_step_goes_on_in_whole_epochs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run("whole", config())
    seen = [0]

    inner = TrainingStep.__call__

    def ask(step: TrainingStep, batch: Any) -> str:
        seen[0] += 1
        step.trainer.stop_requested = seen[0] == 8
        return inner(step, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "__call__", ask)
        with pytest.raises(KeyboardInterrupt, match="3 of 5 batches"):
            run("stopped", config())
    monkeypatch.setattr(epoch_fit, "trained_as_epochs", lambda *_: True)
    from surrogate.training import run as run_module

    monkeypatch.setattr(run_module, "trained_as_epochs", lambda *_: True)
    with pytest.warns(UserWarning, match="was loop step by step, now whole epochs: the last bits may differ"):
        run("stopped", config(), resume=True)
    assert furthest(expected, Path("stopped")) < CLOSE


# What a graph adds


class Replay:
    """A graph that is none: it runs its steps again."""

    def __init__(self, steps: Callable[[], None]) -> None:
        self.replay = steps


def with_graphs(patch: pytest.MonkeyPatch, recorded: Callable[..., Any]) -> None:
    """Go through all that is done with a graph, on a device that has none."""
    patch.setattr(whole_epochs, "can_capture", lambda _device: True)
    patch.setattr(whole_epochs, "recorded", recorded)


def test_warm_up_steps_leave_no_trace_and_a_graph_is_made_once_for_each_length(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_epochs, "LONGEST_BLOCK", 3)
    expected = run("plain", config(captured="always"))
    made = []

    def recorded(warm_up: Callable[[], None], steps: Callable[[], None]) -> Replay:
        made.append(1)
        warm_up()
        return Replay(steps)

    with_graphs(monkeypatch, recorded)
    assert furthest(expected, run("graph", config(captured="always"))) == 0.0
    assert len(made) == 2  # blocks of three and two steps


def test_what_cannot_be_captured_is_made_step_by_step_with_one_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("plain", config(captured="always"))

    def recorded(warm_up: Callable[[], None], steps: Callable[[], None]) -> Replay:
        warm_up()
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    with_graphs(monkeypatch, recorded)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = run("failed", config(captured="always"))
    said = [str(w.message) for w in caught if "captured" in str(w.message)]
    assert len(said) == 1
    assert said[0].endswith("made one by one (RuntimeError: operation not permitted when stream is capturing)")
    assert furthest(expected, out) == 0.0


def test_what_cannot_be_made_as_one_says_why(folder: Path) -> None:
    trainer = Trainer(config(), folder / "run", "cpu", "")
    assert epoch_fit.cannot_take_epochs(trainer) == ""
    trainer.device = "mps"
    assert "double precision" in epoch_fit.cannot_take_epochs(trainer)
    trainer.device = "cpu"
    trainer.task.train_sets = [replace(s, x=s.x.to("meta")) for s in trainer.task.train_sets]
    assert "streamed" in epoch_fit.cannot_take_epochs(trainer)
    assert epoch_fit.trained_as_epochs(config(), "cuda:0")
    assert not epoch_fit.trained_as_epochs(config(), "cpu")
    assert not epoch_fit.trained_as_epochs(config(captured="never"), "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_captured_epochs_have_the_numbers_of_uncaptured_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = config(captured="always", model={"velocity_head": True}, velocity_epochs=2, dtype="float32")
    outs = [run("graph", chosen, device="cuda")]
    with monkeypatch.context() as patch:
        patch.setattr(whole_epochs, "can_capture", lambda _device: False)
        outs.append(run("steps", chosen, device="cuda"))
    assert furthest(*outs) < 1e-6
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not captured in a CUDA graph.*")
        run("again", chosen, device="cuda")
