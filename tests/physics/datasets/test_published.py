"""The published data set: our engine against the generator's own output, and against a plain NumPy generator."""

import numpy as np
import pytest

from physics.baselines.orientation import clean_windows, largest_forces, largest_unclamped_force
from physics.datasets.presets import PRESETS, published_states
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from physics.laws import LAWS
from physics.simulate import simulate_batch
from physics.stepping.batch import pack_lanes
from physics.stepping.schedule import schedule_through
from physics.sums.lanes import LANES
from tests.physics import oracle
from tests.physics.tolerances import tolerance


def largest_difference(a, b):
    """Per trajectory, (S,)."""
    return np.abs(a - b).reshape(len(a), -1).max(axis=1)


def agrees(positions, velocities, expected):
    apart = largest_difference(positions, expected["positions"])
    speed = largest_difference(velocities, expected["velocities"])
    return (
        np.median(apart) < tolerance("published_median")
        and (apart < tolerance("published_most")).sum() >= 38
        and (speed < tolerance("published_velocity")).sum() >= 38
    )


def test_first_forty_trajectories_regenerate(tmp_path, published):
    generate(request_from_options("nbody-reference", {"train": "40"}, None, None, None, {}), tmp_path / "d.zarr")
    split = read_split(tmp_path / "d.zarr", "train")
    np.testing.assert_array_equal(split.charges, published["charges"])
    np.testing.assert_allclose(split.times, published["times"], atol=1e-12)
    assert agrees(split.positions, split.velocities, published)
    assert split.recipe["velocity_offset"] == -0.0005
    assert split.recipe["preset"] == "nbody-reference"


@pytest.mark.parametrize(
    "wrong",
    [
        {"parameters": {"force_limit": 1e6}},
        {"integrator": "leapfrog"},
        {"law": "coulomb", "parameters": {"eps": 0.0}, "integrator": "symplectic-euler"},
        {"schedule": schedule_through(np.append(0.0, PRESETS["nbody-reference"].times["train"]), 5e-4)},
    ],
    ids=["no clamp", "leapfrog", "other law", "half step"],
)
def test_regeneration_check_bites(wrong, published):
    x, v, q = (np.array(a) for a in zip(*published_states("nbody-reference", "train", 40), strict=True))
    schedule = schedule_through(np.append(0.0, PRESETS["nbody-reference"].times["train"]), 1e-3)
    choices = {"law": "reference", "schedule": schedule} | wrong
    positions, velocities = simulate_batch(x, v, q, **choices)
    assert not agrees(positions[:, 1:], velocities[:, 1:], published)


def test_splits_are_drawn_from_one_stream():
    expected = oracle.published_start(12_002)
    for split, first in (("train", 0), ("valid", 10_000), ("test", 12_000)):
        for got, want in zip(published_states("nbody-reference", split, 2), expected[first:], strict=False):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_array_equal(a, b)


def test_large_set_shares_valid_and_test_and_has_its_own_train():
    def first(preset, split):
        return next(published_states(preset, split, 1))[0]

    assert np.array_equal(first("nbody-reference-large", "valid"), first("nbody-reference", "valid"))
    stream = np.random.RandomState(42)
    stream.choice([-1, 0, 1], size=(5, 1), p=[1 / 2, 0, 1 / 2])
    np.testing.assert_array_equal(first("nbody-reference-large", "train"), stream.randn(3, 5).T)
    assert len(PRESETS["nbody-reference-large"].times["train"]) == 9


def clean_window_forces(published, frame, n_steps):
    """Largest unclamped |F| along each window by the plain generator, (40,)."""
    x, v, q = published["positions"][:, frame], published["velocities"][:, frame], published["charges"]
    limit = LAWS["reference"].defaults["force_limit"]
    largest = np.zeros(len(x))
    for _ in range(n_steps):
        r_ij = x[:, :, None] - x[:, None]
        r = np.sqrt((r_ij**2).sum(-1)) + np.eye(5)
        force = ((q[:, :, None] * q[:, None] / r**3)[..., None] * r_ij).sum(axis=2)
        largest = np.maximum(largest, np.sqrt((force**2).sum(-1)).max(axis=1))
        v = v + 1e-3 * np.clip(force, -limit, limit)
        x = x + 1e-3 * v
    return largest


def test_clean_windows_equal_the_oracle(published):
    for frame, n_steps in ((30, 300), (0, 200)):
        expected = clean_window_forces(published, frame, n_steps)
        start = (published["positions"][:, frame], published["velocities"][:, frame], published["charges"])
        got = largest_forces(*start, dt=1e-3, n_steps=n_steps)
        np.testing.assert_allclose(got, expected, rtol=1e-6)
        np.testing.assert_array_equal(clean_windows(got), expected <= 100)
    alone = largest_forces(*(a[7:8] for a in start), dt=1e-3, n_steps=n_steps)
    assert alone[0] == got[7]


def test_clean_windows_keep_most_and_drop_some(published):
    start = (published["positions"][:, 30], published["velocities"][:, 30], published["charges"])
    share = clean_windows(largest_forces(*start, dt=1e-3, n_steps=1000)).mean()
    assert 0.65 < share < 0.98  # 83 % of all test windows
    assert clean_windows(np.array([99.9, 100.0, 100.1])).tolist() == [True, True, False]


def test_largest_unclamped_force_equals_the_oracle(rng):
    q = rng.choice([-1.0, 1.0], (LANES, 4))
    x = rng.standard_normal((LANES, 4, 3))
    largest = np.zeros(LANES)
    largest[-1] = 1e9  # is raised, never lowered
    largest_unclamped_force(pack_lanes(x), pack_lanes(q), largest)
    for lane in range(LANES - 1):
        unclamped = oracle.coulomb_acceleration(x[lane], q[lane], np.ones(4), 0.0, 2, 0.0)
        assert largest[lane] == pytest.approx(np.linalg.norm(unclamped, axis=1).max(), rel=1e-12)
    assert largest[-1] == 1e9
