"""A number of evaluations for each window: what is spent, what comes out, and where it stops."""

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from physics.rotations import random_rotation
from surrogate.inference.adaptive_rounds import MOST_DOUBLINGS, until_agreed
from surrogate.inference.loading import load

SIZES = torch.tensor([0.0, 1.0, 4.0, 100.0], dtype=torch.float64)
"""Windows whose error with k evaluations is size / k^2."""


def second_order(rows: Tensor, count: int) -> tuple[Tensor, Tensor | None, float]:
    x = (SIZES[rows] / count**2)[:, None, None].expand(-1, 3, 2)
    return x, 2.0 * x, float(count)


def test_windows_double_until_they_agree() -> None:
    x, v, spent, calls = until_agreed(second_order, 4, 4, 0.01)
    # size s is done at 2k where s (1/k^2 - 1/4k^2) <= 0.01: at once; 1 at 2k = 32; 4 at 64; 100 at the most
    assert spent.tolist() == [4 + 8, 4 + 8 + 16 + 32, 4 + 8 + 16 + 32 + 64, 4 * (2 ** (MOST_DOUBLINGS + 1) - 1)]
    last = torch.tensor([8, 32, 64, 4 * 2**MOST_DOUBLINGS])
    torch.testing.assert_close(x[:, 0, 0], SIZES / last**2)
    assert v is not None
    torch.testing.assert_close(v, 2.0 * x)
    assert calls == pytest.approx(float(spent.double().mean()))


def test_without_velocities_there_are_none() -> None:
    assert until_agreed(lambda rows, k: (*second_order(rows, k)[:1], None, 1.0), 4, 1, 0.1)[1] is None


def test_what_is_not_finite_goes_on_to_the_end() -> None:
    def broken(rows: Tensor, count: int) -> tuple[Tensor, Tensor | None, float]:
        return torch.full((len(rows), 2, 1), float("nan")), None, 1.0

    assert until_agreed(broken, 2, 1, 1.0)[2].tolist() == [2 ** (MOST_DOUBLINGS + 1) - 1] * 2


def states(count: int = 40, n: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, v = 0.8 * rng.standard_normal((count, 5, n)), 0.5 * rng.standard_normal((count, 5, n))
    return x, v, rng.choice([-1.0, 1.0], (count, 5))


def test_close_windows_take_more_and_all_come_near_the_best() -> None:
    model, (x, v, q) = load("integrator-nd"), states()
    best = model.forecast(x, v, q, evaluations=1024).positions
    found = model.forecast(x, v, q, tolerance=1e-2)
    plain = model.forecast(x, v, q)
    assert found.evaluations.shape == (40,)
    assert found.evaluations.min() < 16 < found.evaluations.max()
    assert model.cost.evaluations == 16
    assert plain.evaluations.tolist() == [16] * 40
    worst = [np.sqrt(((f.positions - best) ** 2).mean((1, 2))).max() for f in (found, plain)]
    assert worst[0] < 0.05 < worst[1]
    closer = model.forecast(x, v, q, tolerance=1e-4)
    assert (closer.evaluations >= found.evaluations).all()
    assert closer.evaluations.mean() > found.evaluations.mean()


def test_each_window_chooses_for_itself() -> None:
    model, (x, v, q) = load("integrator-nd").with_tolerance(1e-3), states(6)
    whole = model.forecast(x, v, q)
    for k in range(6):
        one = model.forecast(x[k], v[k], q[k])
        assert one.evaluations == whole.evaluations[k]
        np.testing.assert_allclose(one.positions, whole.positions[k], rtol=0, atol=1e-11)


def test_the_choice_turns_with_the_space() -> None:
    model, (x, v, q) = load("integrator-nd").with_tolerance(1e-3), states()
    r = random_rotation(2, np.random.default_rng(1))
    plain, turned = model.forecast(x, v, q), model.forecast(x @ r.T, v @ r.T, q)
    np.testing.assert_array_equal(turned.evaluations, plain.evaluations)
    gap = np.abs(turned.positions - plain.positions @ r.T).max(axis=(1, 2))
    assert np.median(gap) < 1e-12


def test_the_choice_is_differentiable_where_it_does_not_change() -> None:
    model, (x, v, q) = load("integrator-nd"), states(3, 3)
    given = torch.tensor(x, requires_grad=True)
    out = model.forecast(given, torch.tensor(v), torch.tensor(q), tolerance=1e-2).positions
    out.square().sum().backward()
    assert given.grad is not None
    assert bool((given.grad != 0).all())


def test_what_cannot_be_asked() -> None:
    model, (x, v, q) = load("integrator-nd"), states(2)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="tolerance must be positive and finite"):
            model.forecast(x, v, q, tolerance=bad)
    with pytest.raises(InputError, match="cannot choose"):
        load("egnn-nd").forecast(x, v, q, tolerance=0.1)
