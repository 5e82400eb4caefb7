"""`forecast_many`: systems of any sizes, each as it is forecast alone, in one call."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import surrogate
from physics.errors import InputError
from surrogate.inference import mixed_sizes
from surrogate.inference.loading import load
from surrogate.models import MODELS
from tests.surrogate.helpers import saved_model, state

SIZES = (3, 5, 2, 5, 7)


def systems(dtype: Any = np.float64, **more: Any) -> list[dict[str, Any]]:
    names = ("positions", "velocities", "charges")
    found = []
    for k, n in enumerate(SIZES):
        arrays = [a[k % 4] for a in state(4, n, dtype=dtype)]
        extra = {name: make(n).astype(dtype) for name, make in more.items()}
        found.append(dict(zip(names, arrays, strict=True)) | extra)
    return found


def some_edges(n: int) -> np.ndarray:
    below = np.tril(np.random.default_rng(n).integers(0, 2, (n, n)), -1)
    return below + below.T


KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "all pairs": ("egnn", {}, {}),
    "without kernels": ("egnn", {"velocity": "none"}, {}),
    "near pairs": ("egnn", {"neighbours": 2}, {"box": lambda n: np.full(3, 6.0)}),
    "given edges": ("egnn", {"edge_attributes": 1}, {"edges": some_edges}),
    "with velocities": ("segno", {}, {}),
    "no graphs": ("integrator", {"couplings": "charges,masses"}, {"masses": lambda n: 1.0 + np.arange(n)}),
}
SCALES = {"length": 2.5, "time": 0.5, "charge": 1.5, "mass": 1.0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_is_forecast_as_it_is_alone(tmp_path: Path, kind: str, dtype: Any) -> None:
    name, settings, more = KINDS[kind]
    model = load(saved_model(tmp_path / "m", name, info={"scales": SCALES, "horizon": 0.5}, **settings))
    given = systems(dtype, **more)
    together = surrogate.forecast_many(model, given, 0.5)
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    for one, system in zip(together, given, strict=True):
        alone = model.forecast(horizon=0.5, **system)
        assert one.positions.dtype == dtype
        np.testing.assert_allclose(one.positions, alone.positions, atol=tolerance, rtol=tolerance)
        assert np.abs(one.positions - system["positions"]).max() > 1e-3
        assert (one.velocities is None) == (alone.velocities is None)
        if one.velocities is not None:
            np.testing.assert_allclose(one.velocities, alone.velocities, atol=tolerance, rtol=tolerance)
        assert one.outside_training == alone.outside_training
        assert (one.evaluations, one.finite) == (alone.evaluations, alone.finite)


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if row.graphs])
@pytest.mark.parametrize("near", [{}, {"neighbours": 2}], ids=["all pairs", "near pairs"])
def test_every_model_that_takes_graphs_takes_systems_of_any_sizes(tmp_path: Path, name: str, near: Any) -> None:
    near = {} if name == "linear" else near  # which sees no pairs
    model, given = load(saved_model(tmp_path / "m", name, **near)), systems()
    for one, system in zip(surrogate.forecast_many(model, given), given, strict=True):
        alone = model.forecast(**system).positions
        np.testing.assert_allclose(one.positions, alone, atol=1e-9 * np.abs(alone).max(), rtol=0)


def test_many_are_cut_into_graphs_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = load(saved_model(tmp_path / "m", velocity="none")), systems()  # which has no kernels
    whole = surrogate.forecast_many(model, given)
    calls = []
    inner = mixed_sizes._passed
    monkeypatch.setattr(mixed_sizes, "BATCH_EDGES", 30)
    monkeypatch.setattr(
        mixed_sizes, "_passed", lambda m, some, *more: (calls.append(len(some)), inner(m, some, *more))[1]
    )
    parts = surrogate.forecast_many(model, given)
    assert calls == [3, 1, 1]
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-12)


def test_tensors_stay_tensors_and_differentiable(tmp_path: Path) -> None:
    model = load(saved_model(tmp_path / "m"))
    given = [{name: torch.as_tensor(a) for name, a in system.items()} for system in systems()]
    given[1]["positions"].requires_grad_()
    found = surrogate.forecast_many(model, given)
    sum(one.positions.sum() for one in found).backward()
    assert torch.isfinite(given[1]["positions"].grad).all()
    assert given[1]["positions"].grad.abs().sum() > 0


def test_none_are_none_and_kinds_may_be_mixed(tmp_path: Path) -> None:
    model = load(saved_model(tmp_path / "m"))
    assert surrogate.forecast_many(model, []) == []
    single, double = systems(np.float32), systems()
    found = surrogate.forecast_many(model, [single[0], double[1], single[2]])
    assert [one.positions.dtype for one in found] == [np.float32, np.float64, np.float32]


def test_what_does_not_fit_is_refused_with_the_number_of_its_system(tmp_path: Path) -> None:
    model, given = load(saved_model(tmp_path / "m")), systems()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({name: a[None] for name, a in given[1].items()}, r"system 1: positions must be \(N, n\)"),
        ({"charges": np.ones(4)}, "system 1: charges must be"),
        ({"edges": np.ones((5, 5))}, "system 1: model 'm' does not see edges"),
        ({name: given[1][name][:, :2] for name in ("positions", "velocities")}, "the same n; got 2, 3"),
    ]
    for changed, said in wrong:
        with pytest.raises(InputError, match=said):
            surrogate.forecast_many(model, [given[0], given[1] | changed])
    with pytest.raises(InputError, match="system 0: no velocities and no charges"):
        surrogate.forecast_many(model, [{"positions": given[0]["positions"]}])
