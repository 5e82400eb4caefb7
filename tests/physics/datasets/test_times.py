"""Times of frames: even or not, whatever their dtype and origin."""

import numpy as np
import pytest

from physics.datasets.times import clock_ratio, first_uneven, frame_after, same_spacing, time_tolerance

SPACINGS = (1e-15, 0.1, 0.3, 7.0, 1e9)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("start", [0.0, 1000.0])
def test_rounded_times_are_even_and_uneven_ones_are_found(spacing, dtype, start):
    times = (start * spacing + spacing * np.arange(60)).astype(dtype)
    assert same_spacing(times)
    assert frame_after(times, 3, 10 * spacing) == 13
    assert frame_after(times, 13, -10 * spacing) == 3
    assert frame_after(times, 3, 10.4 * spacing) is None
    assert frame_after(times, 55, 10 * spacing) is None
    moved = times.copy()
    moved[20] += dtype(0.3 * spacing)
    assert first_uneven(moved) == 20


def test_the_tolerance_is_far_below_a_step():
    assert time_tolerance(np.float32([1e6, 1e6 + 0.125, 1e6 + 0.25])) <= 0.125 / 4
    assert time_tolerance([5.0]) == 0.0


@pytest.mark.parametrize("factor", [1e-3, 0.5, 2.0, 1e15])
def test_a_clock_in_other_units_than_the_velocities_is_found(factor):
    rng = np.random.default_rng(0)
    times = 0.05 * np.arange(20)
    rate = rng.uniform(1, 3, (4, 1, 5, 2))
    x = np.sin(rate * times[:, None, None])
    v = rate * np.cos(rate * times[:, None, None])
    assert clock_ratio(x, v, times) is None
    assert clock_ratio(x, v / factor, times) == pytest.approx(factor, rel=0.02)
    assert clock_ratio(x, rng.standard_normal(v.shape), times) is None
    assert clock_ratio(x, 0 * v, times) is None
