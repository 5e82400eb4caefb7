import numpy as np
import pytest

from surrogate.studies.smoothing import path_steps, smoothed

TIMES = 0.1 * np.arange(60)


def waves(rng, samples=3):
    """Smooth paths and their exact velocities, (samples, frames, 4, 2)."""
    rate, phase = rng.uniform(0.5, 2, (samples, 1, 4, 2)), rng.uniform(0, 6, (samples, 1, 4, 2))
    angle = rate * TIMES[:, None, None] + phase
    return np.sin(angle), rate * np.cos(angle)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_steps_are_those_of_the_path_and_doubted_where_it_bends(rng):
    x, v = waves(rng)
    steps, doubts = path_steps(v, TIMES)
    true = np.diff(x, axis=1)
    assert np.abs(steps - true)[:, 2:-2].max() < 1e-4
    plain = 0.05 * (v[:, 1:] + v[:, :-1])
    assert np.abs(plain - true)[:, 2:-2].max() > 3e-4
    assert np.all(np.abs(steps - true)[:, 2:-2] <= doubts[:, 2:-2] + 1e-4)


def test_noise_of_smooth_paths_falls_by_the_root_of_the_frames(rng):
    x, v = waves(rng)
    noise = 0.02
    better = smoothed(x + noise * rng.standard_normal(x.shape), v, TIMES, noise)
    assert np.std(better - x) < 0.35 * noise
    wrong = smoothed(x + noise * rng.standard_normal(x.shape), -v, TIMES, noise)
    assert np.std(wrong - x) > noise


def test_a_kink_that_the_velocities_do_not_show_stays_local(rng):
    x, v = waves(rng)
    noise, jump = 0.02, 40
    v[:, jump] += 30.0  # an encounter between two frames: quadrature is far off there
    better = smoothed(x + noise * rng.standard_normal(x.shape), v, TIMES, noise)
    assert np.std((better - x)[:, : jump - 3]) < 0.5 * noise
    assert np.std((better - x)[:, jump + 4 :]) < 0.5 * noise


def test_without_noise_nothing_moves(rng):
    x, v = waves(rng)
    assert np.abs(smoothed(x, v, TIMES, 1e-9) - x).max() < 1e-8
