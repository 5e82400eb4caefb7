"""`python -m surrogate.studies.laws` with next to no training: what it makes, what it says, what it keeps."""

import json
from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from physics.datasets.split import DataSplit
from surrogate.studies.laws import (
    NOISE,
    formula,
    formula_table,
    learned,
    main,
    noisy_split,
    prepared_data,
    table,
)
from surrogate.tasks.dynamics.scales import rms_radius
from tests.surrogate.helpers import command, refused, tree


def test_noise_is_a_share_of_the_first_radius_and_smoothing_takes_most_of_it() -> None:
    rng = np.random.default_rng(0)
    v = np.repeat(0.5 * rng.standard_normal((8, 1, 5, 3)), 40, axis=1)
    times = 0.1 * np.arange(40)
    x = rng.standard_normal((8, 1, 5, 3)) + v * times[:, None, None]  # spreads to several times its first radius
    q = np.ones((8, 5))
    parts = [DataSplit(x[s], v[s], q[s], q[s], times, "t", {"law": "spring"}) for s in (slice(6), slice(6, 8))]
    made = noisy_split(parts, 1)
    error = np.std(made["positions"] - x)
    assert rms_radius(x[:, 0]) == pytest.approx(np.sqrt(3 * 0.8), rel=0.15)
    assert 0 < error < 0.5 * NOISE * rms_radius(x[:, 0])
    np.testing.assert_array_equal(made["velocities"], v)
    assert json.loads(str(made["recipe"])) == {"law": "spring"}


def test_table_names_mean_and_worst_seed() -> None:
    row = {"couplings": "constant", "error_largest_at": 0.2, "error_median": 0.01}
    found = [row | {"error_largest": e} for e in (0.02, 0.04)]
    assert "| spring | clean | constant | 2 | 3.0 % (4.0 %) | 0.20, 0.20 | 1.00 % |" in table(
        {"spring, clean": found}
    )


def test_the_table_of_formulas_counts_the_right_ones_and_averages_their_errors() -> None:
    right = {"right": True, "formula": "F_ij = -0.1 r", "parameter_error": 0.01, "largest_error": 0.02}
    wrong = right | {"right": False, "parameter_error": None}
    rows = [{"formula": right}, {"formula": right | {"parameter_error": 0.03}}, {"formula": wrong}]
    line = "| spring | noisy | 2 of 3 | `F_ij = -0.1 r` | 2.00 % (3.00 %) | 2.00 % (2.00 %) |"
    assert line in formula_table({"spring, noisy": rows})
    assert "| 0 of 1 | `F_ij = -0.1 r` | - | - |" in formula_table({"spring, clean": [{"formula": wrong}]})


@pytest.mark.slow
def test_the_formula_of_a_law_is_found_kept_and_held_against_it(tmp_path: Path) -> None:
    clean, _ = prepared_data(tmp_path, "spring", 0)
    settings = {"train.epochs": "100", "model.couplings": "constant"}
    found = learned(tmp_path, clean, "spring-clean-0", 0, settings, clean)
    numbers = formula(tmp_path, "spring-clean-0", clean, found, "spring")
    assert numbers["right"]
    assert numbers["parameter_error"] < 0.01
    assert (tmp_path / "formulas/spring-clean-0.json").is_file()


def test_the_command_learns_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "laws"
    line = (
        "--out",
        out,
        "--no-formula",
        "--laws",
        "spring",
        "--set",
        "train.epochs=2",
        "model.hidden=8",
        "model.evaluations=5",
    )
    status, text, err = command(main, capsys, *line)
    assert status == 0, err
    assert "| spring | clean | constant | 1 |" in text
    assert "| spring | noisy | constant | 1 |" in (out / "laws.md").read_text()
    assert (out / "laws.png").stat().st_size > 10_000
    results = json.loads((out / "laws.json").read_text())["results"]
    assert results.keys() == {"spring, clean", "spring, noisy"}
    assert len(read_split(out / "data/spring-0.zarr", "train")) == 90
    runs = tree(out / "runs")
    status, _, err = command(main, capsys, *line)
    assert "already exists" in refused(status, err)
    status, again, err = command(main, capsys, *line, "--resume")
    assert status == 0, err
    assert again == text
    assert {k: v for k, v in tree(out / "runs").items() if "run.json" not in k} == {
        k: v for k, v in runs.items() if "run.json" not in k
    }


def test_channels_are_chosen_unless_they_are_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ("train.epochs=2", "model.hidden=8", "model.evaluations=5")
    status, text, err = command(
        main, capsys, "--out", tmp_path / "a", "--no-formula", "--laws", "gravity", "--no-noise", "--set", *quick
    )
    assert status == 0, err
    trials = tmp_path / "a/trials/gravity-clean-0"
    assert sorted(p.name for p in trials.iterdir()) == ["constant", "constant+masses", "masses"]
    line = ("--out", tmp_path / "b", "--laws", "gravity", "--no-noise", "--set", "model.couplings=masses", *quick)
    status, text, err = command(main, capsys, *line)
    assert status == 0, err
    assert "| gravity | clean | masses | 1 |" in text
    assert not (tmp_path / "b/trials").exists()


@pytest.mark.parametrize("wrong", [("--laws", "sprong"), ("--set", "train.epoch=2"), ("--seeds", "0")])
def test_bad_input_is_one_line(wrong: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = command(main, capsys, "--out", tmp_path / "laws", *wrong)
    refused(status, err)
    assert not (tmp_path / "laws").exists()
