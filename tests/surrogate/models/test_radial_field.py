"""Radial field: the public code with the same weights, and pushes no longer than distances."""

import pytest
import torch

from surrogate.models.radial_field import RadialField, RadialFieldConfig
from surrogate.nn.edges import AllPairs
from tests.surrogate.models.cases import BROKEN, awake, distance, made, outputs, rotation, states, turning_error
from tests.surrogate.models.public_code import stored, with_ruled_weights


def test_equals_the_public_code() -> None:
    found = stored("radial-field")
    model = with_ruled_weights(RadialField(RadialFieldConfig(hidden=16, layers=3)))
    assert distance(outputs(model, *(found[name] for name in "xvq")), [found["x_hat"]]) < 1e-12


def test_particles_are_pushed_no_farther_than_the_mean_distance() -> None:
    model = awake(made("radial-field")).double()
    assert isinstance(model, RadialField)
    x, _, q = states()
    pushed = model._pushes(model.layers[0], 10 * x, 10 * x, q.unsqueeze(-1), AllPairs.of(x))[0]  # type: ignore[arg-type]
    reach = torch.cdist(10 * x, 10 * x).sum(-1) / (x.shape[1] - 1)
    assert bool((pushed.norm(dim=-1) <= reach).all())


def test_a_distance_that_is_a_component_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("radial-field")).double()
    assert turning_error(model, rotation(3), *states()) < 1e-10
    whole = AllPairs.displacements
    monkeypatch.setattr(AllPairs, "displacements", lambda self, x: whole(self, x) * torch.tensor([1.0, 0.0, 0.0]))
    assert turning_error(model, rotation(3), *states()) > BROKEN
