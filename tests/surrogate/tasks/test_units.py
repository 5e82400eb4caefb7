"""Data in any units: one scale of length, time, charge and mass for all own files of a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.reading import read_split
from physics.errors import InputError
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.scales import Scales, fitted_scales
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import TINY, npz, tiny_arrays

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")

UNITS = {
    "reduced": Scales(),
    "si": Scales(1e-10, 1.02e-14, 1.602e-19, 1.66e-27),
    "femtoseconds and Angstrom": Scales(3.4, 27.3, 1.0, 39.9),
    "coulombs": Scales(1.0, 1.0, 1.602e-19, 1.0),
    "kilometres and years": Scales(1.5e8, 1.0, 1.0, 2e30),
}
"""Units of length, time, charge and mass, in the units that the data are then in."""


def in_units(units: Scales, arrays: dict[str, Any]) -> dict[str, Any]:
    return {
        "positions": arrays["positions"] * units.length,
        "velocities": arrays["velocities"] * units.speed,
        "charges": arrays["charges"] * units.charge,
        "masses": arrays["masses"] * units.mass,
        "times": arrays["times"] * units.time,
    }


def drawn(samples: int = 40, seed: int = 0, **changes: Any) -> dict[str, Any]:
    arrays = tiny_arrays(samples, seed=seed, **changes)
    rng = np.random.default_rng(seed + 1)
    return arrays | {"masses": rng.uniform(0.5, 2.0, arrays["charges"].shape)}


def trained(folder: Path, sets: list[dict[str, Any]], name: str = "integrator", **settings: Any) -> Path:
    paths = [str(npz(folder / f"{k}.npz", arrays)) for k, arrays in enumerate(sets)]
    short = {"epochs": 4, "batch_size": 8, "validate_every": 2, "threads": 1, "lr": 1e-2, **settings}
    tree = {"model": {"name": name, **TINY[name]}, "data": {"paths": paths}, "train": short}
    train(config_from_tree(tree, "test"), folder / "run", resume=False, device="cpu", command="", quiet=True)
    return folder / "run"


def columns(run: Path) -> dict[str, float]:
    names, *_, last = (line.split(",") for line in (run / "metrics.csv").read_text().splitlines())
    return {name: float(value) for name, value in zip(names[1:], last[1:], strict=True)}


@pytest.mark.parametrize("name", ["integrator", "egnn"])
def test_five_unit_systems_come_to_the_same_relative_errors(name: str, tmp_path: Path) -> None:
    errors = {}
    for units, scale in UNITS.items():
        arrays = drawn() if name == "integrator" else drawn() | {"masses": np.ones((40, 3))}
        test = drawn(seed=9) if name == "integrator" else drawn(seed=9) | {"masses": np.ones((40, 3))}
        (tmp_path / units).mkdir()
        run = trained(tmp_path / units, [in_units(scale, arrays)], name)
        there = npz(tmp_path / units / "test.npz", in_units(scale, test))
        model, kept = load(run), columns(run)
        found = evaluation(model, read_split(there, "test"), "test", rotations=1)
        errors[units] = (found["mse"] / found["mse_ballistic"], kept["valid"], kept["valid_relative"])
        assert kept["valid_mse"] == pytest.approx(kept["valid"] * model.scales.length**2)
        assert found["outside_training"] == []
        state = in_units(scale, test)
        x, v, q, m = state["positions"][:, 0], state["velocities"][:, 0], state["charges"], state["masses"]
        public = model.forecast(x, v, q, horizon=state["times"][1], masses=m).positions
        own = model.forecast_in(x, v, q, torch.float64, m)[0]
        np.testing.assert_allclose(public, own, rtol=0, atol=1e-9 * scale.length)
    for found in errors.values():
        assert found == pytest.approx(errors["reduced"], rel=1e-3)


def test_several_own_files_share_one_scale_and_train(tmp_path: Path) -> None:
    parts = [in_units(Scales(length=1e4, time=1e-3), drawn(20, seed)) for seed in range(2)]
    run = trained(tmp_path, parts)
    scales = load(run).scales
    together = {key: np.concatenate([p[key][:18] for p in parts]) for key in ("positions", "charges", "masses")}
    x = together["positions"][:, 0]
    radii = np.sqrt(((x - x.mean(axis=1, keepdims=True)) ** 2).sum(-1).mean(-1))
    assert scales.length == pytest.approx(np.median(radii))
    assert scales.mass == pytest.approx(np.median(together["masses"]))
    assert columns(run)["valid_relative"] < 2.0


def test_float32_positions_in_si_forecast_as_float64_ones(tmp_path: Path) -> None:
    state = in_units(UNITS["si"], drawn())
    model = load(trained(tmp_path, [state]))
    x, v, q, m = (state[name] for name in ("positions", "velocities", "charges", "masses"))
    single = [a.astype(np.float32) for a in (x[:, 0], v[:, 0], q, m)]
    found = model.forecast(*single[:3], horizon=model.horizon, masses=single[3])
    expected = model.forecast(*(a.astype(np.float64) for a in single[:3]), horizon=model.horizon, masses=m)
    assert found.positions.dtype == np.float32
    np.testing.assert_allclose(found.positions, expected.positions, rtol=0, atol=1e-5 * model.scales.length)


def fit(arrays: dict[str, Any], path: Path) -> Scales:
    return fitted_scales([read_split(npz(path, arrays), "train")], [np.array([1])], 1.0)


def test_scales_are_medians_and_odd_samples_move_nothing(tmp_path: Path) -> None:
    arrays = drawn(101)
    scales = fit(arrays, tmp_path / "a.npz")
    x = arrays["positions"][:, 1]
    radii = np.sqrt(((x - x.mean(axis=1, keepdims=True)) ** 2).sum(-1).mean(-1))
    assert scales == Scales(pytest.approx(np.median(radii)), 1.0, 1.0, pytest.approx(np.median(arrays["masses"])))
    odd = {key: values.copy() for key, values in arrays.items()}
    odd["positions"][3] *= 1e8
    odd["charges"][4] *= 1e8
    odd["masses"][5] *= 1e8
    moved = fit(odd, tmp_path / "b.npz")
    assert moved.length == pytest.approx(scales.length, rel=0.05)
    assert (moved.charge, moved.mass) == (1.0, pytest.approx(scales.mass, rel=0.05))


def test_nothing_to_measure_is_one(tmp_path: Path) -> None:
    arrays = drawn()
    assert fit(arrays | {"charges": np.zeros((40, 3))}, tmp_path / "a.npz").charge == 1.0
    still = arrays | {"positions": np.zeros_like(arrays["positions"])}
    assert fit(still, tmp_path / "b.npz").length == 1.0
    mixed = arrays | {"charges": arrays["charges"] * np.array([0.0, 0.0, 3e-19])}
    assert fit(mixed, tmp_path / "c.npz").charge == 3e-19
    with pytest.raises(InputError, match="too large or close"):
        fit(arrays | {"positions": arrays["positions"] * 1e200}, tmp_path / "d.npz")


def test_equal_masses_of_any_size_train_a_model_for_equal_masses(tmp_path: Path) -> None:
    arrays = drawn() | {"masses": np.full((40, 3), 6.6e-26)}
    model = load(trained(tmp_path, [arrays], "egnn"))
    x, v, q, m = arrays["positions"][:, 0], arrays["velocities"][:, 0], arrays["charges"], arrays["masses"]
    with_masses = model.forecast(x, v, q, horizon=0.5, masses=m)
    np.testing.assert_array_equal(with_masses.positions, model.forecast(x, v, q, horizon=0.5).positions)
    with pytest.raises(InputError, match=r"equal masses of 6\.6e-26 and takes no others"):
        model.forecast(x, v, q, horizon=0.5, masses=2 * m)


def test_neutral_particles_of_other_masses_need_a_force_that_scales_with_them(tmp_path: Path) -> None:
    neutral = drawn() | {"charges": np.zeros((40, 3))}
    with pytest.warns(UserWarning, match=r"no force of this model scales with them \(model.couplings = "):
        trained(tmp_path, [neutral], epochs=1)
