"""The seam for tasks: a second task trains, goes on after a kill and is evaluated by the trainer as it is."""

import multiprocessing
import signal
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate.inference.loading import load
from surrogate.tasks import TASKS, task_class
from surrogate.tasks.base import Setting
from surrogate.train import main
from surrogate.training.checkpoint import ModelError, read_checkpoint
from surrogate.training.config import TrainConfig, built_model, config_from_tree, load_config
from tests.surrogate.helpers import command
from tests.surrogate.small_runs import kept
from tests.surrogate.tasks.graph_scalar import NAME, WHERE, GraphData, GraphOptions, GraphScalar, graphs, trained

TOML = f"""
task = "{NAME}"
[model]
name = "sums"
hidden = 6
[data]
paths = ["graphs.npz"]
[train]
epochs = 30
batch_size = 8
validate_every = 10
lr = 3e-2
threads = 1
"""
ARGUMENTS = ["--config", "graphs.toml", "--device", "cpu", "--out"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(TASKS, NAME, WHERE)
    graphs(tmp_path / "graphs.npz")
    (tmp_path / "graphs.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def test_it_trains_by_the_command_and_is_scored_by_the_task(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = command(main, capsys, *ARGUMENTS, "run")
    assert status == 0, err
    assert "run: done; its best model is run/best" in out
    lines = [line.split(",") for line in Path("run/metrics.csv").read_text().splitlines()]
    assert lines[0] == ["stage", "epoch", "step", "lr", "loss", "valid", "mae"]
    assert [line[:3] for line in lines[1:]] == [["scalar", str(e), str(4 * e)] for e in (10, 20, 30)]
    assert float(lines[-1][5]) < 0.1 * np.var([a.sum() / 20 for a in np.load("graphs.npz")["adjacency"]])
    best = read_checkpoint("run/best")
    assert best.info["card"]["valid_mse_scalar"] == min(float(line[5]) for line in lines[1:])
    assert best.info["card"]["sizes"] == [3, 4, 5, 6, 7]
    with pytest.raises(ModelError, match="not a forecasting checkpoint"):
        load("run")

    config = config_from_tree(best.info["config"], "run")  # evaluated: other graphs, the kept weights
    model = built_model(config)
    model.load_state_dict(best.tensors)
    data = GraphData(paths=(str(graphs(folder / "more.npz", 200, seed=1)),))
    task = GraphScalar(data, GraphOptions(), model, Setting("sums", 8, torch.float32, "cpu", 1, folder))
    with torch.no_grad():
        found = task.validation(model, task.stages(model, 1)[0])
    assert found.score < 2 * best.info["card"]["valid_mse_scalar"]
    assert found.values[0] < np.sqrt(found.score)


def test_killed_within_epochs_it_ends_with_the_same_bytes(folder: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["surrogate.train", "tests.surrogate.tasks.graph_scalar"])

    def status_of(die_at: int = 0) -> int | None:
        argv = [*ARGUMENTS, "run", "--set", "train.epochs=4", "train.validate_every=2"]
        resume = ["--resume"] if Path("run/config.toml").is_file() else []
        process = context.Process(target=trained, args=([*argv, *resume], die_at))
        process.start()
        process.join(120.0)
        return process.exitcode

    assert status_of() == 0
    Path("run").rename("whole")
    places = []
    for die_at in (9, 14, 25):  # each goes on where the one before it died
        assert status_of(die_at) == -signal.SIGKILL
        progress = read_checkpoint("run/latest").info["progress"]
        places.append((progress["epoch"], progress["batch"]))
    assert places == sorted(set(places))
    assert any(batch for _, batch in places), "none died within an epoch"
    assert status_of() == 0
    expected = kept(Path("whole"))
    assert [name for name, data in kept(Path("run")).items() if data != expected[name]] == []


def test_sweeps_seeds_and_the_finder_take_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--set", "train.epochs=2", "train.validate_every=1"]
    seeds = ["train.seeds=2", "train.stacked=always"]
    status, out, err = command(main, capsys, *ARGUMENTS, "seeds", *short, *seeds)
    assert status == 0, err
    assert "the seeds train one after another: this task makes its batches one by one" in err
    assert "| seeds | validation error |" in out
    status, _, err = command(main, capsys, *ARGUMENTS, "one", *short, "train.captured=always")
    assert status == 0, err
    assert "steps are made one by one: this task makes its batches one by one" in err
    status, out, err = command(main, capsys, *ARGUMENTS, "rate", "--find-lr")
    assert status == 0, err
    assert "a learning rate to begin with" in out


def test_its_data_and_its_keys_are_compared_on_resumption(folder: Path) -> None:
    argv = [*ARGUMENTS, "run", "--set", "train.epochs=1", "train.validate_every=1"]
    main(argv)
    with pytest.raises(InputError, match=r"the configuration changed: train\.error"):
        main([*argv, "train.error=absolute", "--resume"])
    graphs(folder / "graphs.npz", seed=3)
    with pytest.raises(InputError, match="the data changed"):
        main([*argv, "--resume"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train.error": "cubed"}, "train.error must be squared or absolute"),
        ({"train.eror": "squared"}, "did you mean 'error'?"),
        ({"train.velocity_epochs": "3"}, "unknown key in train 'velocity_epochs'"),
        ({"data.windows": "all"}, "unknown key in data 'windows'"),
        ({"model.name": "egnn"}, "unknown model.name"),
    ],
)
def test_a_configuration_has_the_keys_of_its_task(change: dict[str, str], said: str, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_config("graphs.toml", change)
    assert said in str(caught.value)


def test_a_configuration_with_a_task_reads_back_as_itself(folder: Path) -> None:
    config = load_config("graphs.toml", {"train.error": "absolute", "data.most_nodes": "5"})
    (folder / "resolved.toml").write_text(config.to_toml(), encoding="utf-8")
    assert load_config("resolved.toml") == config_from_tree(config.as_dict(), "checkpoint") == config


def test_an_unknown_task_comes_with_the_nearest(folder: Path) -> None:
    Path("wrong.toml").write_text('task = "dynamic"\n[model]\nname = "egnn"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown task in wrong.toml 'dynamic'; did you mean 'dynamics'"):
        load_config("wrong.toml")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_leaves_the_keys_of_the_trainer_alone(name: str) -> None:
    task = task_class(name)
    assert not {f.name for f in fields(task.Options)} & {f.name for f in fields(TrainConfig)}
    assert next(f for f in fields(task.Data) if f.name == "paths").default == ()
    assert all(task.Config for task in task.MODELS.values())
