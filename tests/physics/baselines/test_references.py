"""Opponents that know the law and the yardsticks of the published set, against slow NumPy and known numbers."""

import math

import numpy as np
import pytest

from physics.baselines.orientation import (
    clean_windows,
    isotropic_simulation,
    largest_forces,
    orientation_study,
    published_start,
    published_step,
)
from physics.baselines.references import (
    Windows,
    adaptive_leapfrog_forecast,
    eta_for,
    leapfrog_forecast,
    perturbed_truth,
)
from physics.datasets.presets import initial_states
from physics.errors import InputError
from physics.rotations import random_rotation
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from tests.physics import oracle
from tests.physics.tolerances import tolerance

EPS, P, KAPPA = 0.1, 2.0, 0.5
ORACLE = 1e-9
"""Ten to fifty leapfrog steps, other order of sums; close pairs amplify round-off."""


def some_windows(n=3, particles=4, count=3, seed=0, masses=True, kappa=KAPPA, law="coulomb"):
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, count, particles, n))
    q = rng.choice([-1.0, 1.0], (count, particles))
    m = rng.uniform(0.5, 2.0, (count, particles)) if masses else np.ones((count, particles))
    parameters = {"eps": EPS, "p": P, "kappa": kappa} if law == "coulomb" else {}
    return Windows(x, v, q, m, law, parameters)


def acceleration(w, x, index):
    if w.law == "reference":
        return oracle.reference_acceleration(x, w.q[index], w.m[index], 100.0)
    return oracle.coulomb_acceleration(x, w.q[index], w.m[index], EPS, P, w.parameters["kappa"])


def slow_leapfrog(w, index, horizon, steps):
    x, v = w.x[index].copy(), w.v[index].copy()
    dt = horizon / steps
    for _ in range(steps):
        x = x + 0.5 * dt * v
        v = v + dt * acceleration(w, x, index)
        x = x + 0.5 * dt * v
    return x, v


def slow_adaptive(w, index, horizon, eta):
    x, v, q, m = w.x[index].copy(), w.v[index].copy(), w.q[index], w.m[index]
    left, count = horizon, 0
    while left > 1e-12 * horizon:
        scales = []
        for i in range(len(q)):
            for j in range(i):
                s = math.sqrt(np.sum((x[i] - x[j]) ** 2) + EPS**2)
                pace = abs(q[i] * q[j]) * (1 / m[i] + 1 / m[j]) / s**3 + np.sum((v[i] - v[j]) ** 2) / s**2
                scales.append(1 / math.sqrt(pace + w.parameters["kappa"]))
        dt = min(eta * min(scales), left)
        x = x + 0.5 * dt * v
        v = v + dt * acceleration(w, x, index)
        x = x + 0.5 * dt * v
        left, count = left - dt, count + 1
    return x, v, count


def close(got, want):
    return np.abs(got - want).max() < ORACLE * max(np.abs(want).max(), 1.0)


@pytest.mark.parametrize(("n", "particles"), [(1, 2), (2, 5), (3, 3), (5, 4)])
@pytest.mark.parametrize("law", ["coulomb", "reference"])
def test_fixed_leapfrog_equals_numpy(n, particles, law):
    w = some_windows(n, particles, law=law)
    x, v = leapfrog_forecast(w, 0.7, 9)
    for index in range(len(w)):
        for got, want in zip((x[index], v[index]), slow_leapfrog(w, index, 0.7, 9), strict=True):
            assert close(got, want)
    assert not close(x[0], slow_leapfrog(w, 0, 0.7, 10)[0])


@pytest.mark.parametrize(("n", "particles"), [(2, 5), (3, 3), (4, 7)])
def test_adaptive_leapfrog_equals_numpy(n, particles):
    w = some_windows(n, particles)
    x, v, counts = adaptive_leapfrog_forecast(w, 1.0, 0.3)
    for index in range(len(w)):
        want_x, want_v, want_count = slow_adaptive(w, index, 1.0, 0.3)
        assert counts[index] == want_count
        assert close(x[index], want_x)
        assert close(v[index], want_v)
    free = Windows(w.x, w.v, w.q, w.m, "coulomb", {**w.parameters, "kappa": 0.0})
    assert not close(adaptive_leapfrog_forecast(free, 1.0, 0.3)[0], x)


def test_pairs_without_charge_set_no_pace():
    w = some_windows(count=1, kappa=0.0)
    neutral = Windows(w.x, w.v, np.zeros_like(w.q), w.m, w.law, w.parameters)
    x, _, counts = adaptive_leapfrog_forecast(neutral, 2.0, 0.1)
    assert counts.tolist() == [1]
    np.testing.assert_allclose(x, w.x + 2.0 * w.v, rtol=1e-12)


def test_eta_for_meets_the_mean():
    w = some_windows(count=40)
    for wanted in (12, 40):
        eta = eta_for(w, 1.0, wanted)
        assert adaptive_leapfrog_forecast(w, 1.0, eta)[2].mean() == pytest.approx(wanted, rel=0.05)


@pytest.fixture(scope="module")
def iso3():
    """300 windows of charged-iso, n = 3: state at t = 3.1 and the truth at 4.1."""
    x, v, q = initial_states("charged-iso", "test", range(300), n_particles=5, n_dims=3, seed=0)[:3]
    law = {"eps": EPS, "p": P, "kappa": 0.0}
    schedule = Schedule.through(np.array([0.0, 3.1, 4.1]), 1e-4)
    x, v = simulate_batch(x, v, q, parameters=law, schedule=schedule)
    return Windows(x[:, 1], v[:, 1], q, np.ones_like(q), "coulomb", law), x[:, 2]


def mse(forecast, truth):
    return float(((forecast - truth) ** 2).mean())


def test_the_known_numbers_of_the_isotropic_set(iso3):
    """n = 3: fixed K = 8, 64; adaptive 8.9 -> 1.0e-3, 17.4 -> 4.0e-5 (heavy tails: orders only)."""
    w, truth = iso3
    for evaluations, known in ((8, 0.098), (64, 3.5e-5)):
        error = mse(leapfrog_forecast(w, 1.0, evaluations)[0], truth)
        assert 0.1 < error / known < 10
    for evaluations, known in ((8.9, 1.0e-3), (17.4, 4.0e-5)):
        x, _, counts = adaptive_leapfrog_forecast(w, 1.0, eta_for(w, 1.0, evaluations))
        assert counts.mean() == pytest.approx(evaluations, rel=0.05)
        assert 0.2 < mse(x, truth) / known < 5
    assert mse(adaptive_leapfrog_forecast(w, 1.0, 0.3)[0], truth) < 0.1 * mse(
        leapfrog_forecast(w, 1.0, 16)[0], truth
    )


def test_perturbed_truth(iso3):
    w = iso3[0].part(slice(0, 20))
    times = np.array([0.0, 0.5, 1.0])
    unmoved, _ = perturbed_truth(w, times, 1e-4, 0.0)
    np.testing.assert_allclose(unmoved[:, -1], iso3[1][:20], atol=1e-8)
    moved, _ = perturbed_truth(w, times, 1e-4, 1e-6)
    start = np.sqrt(np.mean((moved[:, 0] - w.x) ** 2))
    assert start == pytest.approx(1e-6, rel=0.2)
    assert np.median(np.abs(moved[:, -1] - unmoved[:, -1])) > 1e-7


def published_windows(published, frame=30):
    x, v, q = published["positions"][:, frame], published["velocities"][:, frame], published["charges"]
    return Windows(x, v, q, np.ones_like(q), "reference", {})


def test_published_step_and_its_inverse(published):
    w = published_windows(published)
    x, _ = published_step(w, 1000)
    apart = np.abs(x - published["positions"][:, 40]).max(axis=(1, 2))
    assert np.median(apart) < tolerance("published_median")
    x, v = published_start(w, 3100)
    starts = oracle.published_start(40)
    apart = np.abs(x - np.array([s[0] for s in starts])).max(axis=(1, 2))
    assert np.median(apart) < 1e-9
    assert np.median(np.abs(np.linalg.norm(v, axis=-1) - 0.5)) < 1e-9


def test_isotropic_simulation_equals_numpy_and_is_isotropic(published):
    w = published_windows(published)
    largest = largest_forces(w.x, w.v, w.q, dt=1e-3, n_steps=300)
    clean = clean_windows(largest)
    x, _ = isotropic_simulation(w, 300)
    assert np.abs(x - published_step(w, 300)[0])[clean].max() < 1e-9
    index = int(np.argmax(largest))
    assert largest[index] > 100
    slow_x, slow_v = w.x[index].copy(), w.v[index].copy()
    for _ in range(300):
        f = oracle.coulomb_acceleration(slow_x, w.q[index], np.ones(5), 0.0, 2, 0.0)
        size = np.linalg.norm(f, axis=-1, keepdims=True)
        slow_v = slow_v + 1e-3 * f * np.minimum(1.0, 100.0 / np.maximum(size, 1e-300))
        slow_x = slow_x + 1e-3 * slow_v
    np.testing.assert_allclose(x[index], slow_x, atol=1e-9)
    matrix = random_rotation(3, np.random.default_rng(0))
    turned = Windows(w.x @ matrix.T, w.v @ matrix.T, w.q, w.m, w.law)
    assert np.median(np.abs(isotropic_simulation(turned, 300)[0] - x @ matrix.T)) < 1e-12
    one = slice(index, index + 1)
    step = published_step(w.part(one), 300)[0] @ matrix.T
    assert np.abs(published_step(turned.part(one), 300)[0] - step).max() > 1e-3


def test_orientation_study(published):
    w = published_windows(published)
    clean = clean_windows(largest_forces(w.x, w.v, w.q, dt=1e-3, n_steps=1000))
    truth = published["positions"][:, 40]
    few = np.flatnonzero(clean)[:3]
    study = orientation_study(w.part(few), 1000, rotations=5)
    assert np.median(np.abs(study.blind - truth[few])) < 1e-9
    assert study.informed is None
    touched = np.flatnonzero(~clean)
    study = orientation_study(w.part(touched), 1000, rotations=20, steps_before=3100)
    assert np.abs(study.blind - truth[touched]).max() > 1e-2
    assert study.speed_error.min() < 1e-6
    assert study.speed_error_turned.max() > 1e-3
    assert (study.speed_error_least <= study.speed_error_turned).all()
    assert np.abs(study.informed - study.blind).max() > 1e-3
    again = orientation_study(w.part(touched[:1]), 1000, rotations=20)
    np.testing.assert_array_equal(again.blind[0], study.blind[0])


def test_refusals():
    w = some_windows()
    with pytest.raises(InputError, match="evaluations must be at least 1"):
        leapfrog_forecast(w, 1.0, 0)
    with pytest.raises(InputError, match="eta must be positive"):
        adaptive_leapfrog_forecast(w, 1.0, 0.0)
    other = Windows(w.x, w.v, w.q, w.m, "yukawa")
    with pytest.raises(InputError, match="adaptive leapfrog knows the laws coulomb, reference"):
        adaptive_leapfrog_forecast(other, 1.0, 0.1)
