"""CGENN: outputs of the public code, and what breaks its equivariance."""

import torch

from surrogate.models import MODELS
from surrogate.models.cgenn.layers import MVLinear
from tests.surrogate.models.cases import (
    BROKEN,
    awake,
    made,
    outputs,
    rotation,
    shifting_error,
    states,
    turning_error,
)
from tests.surrogate.models.references import reference, ruled


def test_outputs_are_those_of_the_public_code():
    kept = reference("cgenn")
    (found,) = outputs(ruled(made("cgenn")), kept["x"], kept["v"], kept["q"])
    assert float((kept["output"] - kept["x"]).abs().max()) > 0.1
    assert float((found - kept["output"]).abs().max()) < 1e-9


def test_a_bias_on_vectors_fails_rotations(monkeypatch):
    model = awake(made("cgenn")).double()
    state = states()
    assert turning_error(model, rotation(3), *state) < 1e-10
    whole = MVLinear.forward

    def biased(self, f):
        made = whole(self, f)
        made[1] += 0.1
        return made

    monkeypatch.setattr(MVLinear, "forward", biased)
    assert turning_error(model, rotation(3), *state) > BROKEN


def test_a_matrix_for_each_component_fails_rotations(monkeypatch):
    model = awake(made("cgenn")).double()
    whole = MVLinear.matrices
    monkeypatch.setattr(
        MVLinear, "matrices", lambda self: whole(self) * torch.linspace(0.5, 1, 8).double().view(-1, 1, 1)
    )
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_positions_that_are_not_centred_fail_translations(monkeypatch):
    model = awake(made("cgenn")).double()
    assert shifting_error(model, *states()) < 1e-10
    monkeypatch.setattr("surrogate.nn.edges.AllPairs.system_means", lambda self, values: torch.zeros_like(values))
    assert shifting_error(model, *states()) > BROKEN


def test_parameters_of_each_part():
    model = made("cgenn")
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert counts == {"embedding": 112, "layers": 3 * 44_800, "projection": 113}


def test_charges_are_seen_as_they_are():
    assert not MODELS["cgenn"].model.even_in_charges
    x, v, q = states()
    model = awake(made("cgenn")).double()
    assert not torch.equal(outputs(model, x, v, q)[0], outputs(model, x, v, 0 * q)[0])
