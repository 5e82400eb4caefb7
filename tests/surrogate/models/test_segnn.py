"""SEGNN: equal to the published code with the same weights and the centroid, whose mean of coordinates fails."""

import pytest
import torch

from physics.errors import InputError
from surrogate.models.segnn import SEGNN, SEGNNConfig
from tests.surrogate.models.cases import (
    BROKEN,
    awake,
    distance,
    made,
    outputs,
    reflection,
    rotation,
    shifting_error,
    states,
    turning_error,
)
from tests.surrogate.models.public_code import stored, with_ruled_weights

FORMS = {
    "segnn": SEGNNConfig(),
    "linear": SEGNNConfig(message="linear", channels=40),
    "nonlinear": SEGNNConfig(message="nonlinear"),
    "degrees": SEGNNConfig(channels=4, degree=2, harmonics=3),
}


def ruled(config: SEGNNConfig) -> SEGNN:
    model = with_ruled_weights(SEGNN(config))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(4)  # one array holds the weights of all paths: the rule makes them small
    return model


def with_the_mean_of_coordinates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SEGNN, "_centres", staticmethod(lambda x, edges: x.mean(-1, keepdim=True)))


@pytest.mark.parametrize("form", FORMS)
def test_equals_the_published_code_with_the_centroid(form: str) -> None:
    found = stored("segnn")
    model = ruled(FORMS[form])
    (x_hat,) = outputs(model, found["x"], found["v"], found["q"])
    assert float((found[form] - found["x"]).abs().max()) > 0.04
    assert distance([x_hat], [found[form]]) < 1e-6


def test_equals_the_published_code_as_it_is_with_the_mean_of_coordinates(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stored("segnn")
    model = ruled(SEGNNConfig())
    assert distance(outputs(model, found["x"], found["v"], found["q"]), [found["coordinate_mean"]]) > BROKEN
    with_the_mean_of_coordinates(monkeypatch)
    assert distance(outputs(model, found["x"], found["v"], found["q"]), [found["coordinate_mean"]]) < 1e-6


def test_the_mean_of_coordinates_breaks_what_shifts_along_the_diagonal_do_not_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, (x, v, q) = awake(made("segnn")).double(), states()
    assert turning_error(model, rotation(3), x, v, q) < 1e-10
    with_the_mean_of_coordinates(monkeypatch)
    assert turning_error(model, rotation(3), x, v, q) > BROKEN
    assert turning_error(model, reflection(3), x, v, q) > BROKEN
    assert shifting_error(model, x, v, q) > BROKEN
    along = [o - 3.0 for o in outputs(model, x + 3.0, v, q)]
    assert distance(along, outputs(model, x, v, q)) < 1e-10


@pytest.mark.parametrize(
    ("degree", "harmonics", "channels", "count"), [(1, 2, 29, 142_361), (2, 2, 20, 162_380), (2, 3, 18, 147_960)]
)
def test_higher_degrees_are_equivariant_and_as_large_as_published(degree, harmonics, channels, count) -> None:
    torch.manual_seed(0)
    model = SEGNN(SEGNNConfig(degree=degree, harmonics=harmonics, channels=channels))
    assert model.n_parameters == count
    model = model.double()
    x, v, q = states()
    assert float((outputs(model, x, v, q)[0] - x).abs().max()) > 0.05
    for matrix in (rotation(3), reflection(3)):
        assert turning_error(model, matrix, x, v, q) < 1e-12


def test_vectors_in_another_order_of_components_fail() -> None:
    model, (x, v, q) = awake(made("segnn")).double(), states()
    turn = torch.as_tensor(rotation(3))
    here = outputs(model, x, v[..., [1, 2, 0]], q)
    there = outputs(model, x @ turn.T, (v @ turn.T)[..., [1, 2, 0]], q)
    assert distance(there, [o @ turn.T for o in here]) > BROKEN


def test_unknown_forms_and_degrees_are_refused() -> None:
    for config, name in ((SEGNNConfig(message="other"), "message"), (SEGNNConfig(degree=0), "degree")):
        with pytest.raises(InputError, match=name):
            SEGNN(config)
