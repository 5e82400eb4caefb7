"""The integrator's rounds: kernels against PyTorch, the order of the method, sub-steps, growth of gradients."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate.models.integrator.cpu import autograd
from surrogate.models.integrator.cpu.autograd import rounds_in_numba
from surrogate.models.integrator.cpu.large_systems import LARGE
from surrogate.models.integrator.one_body import one_body
from surrogate.models.integrator.rounds import rounds_in_torch
from tests.surrogate.models.integrators import alone, drawn, forecast, knowing_coulomb, rmses, slope, state, truth


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("particles", [2, 5])
@pytest.mark.parametrize(("most", "order"), [(1, 2), (2, 2), (64, 2), (1, 4), (64, 4)])
def test_the_kernel_is_what_pytorch_computes(n: int, particles: int, most: int, order: int) -> None:
    model = drawn(0.3, pull="always", conserve=False)
    x, v, q, m = state(4, particles, n)
    generator = torch.Generator().manual_seed(n)
    couplings = torch.stack([torch.ones_like(q), q])
    kappa = torch.rand(4, dtype=torch.float64, generator=generator)
    leaves = [x, v, couplings, kappa, torch.tensor(0.3).double(), model.law.table().detach()]
    weight = torch.randn((2, 4, particles, n), dtype=torch.float64, generator=generator)
    found = []
    for rounds in (rounds_in_numba, rounds_in_torch):
        given = [leaf.clone().requires_grad_() for leaf in leaves]
        x, v, c, k, gamma, table = given
        out_x, out_v, count = rounds(
            x,
            v,
            c,
            m,
            one_body(k, gamma, 0.1),
            table,
            model.law.u0,
            model.law.softening,
            0.1,
            4,
            most,
            math.inf,
            order,
        )
        gradients = torch.autograd.grad((weight[0] * out_x).sum() + (weight[1] * out_v).sum(), given)
        found.append((out_x.detach(), out_v.detach(), *gradients))
        pairs = 4 * 4 * particles * (particles - 1) // 2
        assert pairs < int(count) <= most * pairs if most > 1 else int(count) == pairs  # some pair took sub-steps
    for name, kernel, plain in zip(("x", "v", "gx", "gv", "gc", "gk", "gg", "gt"), *found, strict=True):
        assert float(plain.abs().max()) > 1e-6, name
        assert float((kernel - plain).abs().max()) < 1e-9 * float(plain.abs().max().clamp_min(1)), name


@pytest.mark.parametrize("order", [2, 4])
def test_the_gradient_is_that_of_differences(order: int) -> None:
    """Against finite differences, and not only against the other implementation."""
    model = drawn(0.1, pull="always", conserve=False)
    x, v, q, m = state(1, 3, 2, spread=2.0)
    couplings = torch.stack([torch.ones_like(q), q])
    table, kappa, gamma = model.law.table().detach(), torch.tensor([0.2]).double(), torch.tensor(0.3).double()

    def rounds(*given: Tensor) -> Any:
        x, v, c, k, g, t = given
        facts = (t, model.law.u0, model.law.softening, 0.05, 2)
        return rounds_in_numba(x, v, c, m, one_body(k, g, 0.05), *facts, order=order)[:2]

    given = tuple(a.requires_grad_() for a in (x, v, couplings, kappa, gamma, table))
    assert torch.autograd.gradcheck(rounds, given, fast_mode=True)


def on_meta(order: int) -> list[Tensor]:
    """Positions, velocities and the gradients of both, of rounds where there are shapes and no numbers."""
    model = drawn(0.3, pull="always", conserve=False)
    x, v, q, m = state(4, 5)
    leaves = [x, v, torch.stack([torch.ones_like(q), q]), torch.ones(4).double(), torch.tensor(0.3).double()]
    leaves.append(model.law.table().detach())
    x, v, c, k, gamma, table = given = [leaf.to("meta").requires_grad_() for leaf in leaves]
    facts = (x, v, c, m.to("meta"), one_body(k, gamma, 0.1), table, model.law.u0, model.law.softening, 0.1, 2)
    out_x, out_v, count = rounds_in_torch(*facts, 4, 2.0, order)
    assert count.is_meta
    return [out_x, out_v, *torch.autograd.grad(out_x.sum() + out_v.sum(), given)]


@pytest.mark.parametrize("order", [2, 4])
def test_rounds_wait_for_no_device(order: int) -> None:
    """A tensor without numbers cannot be read by the host: neither pass does."""
    found = on_meta(order)
    assert all(t.is_meta for t in found)
    assert found[0].shape == found[2].shape == (4, 5, 3)
    with pytest.raises((RuntimeError, NotImplementedError)):  # as reading how many sub-steps are taken would
        found[0].max().item()


@pytest.mark.parametrize("order", [2, 4])
def test_pairs_of_one_sub_step_are_not_touched_by_those_of_many(order: int) -> None:
    """The sub-steps beyond a pair's own change no bit of it."""
    model, (x, v, q, m) = drawn(0.3), state(6, 5)
    facts = (model.law.table().detach(), model.law.u0, model.law.softening, 0.1, 3, 64, math.inf, order)

    def rounds(x: Tensor, v: Tensor, q: Tensor, m: Tensor) -> Tensor:
        couplings = torch.stack([torch.ones_like(q), q])
        return rounds_in_torch(x, v, couplings, m, alone(len(m), 0.1), *facts)[0]

    x[0] *= 0.01  # pairs that take many
    together = rounds(x, v, q, m)
    assert torch.equal(together[1:], rounds(x[1:], v[1:], q[1:], m[1:]))
    assert not torch.equal(together[0], x[0])


def test_close_pairs_take_more_and_others_no_more() -> None:
    model = knowing_coulomb()
    for k in (1, 5, 16):
        forecast(model, *state(8, spread=0.3), evaluations=k)
        close = model.force_evaluations
        forecast(model, *state(8, spread=30.0), evaluations=k)
        assert k <= model.force_evaluations < k + 1 < close


def test_without_substeps_close_pairs_take_no_more_and_are_worse() -> None:
    given = state(40, 2, spread=0.5)
    one, many = knowing_coulomb(most_substeps=1), knowing_coulomb()
    errors = [float(rmses(model, given, 1.0, (4,)).square().mean()) for model in (one, many)]
    assert errors[0] > 1000 * errors[1]
    assert one.force_evaluations == 4 < many.force_evaluations


def test_the_growth_of_gradients_is_limited_in_training_alone() -> None:
    given = state(40, 5, spread=0.3)
    sizes = {}
    for growth in (2.0, 0.0):
        model = knowing_coulomb(gradient_growth=growth)
        for training in (True, False):
            start = given[0].clone().requires_grad_()
            forward = model.train(training).for_training().forward
            forward(start, given[1], given[2], 1.0, given[3])[0].square().sum().backward()
            assert start.grad is not None
            sizes[growth, training] = float(start.grad.norm())
    assert sizes[0.0, False] == pytest.approx(sizes[2.0, False])
    assert sizes[2.0, True] < 0.5 * sizes[0.0, True]


def test_pytorch_limits_it_as_the_kernel_does() -> None:
    x, v, q, m = state(12, 5, spread=0.3)
    model = knowing_coulomb()
    couplings = torch.stack([torch.ones_like(q), q])
    facts = (couplings, m, alone(12, 1 / 8), model.law.table(), model.law.u0)
    facts = (*facts, model.law.softening, 1 / 8, 8)

    def gradient(rounds: Any, limit: float) -> Tensor:
        start = x.clone().requires_grad_()
        out_x, _, _ = rounds(start, v, *facts, 64, limit)
        out_x.square().sum().backward()
        assert start.grad is not None
        return start.grad

    free, held = gradient(rounds_in_torch, math.inf), gradient(rounds_in_torch, 2.0)
    torch.testing.assert_close(held, gradient(rounds_in_numba, 2.0), rtol=1e-8, atol=1e-8)
    assert float(held.norm()) < 0.5 * float(free.norm())


@pytest.mark.parametrize("n", [2, 3])
def test_two_bodies_need_one_round(n: int) -> None:
    given = state(30, 2, n)
    still = float((given[0] + given[1] - truth(*given, 1.0)).square().mean().sqrt())
    errors = rmses(knowing_coulomb(), given, 1.0, (1, 4, 16))
    assert float(errors[0].median()) < 3e-4 < 0.1 < still
    assert float(errors[0].square().mean().sqrt()) < 0.05 * still
    wrong = rmses(knowing_coulomb(1.05), given, 1.0, (1,))
    assert float(wrong.median()) > 10 * float(errors[0].median())


def test_three_body_errors_fall_as_the_square_of_the_step() -> None:
    given, counts = state(40), (2, 4, 8)
    errors = rmses(knowing_coulomb(), given, 0.5, counts).square().mean(1).sqrt()
    assert 1.8 < slope(errors, counts) < 2.3
    wrong = rmses(knowing_coulomb(1.1), given, 0.5, counts).square().mean(1).sqrt()
    assert slope(wrong, counts) < 1


def test_so_do_those_of_long_forecasts_in_many_rounds() -> None:
    given, counts = state(40, spread=2.0), (16, 32, 64, 128)
    errors = rmses(knowing_coulomb(), given, 1.0, counts).median(1).values
    assert 1.8 < slope(errors, counts) < 2.3
    wrong = rmses(knowing_coulomb(1.1), given, 1.0, counts).median(1).values
    assert slope(wrong, counts) < 0.5


@pytest.mark.parametrize("pull", ["none", "always"])
def test_those_of_order_four_fall_as_its_fourth_power(pull: str) -> None:
    """Pairs' own sub-steps and a trap are of that order too; against the model itself in many more rounds."""
    (x, v, q, m), counts = state(40, spread=2.0), (4, 8, 16, 32)

    def errors(order: int, counts: tuple[int, ...]) -> Tensor:
        model = knowing_coulomb(order=order, pull=pull)
        if pull != "none":
            model.log_kappa.data.fill_(0.0)
        with torch.no_grad():
            made = [model.for_inference().forward(x, v, q, 1.0, m, evaluations=k)[0] for k in (*counts, 512)]
        return torch.stack([(some - made[-1]).square().mean((1, 2)).sqrt().median() for some in made[:-1]])

    found, plain = errors(4, counts), errors(2, counts)
    assert 3.6 < slope(found, counts) < 4.6
    assert slope(plain, counts) < 2.4
    assert (found < 0.3 * plain).all()


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("particles", [2, 5])
def test_more_rounds_are_never_worse(particles: int, order: int) -> None:
    """But for the error of a pair's own sub-steps, a few 1e-4 that know nothing of K."""
    model = knowing_coulomb(order=order)
    errors = rmses(model, state(40, particles), 1.0, (1, 2, 4, 8, 16, 32, 64, 128))
    of_all = errors.square().mean(1).sqrt()
    assert (of_all[1:] < (1.1 * of_all[:-1]).clamp_min(4e-4)).all()
    assert float(of_all[-1]) < 0.1 * float(of_all[0])


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("particles", [5, 40])
def test_systems_shared_by_threads_are_the_same_bits(
    particles: int, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autograd, "PAIRS_A_THREAD", 1)
    model = knowing_coulomb(order=order)
    x, v, q, _ = state(7, particles, 3, spread=2.0)
    threads, made = torch.get_num_threads(), []
    try:
        with torch.no_grad():
            for count in (1, 2, 3):
                torch.set_num_threads(count)
                made.append(model.for_inference().forward(x, v, q, 0.5))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for other in made[1:] for a, b in zip(made[0], other, strict=True))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("n", [2, 3])
def test_large_systems_by_kernels_that_share_their_rows(n: int, order: int) -> None:
    model = knowing_coulomb(order=order)
    x, v, q, _ = state(2, LARGE + 5, n, spread=4.0)
    threads = torch.get_num_threads()
    try:
        made = []
        with torch.no_grad():
            for count in (1, 2):
                torch.set_num_threads(count)
                made.append(model.for_inference().forward(x, v, q, 0.2, evaluations=2))
            by_torch = model(x, v, q, 0.2, evaluations=2)
    finally:
        torch.set_num_threads(threads)
    for one, two, known in zip(*made, by_torch, strict=True):
        assert torch.equal(one, two)
        torch.testing.assert_close(one, known, rtol=0, atol=1e-11)
