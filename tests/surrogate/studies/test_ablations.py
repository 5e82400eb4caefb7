"""`python -m surrogate.studies.ablations` with next to no training: what it makes, keeps and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from physics.datasets.request import request_from_options
from physics.generate import generate
from surrogate.studies import ablations
from surrogate.studies.ablation_tables import ablation_table, efficiency_table, mean_over_seeds, spread, tables
from surrogate.studies.ablations import (
    ABLATIONS,
    EFFICIENCY,
    RESULT,
    SAMPLES,
    SECOND_ORDER,
    STEPS,
    VARIANTS,
    configured,
    main,
)
from surrogate.training.config import load_config
from tests.surrogate.helpers import command, npz, refused, tiny_arrays, tree

QUICK = ("--set", "train.epochs=1", "model.hidden=8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablations")
    request = request_from_options(
        "nbody-reference", {"train": "20", "valid": "4", "test": "6"}, None, None, None, {}
    )
    generate(request, folder / "data.zarr", workers=1)
    return folder / "data.zarr"


def seed_of(**changes: Any) -> dict[str, Any]:
    numbers = {"mse": 2e-3, "mse_stderr": 5e-4, "mse_median": 1e-6, "mse_clean": 3e-5, "mse_clean_median": 8e-7}
    known = {"evaluations": 16, "law_calls_per_pair": 21.4, "seconds": 61.0, "best_epoch": 40, "failed": ""}
    return numbers | known | changes


def row_of(*seeds: dict[str, Any], variant: str = "integrator", samples: int = 0) -> dict[str, Any]:
    return {"variant": variant, "why": "a reason", "samples": samples, "seeds": list(seeds)}


# The registry


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_the_published_protocol_and_only_what_it_says(name: str) -> None:
    variant = VARIANTS[name]
    config = configured(variant, "data/nbody.zarr", 2, {})
    assert (config.data.paths, config.data.windows) == (("data/nbody.zarr",), "task")
    assert (config.data.input_frame, config.data.target_frame) == (-1, -1)  # the data set's own task: 30 -> 40
    assert (config.task_config.velocity_weight, config.train.threads, config.train.seed) == (0.0, 1, 2)
    assert config.data.train_samples == (variant.samples or 3000)
    assert variant.why


def test_variants_of_the_integrator_differ_from_it_in_one_thing() -> None:
    changed = {
        "coulomb-prefactor": {"model.powers", "model.couplings"},
        "no-prefactor": {"model.powers"},
        "no-substeps": {"model.most_substeps"},
        "rounds-8": {"model.evaluations"},
        "rounds-32": {"model.evaluations"},
        "no-saturation": {"train.saturation"},
        "no-gradient-limit": {"model.gradient_growth"},
    }
    whole = configured(ABLATIONS["integrator"], "d", 0, {}).as_dict()
    for name, expected in changed.items():
        tree = configured(ABLATIONS[name], "d", 0, {}).as_dict()
        different = {
            f"{section}.{key}"
            for section in ("model", "data", "train")
            for key in tree[section]
            if tree[section][key] != whole[section][key]
        }
        assert different == expected, name


def test_other_models_are_trained_as_the_integrator_is() -> None:
    own = configured(ABLATIONS["integrator"], "d", 0, {}).as_dict()["train"]
    for name in ("segno", "egnn", "egnn-recurrent", *(f"egnn-{n}" for n in SAMPLES)):
        train = configured(VARIANTS[name], "d", 0, {}).as_dict()["train"]
        for key in ("lr", "schedule", "warmup", "clip", "ema", "weight_decay", "saturation", "loss", "batch_size"):
            assert train[key] == own[key], (name, key)


@pytest.mark.parametrize("name", EFFICIENCY)
def test_data_efficiency_spends_the_same_steps_on_any_number_of_samples(name: str) -> None:
    config = configured(EFFICIENCY[name], "d", 0, {})
    samples = config.data.train_samples
    assert config.train.epochs * (samples // config.train.batch_size) == pytest.approx(STEPS, rel=0.02)
    assert 20 <= config.train.epochs / config.train.validate_every < 80
    integrator = name.startswith("integrator")
    shipped = load_config("integrator-nbody", SECOND_ORDER) if integrator else load_config("egnn-nbody")
    assert config.model_config == shipped.model_config


# The tables


def test_tables_say_what_was_measured_and_what_failed() -> None:
    twice = row_of(seed_of(), seed_of(mse=4e-3))
    assert mean_over_seeds(twice, "mse") == pytest.approx(3e-3)
    assert spread(twice) == pytest.approx(1e-3)
    assert spread(row_of(seed_of())) == 5e-4
    one = row_of(seed_of(own=seed_of(evaluations=8, law_calls_per_pair=12.0)))
    failed = row_of({"failed": "not finite", "seconds": 3.0}, variant="no-gradient-limit")
    text = ablation_table([one, failed])
    assert "| integrator | a reason | 0.002 +- 0.0005 | 1e-06 | 3e-05 / 8e-07 | 16 | 21.4 | 61 | 40 |" in text
    assert "| the same, in its own rounds | 0.002 +- 0.0005 | 1e-06 | 3e-05 / 8e-07 | 8 | 12 | | |" in text
    assert "| no-gradient-limit (diverged) | a reason | - +- - | - | - / - | - | - | 3 | - |" in text
    many = [row_of(seed_of(), variant=f"{m}-{n}", samples=n) for m in ("egnn", "integrator") for n in (1000, 100)]
    order = [line.split("|")[1:3] for line in efficiency_table(many).splitlines()[2:]]
    assert [[cell.strip() for cell in cells] for cells in order] == [
        ["100", "integrator"],
        ["100", "egnn"],
        ["1000", "integrator"],
        ["1000", "egnn"],
    ]
    assert tables([one, *many]) == ablation_table([one]) + "\n" + efficiency_table(many)


# The command


def test_the_command_trains_measures_and_goes_on(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    line = ("--data", data, "--out", out, *QUICK, "data.train_samples=10", "--only", "rounds-8", "egnn-100")
    status, text, err = command(main, capsys, *line)
    assert status == 0, err
    rows = json.loads((out / "ablations.json").read_text())["rows"]
    assert [row["variant"] for row in rows] == ["rounds-8", "egnn-100"]
    (rounds,), (egnn,) = (row["seeds"] for row in rows)
    assert (rounds["evaluations"], rounds["own"]["evaluations"], egnn["evaluations"]) == (16, 8, 4)
    assert (rounds["samples"], rounds["input_frame"], rounds["target_frame"], rounds["split"]) == (
        6,
        30,
        40,
        "test",
    )
    assert rounds["law_calls_per_pair"] >= 16
    assert rounds["own"]["law_calls_per_pair"] >= 8
    assert (out / "ablations.md").read_text() in text
    for figure in ("ablations.png", "efficiency.png"):
        assert (out / figure).stat().st_size > 10_000
    before = tree(out)
    status, _, err = command(main, capsys, *line)
    assert "already exists" in refused(status, err)
    status, again, err = command(main, capsys, *line, "--resume")
    assert status == 0, err
    assert again == text
    assert tree(out / "runs") == {k.removeprefix("runs/"): v for k, v in before.items() if k.startswith("runs/")}
    status, _, err = command(
        main, capsys, "--data", data, "--out", out, "--set", "train.epochs=2", "--only", "rounds-8", "--resume"
    )
    assert "the configuration changed" in refused(status, err)
    (out / "runs/rounds-8-seed0" / RESULT).unlink()
    status, _, err = command(main, capsys, *line, "--resume")
    assert status == 0, err
    assert json.loads((out / "ablations.json").read_text())["rows"][0]["seeds"][0]["mse"] == rounds["mse"]


def test_a_run_that_diverges_is_a_row_and_not_the_end(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = ablations.train

    def diverging(config: Any, out: Path, **more: Any) -> None:
        if config.model == "integrator":
            config = load_config("egnn-nbody", {"train.lr": "0.99", "train.clip": "0", "train.epochs": "200"})
            config = ablations.replace(config, data=ablations.replace(config.data, paths=(str(data),)))
        trained(config, out, **more)

    monkeypatch.setattr(ablations, "train", diverging)
    line = ("--data", data, "--out", tmp_path / "out", *QUICK, "--only", "integrator", "segno")
    status, text, err = command(main, capsys, *line)
    assert status == 0, err
    assert "| integrator (diverged) |" in text
    assert "| segno |" in text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--only", "segnos"), "segno"),
        (("--set", "train.epoch=2"), "epochs"),
        (("--set", "model.powers=3"), "powers"),
        (("--seeds", "0"), "--seeds"),
        (("--only", "integrator-100"), "integrator-100 needs 100 training samples"),
    ],
)
def test_bad_input_is_one_line(
    wrong: tuple[str, ...], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = command(main, capsys, "--data", data, "--out", tmp_path / "out", *wrong)
    assert said in refused(status, err)
    assert not (tmp_path / "out").exists()


def test_data_of_nobody_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = command(main, capsys, "--data", tmp_path / "none.zarr", "--out", tmp_path / "out")
    assert "none.zarr" in refused(status, err)
    npz(tmp_path / "bad.npz", tiny_arrays(), charges=None)
    status, _, err = command(main, capsys, "--data", tmp_path / "bad.npz", "--out", tmp_path / "out")
    refused(status, err)
    assert not (tmp_path / "out").exists()
