"""What every model must keep, over the whole registry, and tests that these tests bite."""

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.models.base import SurrogateModel
from surrogate.models.egnn.model import EGCL
from tests.surrogate.models.cases import (
    BROKEN,
    CASES,
    HOLDS,
    MOST_DIMS,
    TOLERANCE,
    any_dimension,
    awake,
    cases,
    distance,
    dtypes,
    made,
    outputs,
    reflection,
    rotation,
    shifting_error,
    states,
    symmetry_errors,
    trained,
    turning,
    turning_error,
)

# T1, T2, T3


@cases
@dtypes
@pytest.mark.parametrize("after", [awake, trained], ids=["redrawn", "trained"])
def test_commutes_with_its_group_and_with_nothing_else(case: str, dtype: torch.dtype, after) -> None:
    model = after(made(case)).to(dtype)
    for particles in (5, 7):
        for name, error in symmetry_errors(model, *states(3, particles, dtype=dtype)).items():
            assert error < TOLERANCE[dtype] if name in HOLDS[model.group] else error > BROKEN, name


@any_dimension
@pytest.mark.parametrize("n", [1, 2, 4, 5, 8])
def test_moves_with_the_space_of_any_dimension(case: str, n: int) -> None:
    if n > MOST_DIMS.get(CASES[case][0], n):
        with pytest.raises(InputError, match="dims"):
            made(case, n)
        return
    model = awake(made(case, n), n).double()
    state = states(n, 5)
    assert turning_error(model, random_orthogonal(n, np.random.default_rng(n)), *state) < 1e-10
    assert turning_error(model, reflection(n), *state) < 1e-10
    assert shifting_error(model, *state) < 1e-10


def test_an_egnn_with_a_shifted_difference_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("egnn")).double()
    state = states()
    assert turning_error(model, rotation(3), *state) < 1e-10
    whole = EGCL.coordinate_update
    monkeypatch.setattr(EGCL, "coordinate_update", lambda self, m, r, edges: whole(self, m, r + 0.1, edges))
    assert turning_error(model, rotation(3), *state) > BROKEN
    assert shifting_error(model, *state) < 1e-10  # a constant offset is invisible to translations


@turning
def test_a_model_that_sees_one_coordinate_fails(case: str) -> None:
    class Leaning(torch.nn.Module):
        def __init__(self, inner: SurrogateModel) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor, v: Tensor, q: Tensor) -> tuple[Tensor, Tensor | None]:
            forecast, velocities = self.inner(x, v, q)
            return forecast + 0.01 * x[..., :1], velocities

    model = Leaning(awake(made(case)).double())
    assert turning_error(model, rotation(3), *states()) > BROKEN
    assert shifting_error(model, *states()) > BROKEN


# T4, T5


@cases
@dtypes
def test_particles_have_no_order(case: str, dtype: torch.dtype) -> None:
    model = awake(made(case)).to(dtype)
    x, v, q = states(3, 7, dtype=dtype)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    there = outputs(model, x[:, order], v[:, order], q[:, order])
    here = outputs(model, x, v, q)
    assert distance(there, [o[:, order] for o in here]) < TOLERANCE[dtype]
    assert distance(there, here) > BROKEN


@cases
@dtypes
def test_systems_of_a_batch_do_not_see_each_other(case: str, dtype: torch.dtype) -> None:
    model = awake(made(case)).to(dtype)
    x, v, q = states(3, 5, dtype=dtype)
    x[1] *= 3
    together = outputs(model, x, v, q)
    alone = [outputs(model, x[b : b + 1], v[b : b + 1], q[b : b + 1]) for b in range(3)]
    assert distance(together, [torch.cat(parts) for parts in zip(*alone, strict=True)]) < TOLERANCE[dtype]


# T6


@cases
def test_dims_are_declared(case: str) -> None:
    model = made(case, 3)
    for n in (1, 2, 3, 4, 5, 8):
        x, v, q = states(n, dtype=torch.float32)
        if model.dims in (None, n):
            assert all(o.shape == x.shape for o in outputs(model, x, v, q))
        else:
            with pytest.raises((ValueError, RuntimeError)):
                model(x, v, q)


@cases
def test_two_particles_are_enough(case: str) -> None:
    x, v, q = states(3, 2, dtype=torch.float32)
    assert all(torch.isfinite(o).all() for o in outputs(awake(made(case)), x, v, q))


@cases
def test_velocities_come_when_declared(case: str) -> None:
    model = made(case)
    x, v, q = states(dtype=torch.float32)
    velocities = model(x, v, q)[1]
    assert (velocities is not None) == model.gives_velocity
    if model.velocity_head_parameters():
        model.skip_velocity_head = True
        assert model(x, v, q)[1] is None


# T7


@cases
@dtypes
@pytest.mark.parametrize("where", ["coincident", "at rest", "both"])
def test_gradients_are_finite_where_norms_vanish(case: str, dtype: torch.dtype, where: str) -> None:
    model = awake(made(case)).to(dtype)
    x, v, q = states(dtype=dtype)
    if where != "at rest":
        x[:, 1] = x[:, 0]
    if where != "coincident":
        v.zero_()
    x.requires_grad_()
    v.requires_grad_()
    found = [o for o in model(x, v, q) if o is not None]
    sum(o.square().sum() for o in found).backward()
    assert all(torch.isfinite(o).all() for o in found)
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(v.grad).all()
    assert x.grad.abs().sum() > 0
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


# T8


@pytest.mark.parametrize(
    ("case", "count"),
    [
        ("cgenn", 134_625),
        ("edge-cloud", 159_298),
        ("edge-cloud-nonlinear", 100_802),
        ("egnn", 134_020),
        ("egnn-recurrent-form", 134_020),
        ("egnn-velocity-head", 134_020),
        ("egnn-inferred-edges", 134_280),
        ("egnn-gated-coordinates", 134_280),
        ("egno", 201_672),
        ("gnn", 104_387),
        ("gnn+", 104_387),
        ("gnn-velocity-head", 104_387),
        ("linear", 1),
        ("painn", 190_018),
        ("ponita", 1_058_181),
        ("radial-field", 2_052),
        ("schnet", 90_818),
        ("schnet-strict", 89_538),
        ("schnet-energy", 82_306),
        ("seconv-linear", 88_600),
        ("seconv-nonlinear", 81_888),
        ("segnn", 147_424),
        ("se3-transformer", 359_265),
        ("tfn", 130_272),
        ("tfn-reference", 127_024),
    ],
)
def test_the_published_number_of_parameters(case: str, count: int) -> None:
    model = made(case)
    assert model.n_parameters == count
    head = sum(p.numel() for p in model.velocity_head_parameters())
    assert sum(p.numel() for p in model.parameters()) == count + head
    assert bool(head) == case.endswith("-head")


def test_the_last_feature_update_of_an_egnn_gets_no_gradient() -> None:
    model = awake(made("egnn"))
    model(*states(dtype=torch.float32))[0].square().sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert {name.rsplit(".", 2)[0] for name in unused} == {"layers.3.phi_h"}
    assert sum(p.numel() for p in model.parameters() if p.grad is not None) == 121_604


# T9, T10


@cases
def test_inputs_are_left_alone(case: str) -> None:
    model = awake(made(case))
    state = states(dtype=torch.float32)
    before = [s.clone() for s in state]
    first = outputs(model, *state)
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, outputs(model, *state), strict=True))


@cases
def test_inputs_may_be_views(case: str) -> None:
    model = awake(made(case)).double()
    x, v, q = states()
    q = q[:1].expand_as(q)  # the same charges at many times, as a trajectory has them
    views = [x.mT.contiguous().mT, v.mT.contiguous().mT, q]
    assert distance(outputs(model, *views), outputs(model, x, v, q.contiguous())) < 1e-13


@cases
def test_flipping_every_charge_changes_nothing_where_declared(case: str) -> None:
    model = awake(made(case)).double()
    x, v, q = states()
    q = 2 * q
    here = outputs(model, x, v, q)
    flipped = distance(outputs(model, x, v, -q), here)
    assert flipped < 1e-14 if model.even_in_charges else flipped > BROKEN
    if case != "linear":
        one = q.clone()
        one[:, 0] *= -1
        assert distance(outputs(model, x, v, one), here) > BROKEN
