"""Every model that takes graphs: all pairs again, systems of mixed sizes, near pairs, periodic boxes, in tiles."""

from dataclasses import replace

import pytest
import torch

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.models.base import config_from_dict
from surrogate.nn import row_tiles
from surrogate.nn.graph import Graph
from tests.surrogate.models.cases import (
    BROKEN,
    CASES,
    CENTRED,
    HOLDS,
    awake,
    distance,
    made,
    rotation,
    states,
    turning_error,
)

graphs = pytest.mark.parametrize("case", [c for c in CASES if MODELS[CASES[c][0]].graphs])
local = pytest.mark.parametrize("case", [c for c in CASES if MODELS[CASES[c][0]].graphs and c != "linear"])


def apart(a, b):
    return distance(a.detach(), b.detach())


def flat(states):
    return [t.flatten(0, 1) for t in states]


def near(case, **settings):
    """The model of a case, told which pairs exchange messages, with the weights of the one that is not."""
    model = awake(made(case)).double()
    name, changes = CASES[case]
    more = {"dims": 3} if MODELS[name].dims == "config" else {}
    config = config_from_dict(MODELS[name].Config, {**changes, **more, **settings}, "model")
    chosen = MODELS[name](config).double()
    chosen.load_state_dict(model.state_dict())
    return chosen


def test_rows_say_which_models_take_graphs():
    for name, row in MODELS.items():
        assert row.graphs == row.model.takes_graphs, name


@graphs
def test_a_graph_of_all_pairs_is_the_fast_path(case):
    model, state = awake(made(case)).double(), states(3, 6, 4)
    graph = Graph.near(flat(state)[0], [6] * 4)
    assert graph.n_edges == 4 * 6 * 5
    for a, b in zip(model(*state), model(*flat(state), graph=graph), strict=True):
        assert (a is None) == (b is None)
        assert a is None or b is None or apart(a.flatten(0, 1), b) < 1e-12


@graphs
def test_systems_of_mixed_sizes_do_not_see_each_other(case):
    model, systems = awake(made(case)).double(), [states(3, n, 1) for n in (2, 7, 4)]
    together = [torch.cat(parts, dim=1).squeeze(0) for parts in zip(*systems, strict=True)]
    x_hat, _ = model(*together, graph=Graph.near(together[0], [2, 7, 4]))
    assert apart(x_hat, torch.cat([model(*s)[0].squeeze(0) for s in systems])) < 1e-12


@local
@pytest.mark.parametrize("settings", [{"cutoff": 1.5}, {"neighbours": 3}], ids=str)
def test_only_near_pairs_count_and_symmetries_stay(case, settings):
    model, state = near(case, **settings), states(3, 12, 2)
    x, v, q = state
    explicit = Graph.near(flat(state)[0], [12, 12], cutoff=model.cutoff, nearest=model.neighbours)
    whole = model(*state)[0]
    assert torch.equal(whole.flatten(0, 1), model(*flat(state), graph=explicit)[0])
    assert apart(whole, awake(made(case)).double()(*state)[0]) > BROKEN
    order = torch.randperm(12)
    assert apart(whole[:, order], model(x[:, order], v[:, order], q[:, order])[0]) < 1e-10
    if "rotation" in HOLDS[model.group]:
        assert turning_error(model, rotation(3), *state) < 1e-10


@local
def test_who_is_out_of_reach_changes_nothing(case):
    model, (x, v, q) = near(case, cutoff=2.0), states(3, 6, 1)
    far = x.clone()
    far[:, 0] += 100.0
    farther = far.clone()
    farther[:, 0] += 1.0
    if CASES[case][0] in CENTRED:
        assert apart(model(far, v, q)[0][:, 1:], model(farther, v, q)[0][:, 1:]) > 0
        return
    assert torch.equal(model(far, v, q)[0][:, 1:], model(farther, v, q)[0][:, 1:])
    everybody = awake(made(case)).double()
    assert not torch.equal(everybody(far, v, q)[0][:, 1:], everybody(farther, v, q)[0][:, 1:])


@local
def test_images_are_as_good_as_the_particle(case):
    model, (x, v, q) = near(case, cutoff=1.5), states(3, 6, 2)
    if "translation" not in HOLDS[model.group] or CASES[case][0] in CENTRED:
        return  # those see absolute positions, or the centroid
    box = torch.tensor([[3.0, 4.0, 0.0], [5.0, 3.5, 3.0]]).double()
    moved = x.clone()
    moved[:, 2] += torch.tensor([1.0, -2.0, 0.0]) * box
    here, there = model(x, v, q, box=box)[0] - x, model(moved, v, q, box=box)[0] - moved
    assert apart(here, there) < 1e-10
    assert apart(here, model(x, v, q)[0] - x) > BROKEN


@local
def test_tiles_of_a_graph_change_nothing(case, monkeypatch):
    model, state = near(case, cutoff=1.5), states(3, 12, 2)

    def results():
        model.zero_grad()
        model(*state)[0].square().mean().backward()
        with torch.no_grad():
            return [model(*state)[0], *(p.grad.clone() for p in model.parameters() if p.grad is not None)]

    whole = results()
    monkeypatch.setattr(row_tiles, "WHOLE_EDGES", 0)
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 9})
    for a, b in zip(whole, results(), strict=True):
        assert apart(a, b) < 1e-11


def test_negative_reach_is_refused():
    config = replace(MODELS["egnn"].Config(), cutoff=-1.0)
    with pytest.raises(InputError, match="cutoff"):
        MODELS["egnn"](config)
