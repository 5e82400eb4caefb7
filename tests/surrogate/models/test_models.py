"""The harness of models.md 0.4 (T1 to T10) over every model, and tests that the harness bites."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.bench import textbook
from surrogate.models import MODELS, SurrogateModel
from surrogate.models.base import config_from_dict
from surrogate.models.egnn.model import EGCL

VARIANTS = {
    "egnn-recurrent-form": ("egnn", {"velocity": "recurrent"}),
    "egnn-no-velocity": ("egnn", {"velocity": "none"}),
    "egnn-velocity-head": ("egnn", {"velocity_head": True}),
    "gnn-velocity-head": ("gnn", {"velocity_head": True}),
}
CASES = {**{name: (name, {}) for name in MODELS}, **VARIANTS}
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}
"""Relative to the size of the output: rounding through some 50 layers of sums, with two digits to spare."""
BROKEN = 1e-3
"""What a model without a symmetry must exceed, so that passing means something."""

cases = pytest.mark.parametrize("case", CASES)
equivariant = pytest.mark.parametrize("case", [c for c in CASES if MODELS[CASES[c][0]].group == "E(n)"])
uneven = pytest.mark.parametrize("case", [c for c in CASES if MODELS[CASES[c][0]].group == "Sym"])
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def made(case: str, n: int = 3, seed: int = 0) -> SurrogateModel:
    name, changes = CASES[case]
    config_type = MODELS[name].Config
    settings = dict(changes)
    if hasattr(config_type(), "dims"):
        settings["dims"] = n
    torch.manual_seed(seed)
    return MODELS[name](config_from_dict(config_type, settings, "model"))


def states(n: int = 3, particles: int = 5, systems: int = 3, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    rng = np.random.default_rng([n, particles, systems])
    x, v = rng.standard_normal((2, systems, particles, n))
    q = rng.choice([-1.0, 1.0], (systems, particles))
    return [torch.as_tensor(a, dtype=dtype) for a in (x, v, q)]


def awake(model: SurrogateModel, n: int = 3) -> SurrogateModel:
    """The model with its near-zero weights redrawn, so that its output depends on everything it has."""
    torch.manual_seed(1)
    small = [p for p in model.parameters() if p.numel() > 1 and float(p.detach().square().mean().sqrt()) < 0.02]
    for p in small:
        torch.nn.init.normal_(p, std=0.5 / p.shape[-1] ** 0.5)
    x, v, q = states(n, dtype=torch.float32)
    with torch.no_grad():
        for _ in range(8):
            moved = float((model(x, v, q)[0] - x).square().mean().sqrt())
            if moved > 0.2:
                break
            for p in small:
                p.mul_(2)
    assert 0.05 < moved < 50
    return model


def trained(model: SurrogateModel, n: int = 3) -> SurrogateModel:
    """The model after 20 steps toward positions and velocities nobody asked for."""
    x, v, q = states(n, dtype=torch.float32)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    forward = model.for_training().forward
    for _ in range(20):
        forecast, velocities = forward(x, v, q)
        loss = (forecast - x - 0.5 * v + 0.3 * x**3).square().mean()
        if velocities is not None:
            loss = loss + (velocities + x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def outputs(model: SurrogateModel, x: Tensor, v: Tensor, q: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return [o for o in model(x, v, q) if o is not None]


def distance(a: list[Tensor], b: list[Tensor]) -> float:
    """Largest difference, relative to the size of the outputs."""
    assert len(a) == len(b)
    return max(float((s - t).abs().max() / t.abs().max().clamp(min=1)) for s, t in zip(a, b, strict=True))


def turning_error(model: SurrogateModel, matrix: np.ndarray, *state: Tensor) -> float:
    x, v, q = state
    turn = torch.as_tensor(matrix, dtype=x.dtype)
    return distance(outputs(model, x @ turn.T, v @ turn.T, q), [o @ turn.T for o in outputs(model, x, v, q)])


def shifting_error(model: SurrogateModel, *state: Tensor) -> float:
    x, v, q = state
    n = x.shape[-1]
    shift = torch.tensor([2.0, 0.0, -1.0, 0.5, 1.5, 0.3, -2.0, 1.0][:n], dtype=x.dtype)
    there = outputs(model, x + shift, v, q)
    there[0] = there[0] - shift
    return distance(there, outputs(model, x, v, q))


def reflection(n: int) -> np.ndarray:
    return np.diag([-1.0] + [1.0] * (n - 1))


def rotation(n: int, seed: int = 5) -> np.ndarray:
    matrix = random_orthogonal(n, np.random.default_rng(seed))
    return matrix if np.linalg.det(matrix) > 0 else matrix @ reflection(n)


# T1, T2, T3


@equivariant
@dtypes
@pytest.mark.parametrize("after", [awake, trained], ids=["redrawn", "trained"])
def test_moves_with_the_space(case: str, dtype: torch.dtype, after) -> None:
    model = after(made(case)).to(dtype)
    for particles in (5, 7):
        state = states(3, particles, dtype=dtype)
        assert turning_error(model, rotation(3), *state) < TOLERANCE[dtype]
        assert turning_error(model, reflection(3), *state) < TOLERANCE[dtype]
        assert shifting_error(model, *state) < TOLERANCE[dtype]


@equivariant
@pytest.mark.parametrize("n", [1, 2, 4, 5, 8])
def test_moves_with_the_space_of_any_dimension(case: str, n: int) -> None:
    model = awake(made(case, n), n).double()
    state = states(n, 5)
    assert turning_error(model, random_orthogonal(n, np.random.default_rng(n)), *state) < 1e-10
    assert turning_error(model, reflection(n), *state) < 1e-10
    assert shifting_error(model, *state) < 1e-10


@uneven
def test_the_gnn_fails_what_equivariant_models_pass(case: str) -> None:
    model = awake(made(case)).double()
    state = states()
    assert turning_error(model, rotation(3), *state) > BROKEN
    assert turning_error(model, reflection(3), *state) > BROKEN
    assert shifting_error(model, *state) > BROKEN


def test_an_egnn_with_a_shifted_difference_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("egnn")).double()
    state = states()
    assert turning_error(model, rotation(3), *state) < 1e-10
    whole = EGCL.coordinate_update
    monkeypatch.setattr(EGCL, "coordinate_update", lambda self, m, r: whole(self, m, r + 0.1))
    assert turning_error(model, rotation(3), *state) > BROKEN
    assert shifting_error(model, *state) < 1e-10  # a constant offset is invisible to translations


@equivariant
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
    assert model.group == ("Sym" if model.dims else "E(n)")


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
        ("egnn", 134_020),
        ("egnn-recurrent-form", 134_020),
        ("egnn-velocity-head", 134_020),
        ("gnn", 104_387),
        ("gnn-velocity-head", 104_387),
        ("linear", 1),
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
def test_flipping_every_charge_changes_nothing(case: str) -> None:
    model = awake(made(case)).double()
    x, v, q = states()
    q = 2 * q
    here = outputs(model, x, v, q)
    assert distance(outputs(model, x, v, -q), here) < 1e-14
    if case != "linear":
        one = q.clone()
        one[:, 0] *= -1
        assert distance(outputs(model, x, v, one), here) > BROKEN


# Against the textbook


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


# Learning


def test_linear_reaches_its_closed_form_optimum() -> None:
    x, v, q = states(3, 5, 40)
    target = x + 0.7 * v + 0.1 * torch.sin(3 * x)
    best = float((v * (target - x)).sum() / (v * v).sum())
    model = made("linear").double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(60):
        optimiser.zero_grad()
        (model(x, v, q)[0] - target).square().mean().backward()
        optimiser.step()
    assert float(model.t.detach()) == pytest.approx(best, abs=1e-9)
    assert abs(best - 0.7) > 1e-4


@cases
def test_four_samples_can_be_learned_by_heart(case: str) -> None:
    """With as many steps as anybody waits for; what a model cannot learn, its gradients do not reach."""
    model = made(case)
    x, v, q = states(3, 5, 4, dtype=torch.float32)
    v = 0.5 * v
    r = x[:, :, None] - x[:, None]
    force = (q[:, :, None, None] * q[:, None, :, None] * r / (r.square().sum(-1, keepdim=True) + 0.5)).sum(2)
    if case == "linear":
        x_target, v_target = x + 0.55 * v, v
    elif case == "egnn-no-velocity":  # its output is confined to the span of the r_ij
        x_target, v_target = x + 0.3 * force, v
    elif case == "integrator":  # it learns pair laws and nothing else
        teacher = made(case)
        softened = teacher.law.softening**2 - 0.5  # the force above, moved along for a whole horizon
        teacher.law.radial = lambda u: torch.stack([0 * u, 1 / (torch.exp(2 * u) - softened)])
        with torch.no_grad():
            x_target, v_target = teacher.for_inference().forward(x, v, q)
    else:
        x_target, v_target = x + v + 0.3 * force, v + 0.5 * force
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3 if case != "linear" else 0.05)
    losses, forward = [], model.for_training().forward
    for step in range(250):
        for group in optimiser.param_groups:
            group["lr"] *= 0.985 if step > 100 else 1
        forecast, velocities = forward(x, v, q)
        loss = (forecast - x_target).square().mean()
        if velocities is not None:
            loss = loss + (velocities - v_target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.02 * losses[0]
    assert losses[-1] < 0.01


@cases
def test_a_velocity_head_leaves_positions_alone(case: str) -> None:
    model = awake(made(case))
    head = model.velocity_head_parameters()
    if not head:
        assert {id(p) for p in model.position_parameters()} == {id(p) for p in model.parameters()}
        return
    state = states(dtype=torch.float32)
    x_before = copy.deepcopy(outputs(model, *state)[0])
    model(*state)[1].square().sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in model.position_parameters())
    assert any(p.grad is not None and p.grad.any() for p in head)
    with torch.no_grad():
        for p in head:
            p.add_(1.0)
    assert torch.equal(outputs(model, *state)[0], x_before)
