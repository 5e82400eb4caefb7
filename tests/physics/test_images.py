"""Nearest images, wrapping and unwrapping of trajectories, and what looks wrapped."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import Boundary, looks_wrapped, minimum_image, unwrapped, wrapped

BOX = np.array([2.0, 5.0, 0.7])


def gas(rng, n_frames=60, N=20, speed=0.05, box=BOX):
    """Free flight of particles that fill a box, (n_frames, N, n), running on past its walls."""
    x = rng.uniform(-0.5, 0.5, (N, len(box))) * box
    v = speed * box.min() * rng.standard_normal((N, len(box)))
    return x + v * np.arange(n_frames)[:, None, None]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nearest_images_are_nearest_and_whole_lengths_away(dtype, rng):
    d = (20.0 * rng.standard_normal((7, 4, 3))).astype(dtype)
    near = minimum_image(d, BOX)
    assert near.dtype == dtype
    assert (np.abs(near) <= 0.5 * BOX * (1 + 1e-5)).all()
    turns = (d - near) / BOX
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_array_equal(near, wrapped(d, BOX))
    np.testing.assert_array_equal(near, Boundary("periodic", BOX).wrapped(d.astype(dtype)))


def test_an_infinite_length_does_not_repeat_and_integers_become_floats(rng):
    d = 20.0 * rng.standard_normal((6, 2))
    near = minimum_image(d, [1.0, np.inf])
    np.testing.assert_array_equal(near[:, 1], d[:, 1])
    assert np.abs(near[:, 0]).max() <= 0.5
    np.testing.assert_array_equal(minimum_image(np.array([[3, 5]]), [2.5, 4.0]), [[0.5, 1.0]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_unwrapping_undoes_wrapping_but_for_where_it_starts(dtype, rng):
    """Also of boxes with their corner at the origin, and of one box for each trajectory."""
    paths = np.stack([gas(rng), gas(rng), gas(rng)])
    boxes = BOX * np.array([[1.0], [1.2], [3.0]])
    for box in (BOX, boxes):
        lengths = np.broadcast_to(box, (3, 3))[:, None, None]
        for corner in (0.0, 0.5 * lengths):
            inside = (wrapped(paths - corner, lengths) + corner).astype(dtype)
            assert np.ptp(inside - paths, axis=1).max() > 0.5  # somebody left
            back = unwrapped(inside, box)
            assert back.dtype == dtype
            np.testing.assert_array_equal(back[:, 0], inside[:, 0])
            np.testing.assert_allclose(np.diff(back, axis=1), np.diff(paths, axis=1), atol=2e-5)
    np.testing.assert_array_equal(unwrapped(paths, BOX), paths)


def test_our_own_trajectories_run_on_and_unwrap_to_themselves(rng):
    system = System([1.0, -1.0, 1.0], boundary=Boundary("periodic", [2.0, 3.0]))
    path = simulate(system, State(rng.uniform(-1, 1, (3, 2)), 3.0 * rng.standard_normal((3, 2))), 2.0)
    assert np.abs(path.positions).max() > 2.0
    inside = system.boundary.wrapped(path.positions)
    back = unwrapped(inside, [2.0, 3.0])
    np.testing.assert_allclose(back - back[:1], path.positions - path.positions[:1], atol=1e-12)
    np.testing.assert_allclose(looks_wrapped(inside), [2.0, 3.0], rtol=0.02)
    assert looks_wrapped(path.positions) is None


# -- what looks wrapped -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1.0, 1e-10, 1e12])
@pytest.mark.parametrize("corner", [0.0, 0.5])
def test_a_wrapped_gas_is_seen_and_its_box_is_measured(unit, corner, rng):
    inside = wrapped(gas(rng) - corner * BOX, BOX) + corner * BOX
    np.testing.assert_allclose(looks_wrapped(unit * inside), unit * BOX, rtol=1e-6)
    assert looks_wrapped(unit * gas(rng)) is None


def test_wrapped_random_walks_are_seen_also_where_they_jump_to_and_fro(rng):
    walk = np.cumsum(0.01 * rng.standard_normal((200, 30, 3)), axis=0) + rng.uniform(0, 1, (30, 3))
    np.testing.assert_allclose(looks_wrapped(wrapped(walk, 1.0)), 1.0, rtol=0.02)
    assert looks_wrapped(walk) is None


def test_axes_without_jumps_have_no_length(rng):
    path = gas(rng, box=np.ones(3))
    inside = path.copy()
    inside[..., :2] = wrapped(path[..., :2], 1.0)
    np.testing.assert_allclose(looks_wrapped(inside), [1.0, 1.0, np.inf], rtol=1e-6)


def kepler(eccentricity, mean_anomalies):
    """Positions of a body on an ellipse about the origin, (n_frames, 2)."""
    e, m = eccentricity, np.asarray(mean_anomalies)
    anomaly = m + e * np.sin(m)
    for _ in range(200):
        anomaly -= (anomaly - e * np.sin(anomaly) - m) / (1 - e * np.cos(anomaly))
    return np.stack([np.cos(anomaly) - e, np.sqrt(1 - e * e) * np.sin(anomaly)], axis=-1)


@pytest.mark.parametrize("eccentricity", [0.0, 0.5, 0.9, 0.99])
def test_orbits_are_not_taken_for_wrapped(eccentricity):
    """However they are sampled, with a partner of equal mass or alone."""
    for step in np.linspace(0.02, 3.2, 160):
        body = kepler(eccentricity, 0.3 + step * np.arange(80))[:, None]
        for path in (body, np.concatenate([body, -body], axis=1)):
            assert looks_wrapped(path) is None, step


def test_collisions_and_fast_particles_are_not_taken_for_wrapped(rng):
    for seed in range(12):
        charges = np.random.default_rng(seed).choice([-1.0, 1.0], 5)
        system = System(charges, law="coulomb", parameters={"eps": 0.05})
        x, v = rng.standard_normal((2, 5, 3))
        path = simulate(system, State(x, 2.0 * v), 10.0, n_frames=501, dt=1e-3).positions
        for stride in (1, 3, 10, 50, 100, 250):
            assert looks_wrapped(path[::stride]) is None, (seed, stride)
    ballistic = np.zeros((3, 6, 2)) + rng.uniform(0, 1, (6, 2))
    ballistic[:, 0] += [[0.0, 0.0], [40.0, 3.0], [80.0, 6.0]]
    assert looks_wrapped(ballistic) is None
    assert looks_wrapped(ballistic[:2]) is None
    assert looks_wrapped(np.zeros((4, 3, 2))) is None
    assert looks_wrapped(ballistic[:1]) is None
