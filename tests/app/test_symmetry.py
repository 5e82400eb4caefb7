"""Lack of equivariance, round-off and chaos are told apart, on real models and on made-up numbers."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.presenters.readouts import readouts
from app.viewmodel.presenters.verdicts import model_verdict, truth_verdict
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.symmetry import NAMES, ROUND_OFF, Symmetry
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.symmetry import elements, relative, sampled_frames

TURNED = Setup(scenario="bound", model=default_model(), contrast="gnn-nbody", operations=(Turn(0, 1, 40.0),))
TIMES = np.linspace(0.0, 9.0, 10)


@pytest.fixture(scope="module")
def result():
    return result_of(TURNED)


@pytest.mark.parametrize("operations", [(), (Turn(0, 1, 40.0),)])
def test_the_models_and_the_engine_as_they_are(operations):
    made = result_of(replace(TURNED, operations=operations))
    found = made.symmetry
    assert set(found) == {"model", "contrast", "engine"}
    for one in found.values():
        assert set(one.errors) == set(NAMES)
        assert all(len(values) == len(one.frames) for values in one.errors.values())
    assert found["model"].broken() == ()
    assert found["model"].first_large() is None
    assert found["contrast"].broken() == ("rotation", "reflection", "translation")
    assert max(v.max() for v in found["engine"].errors.values()) < 1e-9
    text = readouts(ViewState(setup=made.setup, result=made)).explanation
    assert "integrator-nd is equivariant to round-off." in text
    assert "gnn-nbody is not equivariant (rotation, reflection, translation)" in text
    assert "The truth is equivariant to round-off." in text


def test_the_rotation_is_the_world_rotation_of_the_contract(result):
    errors = result.symmetry["contrast"].errors["rotation"]
    frames = result.symmetry["contrast"].frames
    assert np.median(errors) == pytest.approx(result.contrast.equivariance_error, rel=0.3)
    assert result.symmetry["contrast"].at("rotation", int(frames[3])) == errors[3]
    assert np.array_equal(result.symmetry["engine"].errors["rotation"], result.truth_residual)


def test_under_the_clamped_law_the_truth_itself_fails_and_the_model_does_not():
    made = result_of(replace(TURNED, clamped=True, seed=2))
    assert made.symmetry["model"].broken() == ()
    assert max(made.symmetry["engine"].errors["rotation"]) > 0.1
    text = readouts(ViewState(setup=made.setup, result=made)).explanation
    assert "integrator-nd is equivariant to round-off." in text
    assert "The truth itself is not equivariant" in text
    assert "reference law" in text


def test_a_clamp_that_never_acts_does_not_convict_the_truth():
    made = result_of(replace(TURNED, clamped=True, seed=3))
    text = readouts(ViewState(setup=made.setup, result=made)).explanation
    assert "The clamp was never reached" in text
    assert "The truth is equivariant to round-off." in text


def found(errors: dict[str, object], double: dict[str, float] | None = None) -> Symmetry:
    values = {name: np.broadcast_to(errors.get(name, 1e-13), (10,)) for name in NAMES}
    return Symmetry(np.arange(10), values, double or {})


GROWING = 10.0 ** np.arange(-13.0, -3.0 + 7.0, 2.0)[:10]


def test_verdicts_on_models():
    fine = dict.fromkeys(NAMES, 1e-15)
    assert model_verdict("a", found({}, fine), TIMES) == "a is equivariant to round-off."
    broken = model_verdict("a", found({"reflection": 0.2}, fine | {"reflection": 0.2}), TIMES)
    assert broken == "a is not equivariant (reflection): 0.2 off, in double precision too."
    chaotic = found({"rotation": np.where(TIMES < 6.5, 1e-7, 1e-2)}, fine)
    assert model_verdict("a", chaotic, TIMES) == "a is equivariant; the difference is chaos after t = 7.0."


def test_verdicts_on_the_truth():
    late = np.where(TIMES < 4.5, 1e-12, 1e-2)
    chaos = found(dict.fromkeys(NAMES, late))
    for isotropic in (True, False):  # every error grows alike: chaos, whatever the law
        said = truth_verdict(chaos, TIMES, "some", isotropic)
        assert said == "The truth is equivariant; the difference is chaos after t = 5.0."
    clamp = found({"rotation": late, "reflection": late})
    said = truth_verdict(clamp, TIMES, "reference", False)
    assert said == "The truth itself is not equivariant (from t = 5.0 on): the reference law is not isotropic."
    assert truth_verdict(found({}), TIMES, "reference", False) == "The truth is equivariant to round-off."


@pytest.mark.parametrize("n", [1, 2, 5])
def test_elements_are_of_the_group_and_do_something(n):
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((3, 4, n)), rng.standard_normal((3, 4, n))
    q = np.tile([1.0, -1.0, 2.0, 3.0], (3, 1))
    for name, element in elements(n, 4, 2.0, None).items():
        R = element.matrix
        assert np.abs(R.T @ R - np.eye(n)).max() < 1e-12
        assert np.linalg.det(R) == pytest.approx(-1.0 if name == "reflection" else 1.0)
        moved, _, charges, _ = element.states((x, v, q, q))
        assert n == 1 or not np.allclose(moved, x), name
        apart = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)
        again = np.linalg.norm(moved[:, :, None] - moved[:, None], axis=-1)
        assert np.allclose(apart[:, element.order][:, :, element.order], again)
        assert np.array_equal(charges, q[:, element.order])


def test_frames_and_relative_errors():
    assert sampled_frames(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert len(sampled_frames(276, 60)) <= 60
    f = np.array([[[1.0], [-1.0]]])
    assert relative(f + 0.5, f)[0] == pytest.approx(0.5)
    assert ROUND_OFF == 1e-4
