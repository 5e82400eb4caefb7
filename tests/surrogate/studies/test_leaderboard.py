"""`python -m surrogate.studies.leaderboard`: its registries, what it keeps and makes anew, and its page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from physics.datasets.presets import PRESETS
from surrogate.studies.leaderboard import __main__ as leaderboard
from surrogate.studies.leaderboard.__main__ import main
from surrogate.studies.leaderboard.columns import COLUMNS
from surrogate.studies.leaderboard.floors import rates
from surrogate.studies.leaderboard.jobs import Places, job
from surrogate.studies.leaderboard.page import gap_closed, headline, over_seeds, page
from surrogate.studies.leaderboard.recipes import RECIPES, configured, entries, trained_column
from surrogate.training import many
from surrogate.training.config import shipped_configs
from tests.surrogate.helpers import command, refused, tree

QUICK = ("--set", "train.epochs=1", "model.hidden=8")
ONE = ("--seeds", "1")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column with a few trajectories, forecast in few rounds."""
    for name, column in COLUMNS.items():
        monkeypatch.setitem(COLUMNS, name, replace(column, sizes=(20, 4, 6), rounds=(2, 1)))


# The registries


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_is_a_window_of_its_preset(name: str) -> None:
    column, preset = COLUMNS[name], PRESETS[COLUMNS[name].preset]
    for split, size in zip(("train", "valid", "test"), column.sizes, strict=True):
        assert size <= preset.sizes[split]
        assert 0 <= column.frames[0] < max(column.frames + column.targets) < len(preset.times[split])
        assert column.frames[0] == preset.input_frame[split]
    assert column.flagship in shipped_configs()
    assert column.smaller == "" or (column.smaller in COLUMNS and not COLUMNS[column.smaller].smaller)
    assert all(value > 0 for value in column.published.values())
    assert bool(column.source) == bool(column.published)
    assert [model for _, model in entries([name], RECIPES)]


@pytest.mark.parametrize(("name", "model"), entries(COLUMNS, RECIPES))
def test_every_training_is_the_protocol_of_its_column(name: str, model: str) -> None:
    source = COLUMNS[trained_column(name, model)]
    config = configured(name, model, 2, "data.zarr", {})
    assert (config.data.paths, config.data.input_frame) == (("data.zarr",), source.frames[0])
    assert 0 < config.data.train_samples <= source.sizes[0]
    supervision = (config.data.windows, config.data.target_frame, config.task_config.velocity_weight)
    if "extra supervision" not in RECIPES[model].recipe:
        assert supervision == ("task", source.frames[1], 0.0)
    assert config.task_config.velocity_epochs == 0
    assert (config.train.seed, config.train.threads) == (2, 1)


def test_a_recipe_tells_results_apart_wherever_the_data_lie(tmp_path: Path) -> None:
    here, there = Places(tmp_path / "a", tmp_path / "b"), Places(tmp_path / "c", tmp_path / "d")
    one = job("charged-1000", "integrator", 0, here, {})
    assert job("charged-1000", "integrator", 0, there, {}).digest == one.digest
    others = [
        job("charged-1000", "integrator", 1, here, {}),
        job("charged-1500", "integrator", 0, here, {}),
        job("charged-1500", "integrator-transfer", 0, here, {}),
        job("charged-1000", "integrator", 0, here, {"train.lr": "1e-5"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5
    assert job("charged-1000", "integrator", 0, here, {"model.softening": "0.1"}).digest != one.digest
    assert job("charged-1000", "integrator", 0, here, {"train.patience": "0"}).digest == one.digest  # its default
    assert one.seconds() > 0
    assert job("charged-1500", "integrator-transfer", 0, here, {}).seconds() == 0


def test_leapfrogs_that_know_the_law_are_run_at_the_rounds_of_the_tables() -> None:
    for name, column in COLUMNS.items():
        assert column.rounds[0] in rates(column), name


def test_of_springs_one_integrator_is_given_the_edges_and_one_is_not() -> None:
    models = {model for _, model in entries(["springs-5"], RECIPES)}
    seen = {
        model: configured("springs-5", model, 0, "data.zarr", {}).model_config.couplings
        for model in models & {"integrator", "integrator-hidden"}
    }
    assert seen == {"integrator": "edges", "integrator-hidden": "constant"}
    assert "integrator-hidden" not in {model for _, model in entries(["es-5"], RECIPES)}


# The command


def test_what_is_there_is_kept_and_what_has_changed_is_made_anew(
    tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    line = ("--out", out, *QUICK, *ONE, "--models", "integrator", "integrator-transfer", "gnn")
    status, text, err = command(main, capsys, *line, "--only", "charged-1000", "egno")
    assert status == 0, err
    assert "3 of 3" in text
    kept = tree(out / "leaderboard")
    files = {
        "charged-1000/floors.json",
        "charged-1000/integrator-seed0.json",
        "charged-1000/gnn-seed0.json",
        "egno/floors.json",
        "egno/integrator-transfer-seed0.json",
    }
    assert {name for name in kept if name.endswith(".json")} == files
    found = json.loads(kept["charged-1000/integrator-seed0.json"])
    assert [(s["rounds"], s["evaluations"]) for s in found["settings"]] == [(2, 2), (1, 1)]
    assert {"excess", "excess_low", "law_calls_per_pair", "mse_median"} <= set(found["settings"][0])
    assert found["config"]["data"]["paths"] == ["nbody-reference"]
    assert str(tmp_path) not in (out / "leaderboard" / "egno" / "integrator-transfer-seed0.json").read_text()
    assert json.loads(kept["egno/integrator-transfer-seed0.json"])["trained_on"] == "charged-1000"
    generated = json.loads(kept["charged-1000/floors.json"])["rows"]["the generator's law"]
    assert generated["mse"] < 1e-3
    for figure in ("leaderboard.png", "leaderboard-cost.png"):
        assert (out / "figures" / figure).stat().st_size > 10_000

    status, _, err = command(main, capsys, *line, "--only", "charged-1000")
    assert "--resume" in refused(status, err)

    monkeypatch.setattr(leaderboard, "save_figures", lambda results, folder: [])
    trained: list[str] = []
    train = many.train
    monkeypatch.setattr(many, "train", lambda c, run, **more: (trained.append(run.name), train(c, run, **more)))
    again = ("--only", "charged-1000", "egno", "--resume")
    assert command(main, capsys, *line, *again)[0] == 0
    assert (trained, tree(out / "leaderboard")) == ([], kept)

    damaged = out / "leaderboard" / "charged-1000" / "gnn-seed0.json"
    damaged.write_text(damaged.read_text()[:40])  # of a run that is finished
    assert command(main, capsys, *line, *again)[0] == 0
    assert trained == []
    assert json.loads(damaged.read_text())["settings"][0]["mse"] == pytest.approx(
        json.loads(kept["charged-1000/gnn-seed0.json"])["settings"][0]["mse"]
    )

    status, text, err = command(main, capsys, *line, "--only", "charged-1000", "--resume", "train.lr=1e-5")
    assert status == 2  # settings belong behind --set
    changed = [part for part in line if part != "model.hidden=8"]
    assert command(main, capsys, *changed, "--set", "model.hidden=4", "--only", "charged-1000", "--resume")[0] == 0
    assert [name.rsplit("-", 1)[0] for name in trained] == [
        "charged-1000-integrator-seed0",
        "charged-1000-gnn-seed0",
    ]


def test_the_page_is_written_of_stored_results_alone(
    tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(tmp_path / "out", tmp_path / "nowhere")
    one = job("charged-1500", "integrator", 0, places, {})
    path = places.result(one.column, one.name)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(seed_of(7.5e-3, digest=one.digest)))
    stale = places.result("charged-1000", "egnn-seed0")
    stale.parent.mkdir(parents=True)
    stale.write_text(json.dumps(seed_of(1.25, digest="another recipe")))
    status, _, err = command(main, capsys, "--out", places.out, "--work", places.work, "--page", "--resume")
    assert status == 0, err
    text = (places.out / "leaderboard.md").read_text()
    assert "**0.75 (1 seed)**" in text
    assert "125" not in text  # 1.25 in units of 1e-2
    assert "--only charged-1000 --models egnn" in text
    assert not places.work.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--only", "charged-1001"), "charged-1000"),
        (("--models", "segnn"), "segno"),
        (("--seeds", "0"), "--seeds"),
        (("--set", "train.epoch=2"), "epochs"),
    ],
)
def test_bad_input_is_one_line(
    wrong: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = command(main, capsys, "--out", tmp_path / "out", *wrong)
    assert said in refused(status, err)
    assert not (tmp_path / "out").exists()


# The page


def seed_of(mse: float, **changes: Any) -> dict[str, Any]:
    numbers = {"rounds": 64, "mse": mse, "mse_median": mse / 100, "law_calls_per_pair": 70.0, "ms_per_window": 0.5}
    config = {"train": {"epochs": 7}, "data": {"train_samples": 300}}
    known = {"config": config, "seconds": 60.0, "failed": "", "machine": "a machine", "date": "2026-11-30"}
    return {"settings": [numbers, {**numbers, "rounds": 16, "mse": 2 * mse}], **known, **changes}


def test_the_page_says_mean_spread_and_what_is_missing() -> None:
    seeds = [seed_of(2e-3), seed_of(4e-3)]
    assert over_seeds(seeds, "mse") == pytest.approx((3e-3, 1.4142e-3), rel=1e-4)
    assert over_seeds(seeds, "mse", 16) == pytest.approx((6e-3, 2.8284e-3), rel=1e-4)
    assert over_seeds(seeds, "mse", 32) is None
    assert gap_closed(0.0040, 0.0030, 0.0020) == "50.0 %"
    floor = {"mse": 2.5e-3, "mse_median": 1e-9, "law_calls_per_pair": 1000}
    results = {"charged-1000": {"floors": {"isotropic simulator": floor}, "models": {"integrator": seeds}}}
    text = page(results, [("egno", "gnn", 1, 90.0), ("egno", "gnn", 2, 90.0)], "the command", ["one.png"])
    row = next(line for line in text.splitlines() if line.startswith("| [charged, 1000 steps]"))
    assert "0.35 (Multivector Neurons)" in row
    assert "**0.3 +- 0.1**" in row
    assert "| 1.17 | 50.0 % |" in row
    assert "| egno | gnn | 1, 2 | 3 |" in text
    assert "| 7 x 300, 1.0 |" in text
    assert "![one.png](figures/one.png)" in text
    assert "| charged, 1000 steps x 10^-2 | 0.6 (70) |" in text


def test_the_page_begins_with_what_leads_what() -> None:
    results = {
        "charged-1000": {"floors": {}, "models": {"integrator": [seed_of(1e-3)], "egnn": [seed_of(4e-3)]}},
        "gravity-1000": {"floors": {}, "models": {"integrator": [seed_of(1e-2)], "segno": [seed_of(5e-3)]}},
        "gravity-100": {"floors": {}, "models": {"integrator-transfer": [seed_of(0.1)]}},
        "springs-5": {"floors": {}, "models": {"integrator": [seed_of(1e-9)], "gnn": [seed_of(0.1)]}},
    }
    published, here = headline(results).split(". ")
    assert "2 of 3 columns, by a factor of 2.6 (gravity, N = 100) to 3.5 (charged, 1000 steps)" in published
    assert "not in gravity, 1000 steps" in published
    assert "1 of 2 columns, by a factor of 4 (charged, 1000 steps), not in gravity, 1000 steps" in here
    assert "springs" not in here  # none of those networks is given edges
    assert page(results, [], "the command", []).startswith("# Leaderboard\n\nThe integrator's error is below")
