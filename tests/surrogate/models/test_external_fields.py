"""The integrator's uniform fields: exact where no pair acts, of second order with pairs, and what they keep."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from torch import Tensor

from physics import State, System, simulate
from physics.errors import InputError
from physics.fields import Fields
from physics.rotations import random_orthogonal
from surrogate.models.integrator.conserved import angular_momentum, centred, kinetic_energy
from surrogate.models.integrator.cpu import autograd
from surrogate.models.integrator.cpu.autograd import rounds_in_numba
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.models.integrator.one_body import exponential_integrals, one_body
from surrogate.models.integrator.rounds import rounds_in_torch
from tests.surrogate.models.integrators import drawn, forecast, gap, knowing_coulomb, slope, state

LEARNED = "uniform,electric,magnetic"
GIVEN = "given-uniform,given-magnetic"


def antisymmetric(n: int, size: float = 1.0, seed: int = 0) -> Tensor:
    a = np.random.default_rng([n, seed]).standard_normal((n, n))
    return torch.as_tensor(size * (a - a.T))


def with_values(model: Integrator, seed: int = 0) -> Integrator:
    """The model with fields of some strength."""
    assert model.fields is not None
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.fields.values.values():
            value.copy_(torch.randn(value.shape, generator=generator))
    return model


def fields_of(systems: int, n: int) -> dict[str, Tensor]:
    uniform = torch.as_tensor(np.random.default_rng(n).standard_normal((systems, n)))
    return {
        "uniform_field": uniform,
        "magnetic_field": torch.stack([antisymmetric(n, seed=s) for s in range(systems)]),
    }


def accelerations_of(model: Integrator, q: Tensor, m: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """A (B, N, n) and W (B, N, n, n) of learned fields, written down once more."""
    assert model.fields is not None
    value = {name: v.detach().double().numpy() for name, v in model.fields.values.items()}
    ratio = (q / m).numpy()
    n = len(value["uniform"])
    b = np.zeros((n, n))
    b[np.triu_indices(n, 1)] = value["magnetic"]
    return value["uniform"] + ratio[..., None] * value["electric"], ratio[..., None, None] * (b - b.T)


def flown(x: Tensor, v: Tensor, a: np.ndarray, w: np.ndarray, t: float) -> list[Tensor]:
    """Positions and velocities of particles on which nothing else acts, by one matrix exponential each."""
    n = x.shape[-1]
    end = torch.empty(2, *x.shape, dtype=torch.float64)
    for b, i in np.ndindex(*x.shape[:2]):
        rates = np.zeros((2 * n + 1, 2 * n + 1))
        rates[:n, n : 2 * n] = np.eye(n)
        rates[n : 2 * n, n : 2 * n] = w[b, i]
        rates[n : 2 * n, -1] = a[b, i]
        found = expm(t * rates) @ np.concatenate([x[b, i], v[b, i], [1.0]])
        end[0, b, i], end[1, b, i] = torch.as_tensor(found[:n]), torch.as_tensor(found[n : 2 * n])
    return list(end)


# The motion


@pytest.mark.parametrize("n", [2, 3, 5])
def test_without_pairs_one_round_is_exact(n: int) -> None:
    model = with_values(Integrator(IntegratorConfig(fields=LEARNED, dims=n, energy=False)).eval())
    x, v, q, m = state(3, 4, n)
    exact = flown(x, v, *accelerations_of(model, q, m), 1.5)
    for rounds in (1, 7):
        assert gap(forecast(model, x, v, q, m, 1.5, evaluations=rounds), exact) < 1e-12 * float(
            exact[0].abs().max()
        )
    assert gap(exact, [x + 1.5 * v, v]) > 0.5


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize(("drag", "order"), [(False, 2), (True, 2), (True, 4)])
def test_the_kernel_is_what_pytorch_computes(n: int, drag: bool, order: int) -> None:
    """Forward and backward, with and without a magnetic field."""
    model = drawn(0.3, pull="always", conserve=False)
    x, v, q, m = state(3, 4, n)
    generator = torch.Generator().manual_seed(n)
    a, ratio = (torch.randn(shape, generator=generator).double() for shape in ((3, 4, n), (3, 4)))
    b = torch.stack([3 * antisymmetric(n, seed=s) for s in range(3)])
    weight = torch.randn((2, 3, 4, n), dtype=torch.float64, generator=generator)
    couplings, kappa = torch.stack([torch.ones_like(q), q]), torch.full((3,), 0.4).double()
    gamma = torch.tensor(0.3 if drag else 0.0).double()
    for leaves in ([x, v, couplings, kappa, gamma, a], [x, v, couplings, kappa, gamma, a, ratio, b]):
        found = []
        for rounds in (rounds_in_numba, rounds_in_torch):
            given = [leaf.clone().requires_grad_() for leaf in leaves]
            one = one_body(given[3], given[4], 0.2, *given[5:])
            facts = (model.law.table().detach(), model.law.u0, model.law.softening, 0.2, 3)
            out_x, out_v, _ = rounds(given[0], given[1], given[2], m, one, *facts, order=order)
            gradients = torch.autograd.grad((weight[0] * out_x).sum() + (weight[1] * out_v).sum(), given)
            found.append((out_x.detach(), out_v.detach(), *gradients))
        for name, kernel, plain in zip(
            ("x", "v", "gx", "gv", "gc", "gk", "gg", "ga", "gr", "gb"), *found, strict=False
        ):
            assert float(plain.abs().max()) > 1e-6, name
            assert float((kernel - plain).abs().max()) < 1e-10 * float(plain.abs().max().clamp_min(1)), name


def test_threads_and_large_systems_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_values(drawn(0.05, fields=LEARNED, dims=3, pull="always", energy=False)).eval()
    given = state(5, 6, spread=2.0)
    plain = forecast(model, *given, evaluations=3)
    monkeypatch.setattr(autograd, "PAIRS_A_THREAD", 1)
    assert gap(forecast(model, *given, evaluations=3), plain) == 0
    monkeypatch.setattr(autograd, "LARGE", 6)
    assert gap(forecast(model, *given, evaluations=3), plain) < 1e-12
    with torch.no_grad():
        assert gap(list(model(*given[:3], 1.0, given[3], evaluations=3)), plain) < 1e-11


def test_the_gradient_of_fields_is_that_of_differences() -> None:
    x, v, q, m = state(1, 3, 2, spread=2.0)
    model = drawn(0.1)
    couplings, zero = torch.stack([torch.ones_like(q), q]), torch.zeros(1).double()
    facts = (model.law.table().detach(), model.law.u0, model.law.softening, 0.05, 2)

    def rounds(a: Tensor, b: Tensor) -> Any:
        one = one_body(zero, zero[0], 0.05, a, q / m, b)
        return rounds_in_numba(x, v, couplings, m, one, *facts)[:2]

    given = (torch.ones(1, 3, 2).double(), 20 * antisymmetric(2).unsqueeze(0))
    assert torch.autograd.gradcheck(rounds, tuple(a.requires_grad_() for a in given), fast_mode=True)


def knowing(n: int = 3, **settings: Any) -> Integrator:
    """An integrator that knows Coulomb's law, an electric and a magnetic field."""
    return with_values(knowing_coulomb(fields="electric,magnetic", dims=n, **settings))


def simulated(model: Integrator, x: Tensor, v: Tensor, q: Tensor, m: Tensor, horizon: float) -> Tensor:
    assert model.fields is not None
    fields = Fields(model.fields.values["electric"].detach().numpy(), model.fields.magnetic().detach().numpy())
    ends = [
        simulate(
            System(charge, mass, "coulomb", {"eps": 0.1}, fields), State(a, b), horizon, n_frames=2, dt=5e-4
        ).positions[-1]
        for a, b, charge, mass in zip(*(t.numpy() for t in (x, v, q, m)), strict=True)
    ]
    return torch.as_tensor(np.array(ends))


@pytest.mark.parametrize("n", [2, 3])
def test_with_pairs_errors_fall_as_the_square_of_the_step(n: int) -> None:
    model, given, counts = knowing(n), state(20, 3, n), (4, 8, 16)
    end = simulated(model, *given, 0.5)

    def error(model: Integrator, k: int) -> float:
        return float((forecast(model, *given, 0.5, evaluations=k)[0] - end).square().mean().sqrt())

    errors = torch.tensor([error(model, k) for k in counts])
    assert 1.7 < slope(errors, counts) < 2.4
    assert float(errors[-1]) < 0.02
    other = with_values(knowing(n), seed=1)
    assert error(other, 16) > 5 * float(errors[-1])


def test_back_in_time_the_magnetic_field_turns_the_other_way() -> None:
    model, (x, v, q, m) = knowing(), state(6, spread=3.0)
    there = forecast(model, x, v, q, m, 0.5, evaluations=32)
    back = forecast(model, *there, q, m, -0.5, evaluations=32)
    assert gap(back, [x, v]) < 1e-4
    wrong = forecast(model, there[0], -there[1], q, m, 0.5, evaluations=32)  # as without a field
    assert gap([wrong[0], -wrong[1]], [x, v]) > 0.05


def test_gradients_reach_every_value_by_both_paths() -> None:
    for fields, given in ((LEARNED, {}), (GIVEN, fields_of(3, 3))):
        x, v, q, m = state(3, 4)
        found = []
        for accelerated in (True, False):
            model = with_values(drawn(0.1, fields=fields, dims=3)).train()
            forward = model.for_training().forward if accelerated else model
            forward(x, v, q, 0.5, m, **given)[0].square().sum().backward()
            assert model.fields is not None
            found.append({name: p.grad for name, p in model.fields.values.items()})
        for name, gradient in found[0].items():
            assert gradient is not None, name
            assert float(gradient.abs().min()) > 1e-4, name
            torch.testing.assert_close(gradient, found[1][name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1e-3, 0.5, 30.0])
def test_series_are_the_exponential_and_its_integrals(size: float) -> None:
    ratio, b, h = torch.tensor([[1.0, -0.7, 0.0]]).double(), size * antisymmetric(3).unsqueeze(0), 0.4
    found = exponential_integrals(ratio, b, h)
    for i, w in enumerate((ratio[0, :, None, None] * b).numpy()):
        rates = np.zeros((9, 9))
        rates[:3, :3], rates[:3, 3:6], rates[3:6, 6:] = w, np.eye(3), np.eye(3)
        whole = expm(h * rates)
        for block, matrices in zip((whole[:3, :3], whole[:3, 3:6], whole[:3, 6:]), found, strict=True):
            np.testing.assert_allclose(matrices[0, i], block, atol=1e-13)


# What it keeps


def test_momentum_changes_by_the_whole_force() -> None:
    model = with_values(drawn(0.1, fields="uniform,electric", dims=3)).eval()
    x, v, q, m = state(6)
    mass = m.unsqueeze(-1)
    acceleration, _ = accelerations_of(with_values(drawn(0.1, fields=LEARNED, dims=3)), q, m)
    assert model.fields is not None
    acceleration = model.fields.acceleration(q, m).detach()
    end = forecast(model, x, v, q, m, 1.5)[1]
    change = (mass * (end - v)).sum(1)
    assert float((change - 1.5 * (mass * acceleration).sum(1)).abs().max()) < 1e-12
    assert float(change.abs().max()) > 1.0


def turned(model: Integrator) -> float:
    """Change of the angular momentum about the centre of mass."""
    x, v, q, m = state(6)
    end_x, end_v = forecast(model, x, v, q, m)
    before = angular_momentum(centred(x, m), centred(v, m), m)
    return float((angular_momentum(centred(end_x, m), centred(end_v, m), m) - before).abs().max())


def test_what_accelerates_all_alike_keeps_the_angular_momentum_and_nothing_else_does() -> None:
    assert turned(with_values(drawn(0.1, fields="uniform", dims=3)).eval()) < 1e-12
    for fields in ("electric", "magnetic", LEARNED):
        assert turned(with_values(drawn(0.1, fields=fields, dims=3)).eval()) > 1e-2


@pytest.mark.parametrize("fields", ["uniform", "electric", "magnetic", LEARNED, GIVEN])
def test_the_energy_in_the_fields_stays(fields: str) -> None:
    model = with_values(drawn(0.05, fields=fields, dims=3)).eval()
    x, v, q, m = state(6)
    given = fields_of(6, 3) if fields == GIVEN else {}
    assert model.fields is not None
    acceleration = model.fields.acceleration(q, m, given.get("uniform_field"))
    couplings, kappa = torch.stack([torch.ones_like(q), q]), torch.zeros(6).double()

    def energy(x: Tensor, v: Tensor) -> Tensor:
        with torch.no_grad():
            found = kinetic_energy(v, m) + model.potential(x, couplings, m, kappa, model.law.table())
            return found if acceleration is None else found - (m.unsqueeze(-1) * acceleration * x).sum((1, 2))

    end = forecast(model, x, v, q, m, 1.0, **given)
    assert float((energy(*end) - energy(x, v)).abs().max()) < 1e-11
    model.energy = False
    assert float((energy(*forecast(model, x, v, q, m, 1.0, **given)) - energy(x, v)).abs().max()) > 1e-7


# Symmetry


def turning_gap(model: Integrator, given: dict[str, Tensor], *, along: bool) -> float:
    x, v, q, m = state(6)
    r = torch.as_tensor(random_orthogonal(3, np.random.default_rng(4)))
    turned = {"uniform_field": given["uniform_field"] @ r.T, "magnetic_field": r @ given["magnetic_field"] @ r.T}
    there = forecast(model, x @ r.T + 1.0, v @ r.T, q, m, 1.0, **(turned if along else given))
    here = [a @ r.T for a in forecast(model, x, v, q, m, 1.0, **given)]
    return gap([there[0] - 1.0, there[1]], here)


def test_a_world_may_be_turned_together_with_the_given_fields() -> None:
    model, given = with_values(drawn(0.1, fields=GIVEN)).eval(), fields_of(6, 3)
    assert (model.group, model.dims) == ("E(n)", None)
    assert model.sees[-2:] == ("uniform_field", "magnetic_field")
    assert turning_gap(model, given, along=True) < 1e-11
    assert turning_gap(model, given, along=False) > 0.1


def test_learned_fields_point_somewhere_and_the_model_says_so() -> None:
    model = with_values(drawn(0.1, fields=LEARNED, dims=3)).eval()
    assert (model.group, model.dims) == ("Sym", 3)
    assert "uniform_field" not in model.sees
    given = {"uniform_field": torch.zeros(6, 3).double(), "magnetic_field": torch.zeros(6, 3, 3).double()}
    assert turning_gap(model, given, along=True) > 0.1
    plain = drawn(0.1).eval()
    assert (plain.group, plain.dims) == ("E(n)", None)


# What cannot be


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fields": "gravity", "dims": 3}, "unknown term in model.fields 'gravity'"),
        ({"fields": "uniform"}, "uniform is learned for one n; set model.dims"),
        ({"fields": "magnetic", "dims": 1}, "needs model.dims of 2 or more"),
        ({"dims": -1}, "model.dims must be >= 0; got -1"),
    ],
)
def test_what_cannot_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Integrator(IntegratorConfig(**settings))


def test_given_fields_must_be_given() -> None:
    with pytest.raises(InputError, match="needs magnetic_field"):
        forecast(drawn(fields=GIVEN), *state(2), uniform_field=torch.zeros(2, 3))
