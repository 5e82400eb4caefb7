"""`python -m surrogate.benchmark --models all`: its tables, killed and resumed, its recipes, its refusals."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from surrogate import benchmark
from surrogate.evaluation.benchmark.figures import look
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.evaluation_set import evaluation_set
from surrogate.evaluation.model_benchmark import costs, entries, jobs
from surrogate.evaluation.model_benchmark.entries import ENTRIES, Entry, chosen_entries
from surrogate.evaluation.model_benchmark.published import PUBLISHED
from surrogate.evaluation.model_benchmark.recipes import Setting, configured, has_recipe
from surrogate.evaluation.model_benchmark.symmetries import SYMMETRIES, symmetry_errors
from surrogate.inference.loading import load
from surrogate.models import MODELS
from surrogate.studies.model_map import PLACES
from tests.surrogate.helpers import TINY, command, refused, saved_model, tree

SMALL = ("--set", "data.train_samples=12", "train.batch_size=4", "train.validate_every=2")
"""Three steps an epoch."""
COSTS = {"forward_ms": 1.0, "forward_one_ms": 0.1, "step_ms": 3.0, "memory_mb": 2.0, "parameters": 5}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published law, n = 3, N = 5, a few trajectories."""
    path = tmp_path_factory.mktemp("data") / "reference.zarr"
    sizes = {"train": "12", "valid": "4", "test": "6"}
    generate(request_from_options("nbody-reference", sizes, None, None, None, {}), path)
    return path


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three small entries, whose costs are not measured."""
    chosen = {label: ENTRIES[label] for label in ("linear", "gnn", "egnn-no-velocity")}
    small = {k: replace(e, settings={**TINY[e.model], **e.settings}) for k, e in chosen.items()}
    monkeypatch.setattr(entries, "entries", lambda: small)
    monkeypatch.setattr(jobs, "costs_of", lambda config: COSTS)


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "table.csv").open(encoding="utf-8", newline="") as stream:
        return {f"{row['label']} {row['recipe']}": row for row in csv.DictReader(stream)}


def test_entries_are_models_with_settings_they_know() -> None:
    found = entries.entries()
    assert set(MODELS) <= {entry.model for entry in found.values()}
    setting = Setting(Path("none.zarr"), Asked())
    for label, entry in found.items():
        known = MODELS[entry.model].Config.__dataclass_fields__
        assert set(entry.settings) <= set(known), label
        assert MODELS[entry.model].model.even_in_charges == ("q_i" not in entry.charges), label
    assert list(chosen_entries(["all"])) == list(found)
    assert list(chosen_entries(["gnn", "egnn"])) == [label for label in found if label in ("gnn", "egnn")]
    assert set(PUBLISHED) <= set(found)
    assert set(PLACES) <= set(found)
    assert all(known.mse > 0 and known.epochs > 0 for known in PUBLISHED.values())
    assert setting.steps == 20_000


def test_the_common_budget_is_the_same_for_all_and_the_own_recipe_is_the_published_one(data: Path) -> None:
    setting = Setting(data, Asked(), steps=20, changes={"train.batch_size": "4"})
    shared = {"ema", "schedule", "weight_decay", "epochs", "batch_size", "validate_every", "saturation", "loss"}
    trees = {}
    for label, entry in entries.entries().items():
        config = configured(label, entry, "common", 1, setting).as_dict()
        trees[label] = {key: config["train"][key] for key in shared}
        assert (config["train"]["seed"], config["train"]["velocity_epochs"]) == (1, 0)
    assert all(found == trees["gnn"] for found in trees.values())
    assert trees["gnn"]["epochs"] == 7  # of three steps: twelve samples are there
    own = configured("egnn", ENTRIES["egnn"], "own", 0, setting).train
    assert (own.lr, own.epochs, own.weight_decay, own.schedule) == (5e-4, 10_000, 1e-12, "constant")
    assert (own.ema, own.clip, own.warmup) == (0, 0, 0)
    shipped = configured("integrator", ENTRIES["integrator"], "own", 0, setting)
    assert (shipped.train.epochs, shipped.task_config.saturation) == (60, 0.1)
    assert not has_recipe("egnn-recurrent", ENTRIES["egnn-recurrent"], "own")
    assert configured("x", Entry("egnn", steps=6), "common", 0, setting).train.epochs == 2


def test_published_errors_stand_beside_those_of_the_same_data_alone(
    tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"train": "12", "valid": "4", "test": "6"}
    generate(request_from_options("charged-iso", sizes, 3, 5, 0, {}), tmp_path / "other.zarr")
    line = (
        "--models",
        "gnn",
        "--data",
        tmp_path / "other.zarr",
        *SMALL,
        "--steps",
        "12",
        "--out",
        tmp_path / "out",
    )
    status, _, err = command(benchmark.main, capsys, *line)
    assert status == 0, err
    row = rows_of(tmp_path / "out")["gnn common"]
    assert (row["published_mse"], row["ratio"]) == ("", "")


def test_tables_of_several_seeds(
    tiny: None, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, line = tmp_path / "out", ("--models", "all", "--data", data, *SMALL, "--steps", "12", "--seeds", "2")
    status, text, err = command(benchmark.main, capsys, *line, "--out", out, "--docs", tmp_path / "docs")
    assert status == 0, err
    rows = rows_of(out)
    assert list(rows) == sorted(rows, key=lambda name: float(rows[name]["mse"]))
    row = rows["gnn common"]
    assert (row["seeds"], row["steps"], row["published_mse"], row["step_ms"]) == ("2", "12", "0.0107", "3.0")
    assert float(row["ratio"]) == pytest.approx(float(row["mse"]) / 0.0107)
    assert float(row["rotations"]) > 1e-4 > 1e-10 > float(row["permutations"])
    assert float(rows["egnn-no-velocity common"]["reflections"]) < 1e-10
    found = json.loads((out / "benchmark.json").read_text())
    first = [r["mse"] for r in found["results"] if r["label"] == "gnn"]
    assert float(row["mse"]) == pytest.approx(np.mean(first))
    assert float(row["mse_spread"]) == pytest.approx(np.std(first, ddof=1))
    files = {path.name for path in out.iterdir()}
    figures = {"error-training-time.png", "error-parameters.png", "learning-curves.png"}
    assert files == {"runs", "results", "costs", "table.md", "table.csv", "table.tex", "benchmark.json", *figures}
    assert (tmp_path / "docs" / "figures" / "benchmark" / "learning-curves.png").stat().st_size > 10_000
    assert "![learning-curves.png](figures/benchmark/" in (tmp_path / "docs" / "benchmark.md").read_text()
    assert "| **gnn** |" in text

    before = tree(out / "results"), rows
    assert "--resume" in refused(*command(benchmark.main, capsys, *line, "--out", out)[::2])
    assert command(benchmark.main, capsys, *line, "--out", out, "--resume")[0] == 0
    assert (tree(out / "results"), rows_of(out)) == before
    status, text, err = command(benchmark.main, capsys, *line, "--out", out, "--page", "--recipe", "both")
    assert status == 0, err
    assert "gnn-own-300000-seed0" not in {path.name for path in (out / "results").iterdir()}
    assert "own, seed 0: linear, gnn, egnn-no-velocity (about" in text


def test_no_training_is_begun_after_the_minutes(
    tiny: None, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (
        "--models",
        "all",
        "--data",
        data,
        *SMALL,
        "--steps",
        "6",
        "--minutes",
        "1e-9",
        "--out",
        tmp_path / "out",
    )
    status, text, err = command(benchmark.main, capsys, *line)
    assert status == 0, err
    assert "3 left out after" in text


def test_a_benchmark_that_was_killed_goes_on_to_the_same_table(data: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "surrogate.benchmark", "--models", "linear", "--data", str(data), *SMALL]
    line += ["--steps", "3000"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert subprocess.run([*line, "--out", str(whole)], capture_output=True, check=False).returncode == 0
    with subprocess.Popen(
        [*line, "--out", str(killed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not list(killed.glob("runs/*/latest/checkpoint.safetensors")) and process.poll() is None:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert not list(killed.glob("results/*"))
    assert not (killed / "table.csv").exists()
    done = subprocess.run([*line, "--out", str(killed), "--resume"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = {"seconds", "forward_ms", "forward_one_ms", "step_ms", "memory_mb"}
    first, second = (rows_of(out)["linear common"] for out in (whole, killed))
    assert {k: v for k, v in first.items() if k not in measured} == {
        k: v for k, v in second.items() if k not in measured
    }


def test_costs_are_of_the_model_alone(data: Path) -> None:
    setting = Setting(data, Asked(), changes={"train.batch_size": "4", "model.hidden": "8", "model.layers": "1"})
    found = costs.measured_costs(configured("gnn", ENTRIES["gnn"], "common", 0, setting))
    assert all(found[name] > 0 for name in ("forward_ms", "forward_one_ms", "step_ms"))
    assert found["memory_mb"] >= 0
    assert found["parameters"] == sum(p.numel() for p in MODELS["gnn"].Config and _gnn_parameters())


def _gnn_parameters() -> list[object]:
    config = MODELS["gnn"].Config(hidden=8, layers=1)
    return list(MODELS["gnn"](config).parameters())


@pytest.mark.parametrize(
    ("name", "broken"), [("egnn", set()), ("gnn", {"rotations", "reflections", "translations"})]
)
def test_symmetries_that_fail_are_seen(name: str, broken: set[str], data: Path, tmp_path: Path) -> None:
    model = load(saved_model(tmp_path / name, name))
    found = symmetry_errors(model, evaluation_set(read_split(data, "test"), "test").windows, {})
    assert set(found) == set(SYMMETRIES)
    for symmetry, error in found.items():
        assert error is not None
        assert (error > 1e-3) == (symmetry in broken), symmetry
        assert error < 1e-10 or symmetry in broken


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--models", "gnn,egnn-nbody"], "'gnn' is trained first and 'egnn-nbody' is not"),
        (["--models", "gnnn"], "unknown model 'gnnn'"),
        (["--models", "egnn-nbody", "--steps", "3"], "--steps goes with names of models"),
        (["--models", "all", "--steps", "0"], "must be a whole number of at least 1"),
        (["--models", "all", "--recipe", "mine"], "--recipe"),
        (["--models", "all", "--set", "train.lrr=1"], "did you mean 'lr'"),
        (["--models", "all", "--data", "none.zarr"], "none.zarr: no such data set"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    argv: list[str], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [] if "--data" in argv else ["--data", str(data)]
    status, _, err = command(benchmark.main, capsys, *argv, *given, "--out", tmp_path / "out")
    assert said in refused(status, err)
    assert not (tmp_path / "out").exists()


def test_an_unknown_entry_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'gnn'"):
        chosen_entries(["gnnn"])


def test_no_two_curves_look_the_same() -> None:
    assert len({(look(k)["color"], look(k)["marker"]) for k in range(64)}) == 64
