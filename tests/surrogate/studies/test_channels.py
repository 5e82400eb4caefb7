"""The channels of a pair law, chosen by held-out windows: laws that need one, laws that need both."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.split import DataSplit
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.external_fields import ExternalFields
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.studies.channels import (
    TOLERANCE,
    candidates,
    chosen_couplings,
    chosen_fields,
    field_candidates,
    held_out_error,
    simplest,
    with_couplings,
    with_fields,
    with_kinds,
)
from surrogate.tasks.dynamics.scales import Scales
from surrogate.training.config import Config, load_config
from tests.surrogate.helpers import npz, tree
from tests.surrogate.models.integrators import Uncopied, coulomb_table, forecast, knowing_coulomb, state


def law_of(constant: float, charges: float) -> Integrator:
    """An integrator that knows the force (constant + charges q_i q_j) r_ij / (r^2 + 0.5^2)^(3/2)."""
    model = Integrator(IntegratorConfig(softening=0.5)).eval()
    table = torch.stack([coulomb_table(model.law, strength) for strength in (constant, charges)])
    model.law.table = lambda: table  # type: ignore[method-assign]
    return model


def arrays_of(
    constant: float, charges: float, samples: int = 30, frames: int = 9, fields: ExternalFields | None = None
) -> dict[str, Any]:
    """Trajectories of three particles under that law and those fields, frames 0.1 apart."""
    x, v, q, m = state(samples, 3, spread=0.7)
    model, m = law_of(constant, charges), torch.ones_like(m)
    model.fields = fields
    at = [(x, v)]
    for _ in range(frames - 1):
        now, speed = forecast(model, *at[-1], q, m, horizon=0.1, evaluations=8)
        at.append((now, speed))
    positions, velocities = (torch.stack(list(a), dim=1).numpy() for a in zip(*at, strict=True))
    return {
        "positions": positions,
        "velocities": velocities,
        "charges": q.numpy(),
        "times": 0.1 * np.arange(frames),
    }


def config_for(data: Path) -> Config:
    changes = {
        "train.epochs": "100",
        "model.hidden": "16",
        "model.evaluations": "8",
        "train.batch_size": "27",
        "train.lr": "1e-2",
    }
    config = load_config("integrator-law", changes)
    return replace(config, data=replace(config.data, paths=(str(data),)))


def test_only_channels_the_data_can_tell_apart_are_candidates() -> None:
    x, one = np.zeros((2, 3, 4, 3)), np.ones((2, 4))

    def split(q: Any, m: Any) -> DataSplit:
        return DataSplit(x, x, q, m, np.arange(3.0), "t", {})

    other = one * np.array([1, -1, 1, 2])
    assert candidates(split(0 * one, one)) == ["constant"]
    assert candidates(split(other, one)) == ["constant", "charges", "constant,charges"]
    assert candidates(split(0 * one, abs(other))) == ["constant", "masses", "constant,masses"]
    assert candidates(split(other, abs(other)))[-1] == "constant,charges,masses"
    given = replace(split(0 * one, one), edges=np.ones((2, 4, 4)), species=np.array([[3, 3, 1, 1]] * 2))
    assert candidates(given)[:3] == ["constant", "edges", "species"]
    assert with_kinds(load_config("integrator-law"), given).model_config.kinds == "1,3"
    assert candidates(replace(given, edges=np.zeros((2, 4, 4)), species=3 + 0 * given.species)) == ["constant"]


@pytest.mark.parametrize(
    ("constant", "charges", "both", "chosen"),
    [
        (1.0, 1e-6, 1e-6, "charges"),
        (1.0, 0.99 * TOLERANCE, 1.0, "constant"),
        (2.0, 1.5, 1.0, "charges"),
        (1.01 * TOLERANCE, 2 * TOLERANCE, 1.0, "constant,charges"),
    ],
)
def test_the_simplest_that_explains_is_chosen(constant: float, charges: float, both: float, chosen: str) -> None:
    assert simplest({"constant": constant, "charges": charges, "constant,charges": both}) == chosen


def test_held_out_error_is_of_most_windows_and_not_of_the_worst() -> None:
    data = arrays_of(0.0, 1.0, samples=10)
    true = Uncopied(law_of(0.0, 1.0), name="t", card={}, horizon=1.0, scales=Scales())
    wrong = Uncopied(knowing_coulomb(-1.0), name="w", card={}, horizon=1.0, scales=Scales())
    config = load_config("integrator-law")

    def error(model: Forecaster) -> float:
        values = (data["positions"], data["velocities"], data["charges"], np.ones((10, 3)), data["times"])
        return held_out_error(model, DataSplit(*values, "t", {}), config)

    before = error(true)
    assert before < 1e-8
    assert error(wrong) > 1e3 * before
    data["positions"][0, -1] += 100.0  # one window of fifty
    assert error(true) < 2 * before


@pytest.mark.parametrize(
    ("constant", "charges", "chosen"),
    [(0.0, 1.0, "charges"), (-1.0, 0.0, "constant"), (-0.7, 0.7, "constant,charges")],
)
def test_a_law_gets_the_channels_it_has(constant: float, charges: float, chosen: str, tmp_path: Path) -> None:
    data = npz(tmp_path / "d.npz", arrays_of(constant, charges))
    config = config_for(data)
    with pytest.warns(UserWarning, match="no valid split"):
        assert chosen_couplings(config, tmp_path / "trials", "test") == chosen
    trials = tree(tmp_path / "trials")
    assert {Path(name).parts[0] for name in trials} == {"constant", "charges", "constant+charges"}
    with pytest.warns(UserWarning, match="no valid split"):
        assert chosen_couplings(config, tmp_path / "trials", "test") == chosen
    assert {k: v for k, v in tree(tmp_path / "trials").items() if "run.json" not in k} == {
        k: v for k, v in trials.items() if "run.json" not in k
    }


def test_couplings_are_all_that_changes() -> None:
    config = load_config("integrator-law")
    changed = with_couplings(config, "masses")
    assert changed.model_config.couplings == "masses"
    assert with_couplings(changed, config.model_config.couplings) == config


# Fields


def test_fields_are_learned_unless_the_data_give_them() -> None:
    x, one = np.zeros((2, 3, 4, 3)), np.ones((2, 4))

    def split(q: Any, **given: Any) -> DataSplit:
        return DataSplit(x, x, q, one, np.arange(3.0), "t", {}, **given)

    assert field_candidates(split(0 * one)) == ["", "uniform"]
    assert field_candidates(split(one))[:4] == ["", "uniform", "electric", "magnetic"]
    assert field_candidates(split(one))[-1] == "uniform,electric,magnetic"
    given = split(one, uniform_field=np.ones((2, 3)), magnetic_field=np.zeros((2, 3, 3)))
    assert field_candidates(given)[-1] == "given-uniform,given-magnetic"


@pytest.mark.parametrize(
    ("without", "one", "both", "chosen"),
    [(1.0, 1e-6, 1e-6, "uniform"), (0.99 * TOLERANCE, 1.0, 1.0, ""), (1.0, 1.0, 1e-6, "uniform,magnetic")],
)
def test_the_fewest_fields_that_explain_are_chosen(without: float, one: float, both: float, chosen: str) -> None:
    errors = {"": without, "uniform": one, "magnetic": 2.0 * without, "uniform,magnetic": both}
    assert simplest(errors) == chosen


@pytest.mark.parametrize(("term", "chosen"), [("", ""), ("uniform", "uniform")])
def test_data_get_the_field_that_acts_in_them(
    term: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = ExternalFields((term,), 3) if term else None
    if fields is not None:
        with torch.no_grad():
            fields.values[term].copy_(torch.tensor([0.5, 0.0, -1.0]))
    arrays = arrays_of(0.0, 1.0, fields=fields)
    config = with_couplings(config_for(npz(tmp_path / "d.npz", arrays)), "charges")
    monkeypatch.setattr("surrogate.studies.channels.field_candidates", lambda _: ["", "uniform"])
    with pytest.warns(UserWarning, match="no valid split"):
        assert chosen_fields(config, tmp_path / "trials", "test") == chosen
    assert {Path(name).parts[0] for name in tree(tmp_path / "trials")} == {"none", "uniform"}


def test_a_model_is_bound_to_a_dimension_by_what_it_learns_alone() -> None:
    config = load_config("integrator-law")
    assert with_fields(config, "uniform,given-magnetic", 3).model_config.dims == 3
    assert with_fields(config, "given-magnetic", 3).model_config.dims == 0
    assert with_fields(with_fields(config, "magnetic", 2), "", 2) == config
