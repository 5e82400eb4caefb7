"""Pair tables: a channel for each two kinds of particles, and given edges; both as products of couplings."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.couplings import Couplings, factors_of_edges
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from tests.surrogate.helpers import npz, tiny_arrays
from tests.surrogate.models.integrators import drawn, forecast, gap, state
from tests.surrogate.tasks.test_given_fields import run_of


def edges_of(systems: int = 4, particles: int = 5) -> Tensor:
    upper = np.random.default_rng(systems).choice([0.0, 1.0, -0.5], (systems, particles, particles))
    return torch.as_tensor(np.triu(upper, 1) + np.triu(upper, 1).swapaxes(1, 2))


def pair_table(couplings: Couplings, radial: Tensor, given: dict[str, Tensor]) -> Tensor:
    """sum_c k_ci k_cj T_c of each pair, (B, N, N), T_c the same at every distance."""
    ones = torch.ones_like(given[couplings.takes[0]][..., 0] if "edges" in given else given["species"]).double()
    ones = ones if ones.ndim == 2 else ones[..., 0]
    made, rows = couplings(ones, ones, given)
    values = radial if rows is None else radial[rows]
    return torch.einsum("c,cbi,cbj->bij", values, made, made)


def test_every_table_of_kinds_is_reached() -> None:
    couplings = Couplings("species", "1, 8,3")
    assert couplings.channels == (
        "species 1",
        "species 8",
        "species 3",
        "species 1|8",
        "species 1|3",
        "species 8|3",
    )
    kinds, wanted = (1, 8, 3), torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double()
    wanted = wanted + wanted.T
    pairs = torch.tensor([wanted[0, 1], wanted[0, 2], wanted[1, 2]])
    among = torch.stack([pairs[[0, 1]], pairs[[0, 2]], pairs[1:]]).sum(1)
    alone = wanted.diagonal() - among
    species = torch.tensor([[1, 8, 3, 3, 8], [8, 8, 1, 1, 3]])
    found = pair_table(couplings, torch.cat([alone, pairs]), {"species": species})
    at = torch.tensor([[kinds.index(int(s)) for s in row] for row in species])
    torch.testing.assert_close(found, wanted[at[:, :, None], at[:, None, :]])


def test_edges_are_products() -> None:
    edges = edges_of()
    w = factors_of_edges(edges)
    off = ~torch.eye(5, dtype=torch.bool)
    torch.testing.assert_close(torch.einsum("abi,abj->bij", w, w)[:, off], edges[:, off], atol=1e-14, rtol=0)
    torch.testing.assert_close(factors_of_edges(edges + 3 * torch.eye(5)), w)  # a particle has no edge with itself
    assert torch.isfinite(factors_of_edges(0 * edges)).all()


def test_no_edge_no_force_and_half_an_edge_half_of_it() -> None:
    model, (x, v, q, m) = drawn(0.1, couplings="edges").eval(), state()
    free = [x + v, v]
    assert gap(forecast(model, x, v, q, m, edges=torch.zeros(4, 5, 5)), free) < 1e-12
    assert gap(forecast(model, x, v, q, m, edges=edges_of()), free) > 0.1
    all_pairs = drawn(0.1, couplings="constant").eval()
    all_pairs.load_state_dict(model.state_dict())
    same = forecast(model, x, v, q, m, edges=torch.ones(4, 5, 5))
    assert gap(same, forecast(all_pairs, x, v, q, m)) < 1e-10
    short = {"horizon": 1e-3, "evaluations": 1}
    kicks = [forecast(model, x, v, q, m, edges=s * torch.ones(4, 5, 5), **short)[1] - v for s in (1.0, 0.5)]
    assert float((kicks[0] - 2 * kicks[1]).abs().max()) < 1e-4 * float(kicks[0].abs().max())


def test_species_act_as_their_table_says() -> None:
    """Two kinds, and a radial function among each alone: the pair of different kinds feels nothing."""
    model = Integrator(IntegratorConfig(couplings="species", kinds="0,1", energy=False)).eval()
    with torch.no_grad():
        model.law.phi[-1].bias[:8].fill_(0.2)  # the channels "species 0" and "species 1", not "species 0|1"
    x, v, q, m = state(3, 2, spread=2.0)
    moved = [
        gap(forecast(model, x, v, q, m, species=torch.tensor([kinds] * 3)), [x + v, v])
        for kinds in ([0, 0], [1, 1], [0, 1])
    ]
    assert min(moved[:2]) > 1e-2
    assert moved[2] < 1e-12


@pytest.mark.parametrize("settings", [{"couplings": "charges,edges"}, {"couplings": "species", "kinds": "0,1"}])
def test_particles_have_no_order_and_space_no_direction(settings: dict[str, Any]) -> None:
    model, (x, v, q, m) = drawn(0.1, **settings).eval(), state()
    given = {"edges": edges_of(), "species": torch.tensor([[0, 1, 1, 0, 1]] * 4)}
    given = {name: given[name] for name in model.takes}
    assert model.group == "E(n)"
    here, order = forecast(model, x, v, q, m, **given), torch.tensor([3, 0, 4, 1, 2])
    moved = {"species": given["species"][:, order]} if "species" in given else {}
    moved |= {"edges": given["edges"][:, order][:, :, order]} if "edges" in given else {}
    there = forecast(model, *(a[:, order] for a in (x, v, q, m)), **moved)
    assert gap(there, [a[:, order] for a in here]) < 1e-11
    assert gap(forecast(model, x, -v, q, m, **given), here) > 0.1
    turned = forecast(model, -x, -v, q, m, **given)
    assert gap(turned, [-a for a in here]) < 1e-11


def test_gradients_by_both_paths() -> None:
    x, v, q, m = state()
    found = []
    for accelerated in (True, False):
        model, edges = drawn(0.1, couplings="charges,edges").train(), edges_of().requires_grad_()
        forward = model.for_training().forward if accelerated else model
        forward(x, v, q, 0.5, m, edges=edges)[0].square().sum().backward()
        found.append([edges.grad, *(p.grad for p in model.law.parameters())])
    for kernel, plain in zip(*found, strict=True):
        assert plain is not None
        torch.testing.assert_close(kernel, plain, rtol=1e-4, atol=1e-5)
    assert float(found[0][0].abs().max()) > 1e-2


def test_with_node_features_their_channels_come_last() -> None:
    model, (x, v, q, m) = drawn(0.05, couplings="edges,charges", features=8).eval(), state()
    assert model.couplings == ("edges", "charges")
    assert (
        gap(forecast(model, x, v, q, m, edges=edges_of()), forecast(model, x, v, q, m, edges=0 * edges_of()))
        > 1e-3
    )


@pytest.mark.filterwarnings("ignore:.*no valid split")
@pytest.mark.parametrize("name", ["edges", "species"])
def test_a_run_on_data_that_have_them(name: str, tmp_path: Any) -> None:
    values = {"edges": edges_of(12, 3).numpy(), "species": np.random.default_rng(0).integers(0, 2, (12, 3))}
    arrays = tiny_arrays() | {name: values[name]}
    settings = {"couplings": name} | ({"kinds": "0,1"} if name == "species" else {})
    model: Forecaster = run_of(npz(tmp_path / "d.npz", arrays), tmp_path / "run", **settings)
    assert model.takes == (name,)
    x, v, q = arrays["positions"][:, 0], arrays["velocities"][:, 0], arrays["charges"]
    whole = model.forecast(x, v, q, **{name: values[name]}).positions
    np.testing.assert_allclose(model.forecast(x[0], v[0], q[0], **{name: values[name][0]}).positions, whole[0])
    with pytest.raises(InputError, match=f"needs {name}; none given"):
        model.forecast(x, v, q)
    with pytest.raises(InputError, match=f"no {name}, which the model needs"):
        run_of(npz(tmp_path / "free.npz", tiny_arrays()), tmp_path / "other", **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"couplings": "species"}, "model.kinds must list each species once"),
        ({"couplings": "species", "kinds": "0,0"}, "model.kinds must list each species once"),
        ({"couplings": "species", "kinds": "H,O"}, "model.kinds must be integers such as 0,1; got 'H,O'"),
    ],
)
def test_what_cannot_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Integrator(IntegratorConfig(**settings))


def test_a_kind_the_model_does_not_know_is_refused() -> None:
    model, (x, v, q, m) = drawn(couplings="species", kinds="0,1"), state(2, 3)
    with pytest.raises(InputError, match="species 7: model"):
        forecast(model, x, v, q, m, species=torch.tensor([[0, 1, 1], [1, 7, 0]]))
    with pytest.raises(InputError, match="needs species, and none is given"):
        forecast(model, x, v, q, m)
