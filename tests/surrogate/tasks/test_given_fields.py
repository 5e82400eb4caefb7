"""Fields that come with the data: in windows, batches, training and forecasts, in own units, turned along."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.reading import read_split
from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.comparison.subjects import WorldRotation, stored_comparison
from surrogate.evaluation.field_recovery import learned_fields
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.inference.training_range import fields_outside
from surrogate.models.integrator import external_fields
from surrogate.tasks.dynamics.batches import batches
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import windows
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import npz, saved_model, tiny_arrays

FIELDS = ("uniform_field", "magnetic_field")
GIVEN = {"fields": "given-uniform,given-magnetic", "evaluations": 2}


def with_fields(samples: int = 12, n: int = 3, **settings: Any) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    b = rng.standard_normal((samples, n, n))
    arrays = tiny_arrays(samples, n=n, **settings)
    return arrays | {"uniform_field": rng.standard_normal((samples, n)), "magnetic_field": b - b.swapaxes(1, 2)}


def run_of(path: Path, out: Path, epochs: int = 2, batch_size: int = 4, **model: Any) -> Forecaster:
    tree = {
        "model": {"name": "integrator", "hidden": 8, "evaluations": 2, **model},
        "data": {"paths": [str(path)]},
        "train": {"epochs": epochs, "batch_size": batch_size, "threads": 1, "lr": 0.01},
    }
    train(config_from_tree(tree, "test"), out, resume=False, device="cpu", command="test", quiet=True)
    return load(out)


pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


def test_windows_and_batches_have_them_in_the_units_of_the_run(tmp_path: Path) -> None:
    arrays, scales = with_fields(), Scales(2.0, 0.5, 3.0, 4.0)
    split = read_split(npz(tmp_path / "a.npz", arrays), "train")
    found = windows(split, "train", DataConfig(), scales, centre=True, takes=FIELDS, dtype=torch.float64)
    np.testing.assert_allclose(found.given["uniform_field"], arrays["uniform_field"] / (2.0 / 0.25))
    np.testing.assert_allclose(found.given["magnetic_field"], arrays["magnetic_field"] / (4.0 / (3.0 * 0.5)))
    for batch in batches([found], 4, 0, 0, "mse"):
        at = [int((found.x[:, 0] == x).all((1, 2)).nonzero()) for x in batch.x]
        assert all(torch.equal(batch.given[name], found.given[name][at]) for name in FIELDS)
    plain = windows(split, "train", DataConfig(), scales, centre=True)
    assert plain.given == next(iter(batches([plain], 4, 0, 0, "mse"))).given == {}


def test_fields_of_a_smaller_dimension_get_zeros_and_data_without_any_have_none(tmp_path: Path) -> None:
    three = read_split(npz(tmp_path / "a.npz", with_fields()), "train")
    two = read_split(npz(tmp_path / "b.npz", with_fields(n=2)), "train")
    free = read_split(npz(tmp_path / "c.npz", tiny_arrays(n=2)), "train")
    sets = [windows(s, "train", DataConfig(), Scales(), centre=True, takes=FIELDS) for s in (three, two, free)]
    batch = next(iter(batches(sets, 6, 0, 0, "mse")))
    uniform, magnetic = (batch.given[name].reshape(3, 2, -1) for name in FIELDS)
    assert bool(uniform[0].all())
    assert bool(uniform[1, :, :2].all())
    assert not bool(uniform[1, :, 2].any())
    assert not bool(uniform[2].any() or magnetic[2].any())
    assert torch.equal(magnetic[1].reshape(2, 3, 3)[:, 2], torch.zeros(2, 3))


def test_a_run_learns_their_strength_and_says_what_it_saw(tmp_path: Path) -> None:
    arrays = with_fields()
    model = run_of(npz(tmp_path / "a.npz", arrays), tmp_path / "run", **GIVEN)
    assert model.takes == FIELDS
    strengths = learned_fields(model)
    assert strengths["uniform_strength"]["per_mass"] != 0 != strengths["magnetic_strength"]
    norms = np.linalg.norm(arrays["uniform_field"][:11], axis=1)
    np.testing.assert_allclose(model.card["fields"]["uniform_field"], [norms.min(), norms.max()], rtol=1e-4)
    assert fields_outside(model.card, {"uniform_field": 3 * arrays["uniform_field"]})[0].startswith(
        "uniform field"
    )
    assert fields_outside(model.card, {})[0].startswith("no uniform field (trained: ")
    assert fields_outside(model.card, {name: arrays[name][:11] for name in FIELDS}) == ()
    assert fields_outside({}, {"uniform_field": np.ones((1, 3))}) == ("uniform field up to 1.73 (trained: none)",)


def test_fields_learn_faster_than_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first step of Adam moves every parameter by its rate."""
    found = []
    for rate in (10.0, 1.0):
        monkeypatch.setattr(external_fields, "RATE", rate)
        path = npz(tmp_path / f"{rate}.npz", with_fields())
        model = run_of(path, tmp_path / f"{rate}", fields="uniform", dims=3, epochs=1, batch_size=11)
        found.append(np.array(learned_fields(model)["uniform"]))
    np.testing.assert_allclose(found[0], 10.0 * found[1], rtol=1e-3)
    assert np.abs(found[1]).min() > 0


def test_a_model_is_trained_on_what_it_sees_alone(tmp_path: Path) -> None:
    free = npz(tmp_path / "free.npz", tiny_arrays())
    with pytest.raises(InputError, match="no uniform_field, which model"):
        run_of(free, tmp_path / "a", **GIVEN)
    with pytest.warns(UserWarning, match="the data have magnetic_field and uniform_field, which this model"):
        run_of(npz(tmp_path / "b.npz", with_fields()), tmp_path / "b")


def test_learned_fields_are_told_in_the_units_of_the_data(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays())
    model = run_of(path, tmp_path / "run", fields="uniform,electric,magnetic", dims=3)
    network, scales = model.network(torch.float64), model.scales
    with torch.no_grad():
        for value in network.fields.values.values():
            value.fill_(1.0)
    found = learned_fields(model)
    unit = scales.length / scales.time**2
    assert found["uniform"] == pytest.approx([unit] * 3)
    assert found["electric"] == pytest.approx([unit * scales.mass / scales.charge] * 3)
    b = scales.mass / (scales.charge * scales.time)
    np.testing.assert_allclose(found["magnetic"], b * np.array([[0, 1, 1], [-1, 0, 1], [-1, -1, 0]]))
    assert json.loads(json.dumps(found)) == found


@pytest.fixture
def model(tmp_path: Path) -> Forecaster:
    return load(saved_model(tmp_path / "model", "integrator", fields=GIVEN["fields"]))


def state(arrays: dict[str, Any]) -> tuple[Any, Any, Any]:
    return arrays["positions"][:, 0], arrays["velocities"][:, 0], arrays["charges"]


def test_they_are_keywords_of_a_forecast(model: Forecaster) -> None:
    arrays = with_fields()
    fields = {name: arrays[name] for name in FIELDS}
    whole = model.forecast(*state(arrays), **fields).positions
    one = model.forecast(*(a[0] for a in state(arrays)), **{name: a[0] for name, a in fields.items()}).positions
    np.testing.assert_allclose(one, whole[0], atol=1e-12)
    alike = model.forecast(*state(arrays), **{name: a[0] for name, a in fields.items()}).positions
    np.testing.assert_allclose(alike[0], whole[0], atol=1e-12)
    assert np.abs(alike[1] - whole[1]).max() > 1e-3
    alone = model.forecast(*state(arrays), uniform_field=fields["uniform_field"]).positions
    zero = {"magnetic_field": np.zeros((3, 3))}
    again = model.forecast(*state(arrays), uniform_field=fields["uniform_field"], **zero).positions
    np.testing.assert_array_equal(alone, again)
    tensor = torch.tensor(fields["uniform_field"], requires_grad=True)
    model.forecast(*map(torch.as_tensor, state(arrays)), uniform_field=tensor).positions.sum().backward()
    assert float(tensor.grad.abs().min()) > 1e-6


def test_what_a_forecast_refuses(model: Forecaster, tmp_path: Path) -> None:
    arrays = with_fields()
    plain = load(saved_model(tmp_path / "plain", "integrator"))
    field = arrays["uniform_field"]
    for asked, given, said in (
        (plain, {"uniform_field": field}, "does not see uniform_field; it takes none"),
        (model, {}, "needs uniform_field or magnetic_field; none given"),
        (model, {"edges": np.ones((3, 3))}, "does not see edges; it takes uniform_field, magnetic_field"),
        (
            model,
            {"uniform_field": field[:, :2]},
            r"must be \(12, 3\) or \(3,\); got shape \(12, 2\)",
        ),
        (model, {"magnetic_field": np.ones((3, 3))}, "magnetic_field must be antisymmetric"),
        (model, {"uniform_field": [np.nan] * 3}, "uniform_field must be finite"),
    ):
        with pytest.raises(InputError, match=said):
            asked.forecast(*state(arrays), **given)


def test_an_evaluation_turns_them_with_the_world(model: Forecaster, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("surrogate.evaluation.single_forecasts.FORWARD_REPEATS", 2)
    arrays = with_fields(spacing=1.0)
    split = read_split(npz(tmp_path / "a.npz", arrays), "test")
    found = evaluation(model, split, "test", dtype="float64", has_splits=False)
    assert found["equivariance_error_max"] < 1e-10
    x, v, q = state(arrays)
    forecast = model.with_horizon(1.0).forecast(x, v, q, **{name: arrays[name] for name in FIELDS}).positions
    assert found["mse"] == pytest.approx(float(np.mean((forecast - arrays["positions"][:, 1]) ** 2)))


def test_a_comparison_turns_them_with_the_world(model: Forecaster, tmp_path: Path) -> None:
    arrays = with_fields(spacing=1.0, frames=3)
    split = read_split(npz(tmp_path / "a.npz", arrays), "test")
    seen = {}
    for name, world in (("still", WorldRotation()), ("turned", WorldRotation(random_seed=1))):
        seen[name] = stored_comparison(model, split, "test", 2, world)
        assert seen[name].equivariance_error < 1e-5
    turned = seen["turned"]
    np.testing.assert_allclose(
        turned.forecast.positions, seen["still"].forecast.positions @ turned.rotation.T, atol=1e-4
    )
    chosen = {name: arrays[name][2] for name in FIELDS}
    alone = model.forecast(*(a[2] for a in state(arrays)), **chosen).positions
    np.testing.assert_allclose(seen["still"].forecast.positions[0], alone, atol=1e-4)


def test_a_bound_model_has_the_fields_of_its_system(model: Forecaster) -> None:
    arrays = with_fields()
    fields = {name: arrays[name][0] for name in FIELDS}
    bound = model.with_given(**fields)
    here = bound.forecast(*state(arrays)).positions
    np.testing.assert_array_equal(here, model.forecast(*state(arrays), **fields).positions)
    r = random_orthogonal(3, np.random.default_rng(0))
    x, v, q = state(arrays)
    there = bound.turned(r).forecast(x @ r.T, v @ r.T, q).positions
    np.testing.assert_allclose(there, here @ r.T, atol=1e-10)
    assert np.abs(bound.forecast(x @ r.T, v @ r.T, q).positions - there).max() > 1e-2
