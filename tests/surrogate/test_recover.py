"""The recovered force of models that know the law, and of models that know another one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from physics.datasets.request import request_from_options
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.generate import generate
from physics.laws import LAWS
from surrogate.evaluation.pair_law_recovery import (
    recovery,
    recovery_split,
    seen_distances,
    true_forces,
    typical_pairs,
)
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.recover import main
from surrogate.tasks.dynamics.scales import Scales
from tests.surrogate.helpers import command, npz, refused, saved_model, tiny_arrays, tiny_model
from tests.surrogate.models.integrators import Uncopied, knowing_coulomb


def split_of(law: str = "coulomb", samples: int = 6, **recipe: Any) -> DataSplit:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, 3, 4, 3))
    q, m = rng.uniform(-2, 2, (samples, 4)), rng.uniform(0.5, 2, (samples, 4))
    recipe = {"law": law, "parameters": {}} | recipe
    return DataSplit(x, 0 * x, q, m, np.arange(3.0), "test", recipe)


def forecaster(model: Integrator, scales: Scales | None = None) -> Forecaster:
    return Uncopied(model, name="m", card={}, horizon=1.0, scales=scales or Scales())


@pytest.mark.parametrize(("sizes", "taken"), [({"test": "3"}, 3), ({"train": "2", "test": "3"}, 2)])
def test_a_data_set_without_a_training_split_has_a_law_too(
    sizes: dict[str, str], taken: int, tmp_path: Path
) -> None:
    request = request_from_options("charged-iso", sizes, 2, 3, None, {"dt": "0.01"})
    generate(request, tmp_path / "iso.zarr", workers=1)
    assert len(recovery_split(tmp_path / "iso.zarr")) == taken
    assert len(recovery_split(npz(tmp_path / "own.npz"))) == len(tiny_arrays()["positions"])


def test_a_model_that_knows_the_law_has_no_error() -> None:
    numbers = recovery(forecaster(knowing_coulomb()), split_of()).numbers()
    assert numbers["error_largest"] < 1e-4
    assert numbers["law"] == "coulomb"
    assert len(numbers["pairs"]) == 5


@pytest.mark.parametrize("strength", [1.2, 0.9, -1.0])
def test_a_wrong_law_has_the_error_of_its_strength(strength: float) -> None:
    numbers = recovery(forecaster(knowing_coulomb(strength)), split_of()).numbers()
    assert numbers["error_largest"] == pytest.approx(abs(strength - 1), abs=1e-3)
    assert numbers["error_median"] == pytest.approx(abs(strength - 1), abs=1e-3)


def test_an_error_at_the_end_of_the_range_is_found_there() -> None:
    numbers = recovery(forecaster(knowing_coulomb()), split_of(parameters={"eps": 0.2})).numbers()
    assert numbers["error_largest_at"] == pytest.approx(0.2)
    assert numbers["error_largest"] > 0.5
    assert numbers["error_median"] < 0.1


def test_the_model_speaks_in_the_units_of_the_data() -> None:
    """Twice the length unit at 2^(3/2) the time unit: Coulomb's law stays itself but for its softening."""
    model = forecaster(knowing_coulomb(), Scales(2.0, 2.0**1.5))
    numbers = recovery(model, split_of(parameters={"eps": 0.2})).numbers()
    assert numbers["error_largest"] < 1e-4
    wrong = forecaster(knowing_coulomb(), Scales(2.0, 2.0))
    assert recovery(wrong, split_of(parameters={"eps": 0.2})).numbers()["error_median"] > 0.5


def test_a_model_with_a_pull_is_compared_without_it() -> None:
    split = split_of(parameters={"kappa": 0.5})
    assert recovery(forecaster(knowing_coulomb(pull="always")), split).numbers()["error_largest"] < 1e-4
    assert recovery(forecaster(knowing_coulomb()), split).numbers()["error_largest"] > 0.5


R = np.array([0.2, 1.0, 5.0])
EXPECTED = {
    "coulomb": lambda q, m, r: q / (r**2 + 0.01) ** 1.5 * r,
    "gravity": lambda q, m, r: -m / (r**2 + 0.01) ** 1.5 * r,
    "spring": lambda q, m, r: -0.5 / 4 * r,
    "yukawa": lambda q, m, r: (
        q * (1 + np.sqrt(r**2 + 0.01) / 2) * np.exp(-np.sqrt(r**2 + 0.01) / 2) / (r**2 + 0.01) ** 1.5 * r
    ),
    "softcore": lambda q, m, r: q * r / (r**2 + 0.25),
    "reference": lambda q, m, r: np.clip(q / r**2, -100, 100),
}


@pytest.mark.parametrize("law", list(LAWS))
def test_the_true_force_is_that_of_one_pair_of_the_data(law: str) -> None:
    split = split_of(law)
    pairs = typical_pairs(split, ("charges",))
    found = true_forces(split, pairs, R, pull=True)
    for (q_i, q_j, m_i, m_j), row in zip(pairs, found, strict=True):
        np.testing.assert_allclose(row, EXPECTED[law](q_i * q_j, m_i * m_j, R), rtol=1e-10)


def test_a_sum_of_laws_is_a_known_law() -> None:
    parameters = {"coulomb.eps": 0.1, "coulomb.p": "gauss", "coulomb.kappa": 0.7}
    split = split_of("spring+coulomb", parameters=parameters)
    pairs = typical_pairs(split, ("charges",))
    for pull, kappa in ((True, 0.7), (False, 0.0)):
        found = true_forces(split, pairs, R, pull=pull)
        for (q_i, q_j, m_i, m_j), row in zip(pairs, found, strict=True):
            terms = [EXPECTED[law](q_i * q_j, m_i * m_j, R) for law in ("spring", "coulomb")]
            np.testing.assert_allclose(row, sum(terms) - kappa / 4 * R, rtol=1e-10)
    recovered = recovery(forecaster(knowing_coulomb()), split_of("coulomb+gravity"))
    assert recovered.numbers()["error_largest"] > 0.1


def test_pairs_are_real_ones_from_weakest_to_strongest() -> None:
    split = split_of()
    pairs = typical_pairs(split, ("constant", "charges"))
    products = np.sort((split.charges[:, :, None] * split.charges[:, None])[:, *np.triu_indices(4, 1)].ravel())
    assert pairs[0, 0] * pairs[0, 1] == products[0]
    assert pairs[-1, 0] * pairs[-1, 1] == products[-1]
    by_mass = typical_pairs(split, ("constant", "masses"))
    assert (np.diff(by_mass[:, 2] * by_mass[:, 3]) > 0).all()


def test_pairs_differ_in_what_the_law_scales_with_even_where_the_model_ignores_it() -> None:
    split = split_of()
    blind = recovery(forecaster(Integrator(IntegratorConfig(couplings="constant"))), split)
    np.testing.assert_array_equal(blind.pairs, typical_pairs(split, ("charges",)))
    assert blind.numbers()["couplings"] == "constant"


def test_seen_distances_are_those_of_every_pair_and_frame() -> None:
    split = split_of()
    seen = seen_distances(split)
    assert seen.shape == (6 * 3 * 6,)
    assert np.linalg.norm(split.positions[0, 0, 0] - split.positions[0, 0, 1]) == pytest.approx(seen[0])


def test_what_cannot_be_compared_is_refused() -> None:
    egnn = Forecaster(tiny_model("egnn"), name="e", card={}, horizon=1.0)
    with pytest.raises(InputError, match="no pair law"):
        recovery(egnn, split_of())


@pytest.mark.parametrize("length", [1e-10, 1.0, 1e10])
def test_without_a_known_law_the_learned_force_stands_alone(length: float) -> None:
    """In the range of distances that the data has, whatever its unit."""
    split = split_of("magic")
    split = replace(split, positions=length * split.positions)
    found = recovery(forecaster(knowing_coulomb(), Scales(length, length**1.5)), split)
    numbers = found.numbers()
    assert numbers["law"] is None
    assert "error_median" not in numbers
    assert np.isfinite(numbers["force"]).all()
    assert length * 0.05 < numbers["nearest"] < numbers["farthest"] < length * 20
    q = found.pairs[:, 0] * found.pairs[:, 1]
    r = found.distances / length
    np.testing.assert_allclose(found.learned * length**2, q[:, None] * r / (r**2 + 0.01) ** 1.5, rtol=1e-3)


def test_the_command_writes_numbers_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = saved_model(tmp_path / "run", "integrator")
    data = npz(tmp_path / "d.npz", recipe={"law": "coulomb", "parameters": {"eps": 0.1}})
    line = ("--run", run, "--data", data, "--out", tmp_path / "out")
    status, out, err = command(main, capsys, *line)
    assert status == 0, err
    assert "relative error of the pair force" in out
    numbers = json.loads((tmp_path / "out/recovery.json").read_text())
    assert numbers["error_largest"] > numbers["error_median"] > 0
    assert (tmp_path / "out/recovery.png").stat().st_size > 10_000
    status, _, err = command(main, capsys, *line)
    assert "already exists" in refused(status, err)
    unknown = npz(tmp_path / "own.npz")
    status, out, err = command(main, capsys, *line[:2], "--data", unknown, "--out", tmp_path / "own")
    assert status == 0, err
    assert "law unknown" in out
    assert (tmp_path / "own/recovery.png").stat().st_size > 10_000
    status, _, err = command(main, capsys, "--run", tmp_path / "none", *line[2:4], "--out", tmp_path / "no")
    assert "none" in refused(status, err)
    assert not (tmp_path / "no").exists()


def test_the_command_writes_the_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = saved_model(tmp_path / "run", "integrator", couplings="charges")
    recipe = {"law": "coulomb", "parameters": {"eps": 0.1}}
    data = npz(tmp_path / "d.npz", recipe=recipe)
    line = ("--run", run, "--data", data, "--formula", "--json", tmp_path / "f.json", "--out", tmp_path / "out")
    status, out, err = command(main, capsys, *line)
    assert status == 0, err
    numbers = json.loads((tmp_path / "f.json").read_text())
    assert numbers == json.loads((tmp_path / "out/recovery.json").read_text())
    assert numbers.keys() >= {"formula", "parameters", "fields", "largest_error", "form"}
    assert numbers["fields"] == {"uniform": None, "magnetic": None}
    said = numbers["form"] or "no simple form"
    assert said in out
    assert all(p.keys() == {"value", "error"} for p in numbers["parameters"].values())
    status, _, err = command(main, capsys, *line[:-1], tmp_path / "other")
    assert "already exists" in refused(status, err)


def test_learned_fields_are_told_beside_the_momentum_of_the_data(tmp_path: Path, capsys: Any) -> None:
    model = saved_model(tmp_path / "m", "integrator", fields="uniform,magnetic", dims=3)
    arrays = tiny_arrays(frames=6)
    arrays["velocities"] = arrays["velocities"] + np.arange(6.0)[None, :, None, None] * 0.5 * np.array([0, 0, 0.3])
    data = npz(tmp_path / "d.npz", arrays)
    status, out, err = command(
        main, capsys, "--run", model, "--data", data, "--out", tmp_path / "out", "--json", tmp_path / "f.json"
    )
    assert status == 0, err
    numbers = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert np.shape(numbers["fields"]["uniform"]) == (3,)
    assert np.shape(numbers["fields"]["magnetic"]) == (3, 3)
    assert numbers["fields_by_momentum"]["uniform"]["value"][2] == pytest.approx(0.3, abs=0.05)
    assert "uniform: [" in out
    assert "by the momentum of the data [" in out
