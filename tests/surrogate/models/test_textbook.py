"""EGNN and GNN against the published layout, and the forms of the velocity."""

from dataclasses import replace

import pytest
import torch

from physics.errors import InputError
from surrogate.bench import textbook
from surrogate.models import MODELS
from surrogate.models.base import SurrogateModel, config_from_dict
from tests.surrogate.models.cases import BROKEN, awake, distance, made, outputs, states


@pytest.mark.parametrize("form", ["init", "recurrent", "none"])
@pytest.mark.parametrize(("n", "particles"), [(3, 5), (2, 7), (4, 2)])
def test_egnn_equals_the_textbook(form: str, n: int, particles: int) -> None:
    torch.manual_seed(0)
    model = awake(MODELS["egnn"](config_from_dict(MODELS["egnn"].Config, {"velocity": form}, "model"))).double()
    state = states(n, particles)
    expected = textbook.egnn(model.state_dict(), form, 4, *state)
    found = outputs(model, *state)
    assert distance(found, [expected]) < 1e-12
    assert distance([textbook.egnn(model.state_dict(), form, 4, *state, shift=0.1)], found) > BROKEN


def test_gnn_equals_the_textbook() -> None:
    model = awake(made("gnn")).double()
    state = states()
    assert distance(outputs(model, *state), [textbook.gnn(model.state_dict(), 4, *state)]) < 1e-12


def with_weights_of(source: SurrogateModel, form: str, layers: int) -> SurrogateModel:
    """An EGNN of another form with the weights both have; what only "none" has is redrawn."""
    config = config_from_dict(MODELS["egnn"].Config, {"velocity": form, "layers": layers}, "model")
    model = MODELS["egnn"](config).double()
    given = source.state_dict()
    for name, value in model.state_dict().items():
        value[tuple(slice(0, s) for s in given[name].shape)] = given[name]
    return model


def test_at_rest_form_i_needs_no_velocity_stream() -> None:
    source = awake(made("egnn")).double()
    x, v, q = states()
    bare = with_weights_of(source, "none", 4)
    assert distance(outputs(bare, x, 0 * v, q), outputs(source, x, 0 * v, q)) < 1e-13
    assert distance(outputs(bare, x, v, q), outputs(source, x, v, q)) > BROKEN


def test_at_rest_forms_i_and_r_agree_in_the_first_layer_only() -> None:
    torch.manual_seed(2)
    x, v, q = states()
    for layers, same in ((1, True), (3, False)):
        config = replace(MODELS["egnn"].Config(), layers=layers)
        source = awake(MODELS["egnn"](config)).double()
        other = with_weights_of(source, "recurrent", layers)
        found = distance(outputs(other, x, 0 * v, q), outputs(source, x, 0 * v, q))
        assert (found < 1e-13) if same else (found > 1e-4)  # rounding, or the carried velocity


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match=r"model.velocity must be one of init, recurrent, none; got 'both'"):
        MODELS["egnn"](replace(MODELS["egnn"].Config(), velocity="both"))
