"""EGNO: outputs of the public code at all times, its convolutions over time, and what breaks its equivariance."""

from itertools import pairwise

import pytest
import torch

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.models.egno import EGNOConfig, EGNOLayer, TimeConvolution, fourier_matrices
from surrogate.nn.graph import Graph
from tests.surrogate.models.cases import (
    BROKEN,
    awake,
    distance,
    made,
    rotation,
    shifting_error,
    states,
    turning_error,
)
from tests.surrogate.models.references import reference, ruled


def trajectory(model, *state):
    with torch.no_grad():
        return model.trajectory(*state)


def test_outputs_at_all_times_are_those_of_the_public_code():
    kept = reference("egno")
    found = trajectory(ruled(made("egno"), 0.1), kept["x"], kept["v"], kept["q"])
    assert float((kept["output"] - kept["x"]).abs().max()) > 0.1
    assert float((found - kept["output"]).abs().max()) < 1e-9


@pytest.mark.parametrize(("points", "modes"), [(5, 2), (5, 3), (4, 3), (1, 1), (8, 2)])
def test_convolutions_are_those_of_the_fast_fourier_transform(points, modes):
    f = torch.randn(points, 6, 3, dtype=torch.float64)
    conv = TimeConvolution(3, modes, 1.0).double()
    kept = torch.fft.rfft(f, dim=0)[:modes]
    mixed = torch.einsum("kri,iok->kro", kept, torch.view_as_complex(conv.weight.detach()))
    expected = torch.fft.irfft(mixed, n=points, dim=0)
    assert float((conv(f).detach() - expected).abs().max()) < 1e-12


def test_all_modes_give_back_what_they_were_made_of():
    for points in (1, 2, 5, 6):
        analysis, synthesis = fourier_matrices(points, points // 2 + 1)
        assert torch.allclose(synthesis @ analysis, torch.eye(points, dtype=torch.float64), atol=1e-12)


def test_every_time_turns_with_the_space():
    model, (x, v, q) = awake(made("egno")).double(), states()
    turn = torch.as_tensor(rotation(3))
    here = trajectory(model, x, v, q)
    assert distance([trajectory(model, x @ turn.T + 1, v @ turn.T, q)], [here @ turn.T + 1]) < 1e-10
    assert all(distance([a], [b]) > BROKEN for a, b in pairwise(here))


def test_the_last_time_is_the_forecast():
    model, state = awake(made("egno")).double(), states()
    assert model.fractions == (0.2, 0.4, 0.6, 0.8, 1.0)
    assert torch.equal(trajectory(model, *state)[-1], model(*state)[0])
    other = awake(made("egnn")).double()
    assert other.fractions == (1.0,)
    assert torch.equal(trajectory(other, *state), other(*state)[0].detach().unsqueeze(0))


def test_trajectories_on_graphs_and_of_near_pairs():
    model, state = awake(made("egno")).double(), states(3, 6, 2)
    flat = [t.flatten(0, 1) for t in state]
    whole = trajectory(model, *state)
    with torch.no_grad():
        assert (
            distance([model.trajectory(*flat, graph=Graph.near(flat[0], [6, 6]))], [whole.flatten(1, 2)]) < 1e-10
        )
    near = MODELS["egno"](EGNOConfig(cutoff=100.0)).double()
    near.load_state_dict(model.state_dict())
    assert distance([trajectory(near, *state)], [whole]) < 1e-10


def test_a_convolution_that_mixes_axes_fails_rotations(monkeypatch):
    model = awake(made("egno")).double()
    assert turning_error(model, rotation(3), *states()) < 1e-10
    whole = EGNOLayer.convolved

    def mixed(self, h, x, v, mean):
        return whole(self, h, x, v + 0.1 * x.flip(-1), mean)

    monkeypatch.setattr(EGNOLayer, "convolved", mixed)
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_positions_that_are_not_centred_fail_translations(monkeypatch):
    model = awake(made("egno")).double()
    assert shifting_error(model, *states()) < 1e-10
    monkeypatch.setattr("surrogate.nn.edges.AllPairs.system_means", lambda self, values: torch.zeros_like(values))
    assert shifting_error(model, *states()) > BROKEN


@pytest.mark.parametrize("changes", [{"modes": 4}, {"points": 0}, {"time_embedding": 2}], ids=str)
def test_sizes_that_do_not_fit_are_refused(changes):
    with pytest.raises(InputError, match="model"):
        MODELS["egno"](EGNOConfig(**changes))
