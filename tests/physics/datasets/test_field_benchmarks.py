"""The data sets of the field's N-body benchmarks against plain NumPy generators written from their recipes."""

import numpy as np
import pytest

from physics.datasets.presets import PRESETS, published_states
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate

COUNT = 3
"""Trajectories of each split that are compared."""
SAME = 1e-9
"""Another order of summation in float64, over 1000 steps without a close encounter."""


def plain_starts(preset, split):
    """COUNT initial states of a split (x, v, q), each (N, n) and (N,), from a stream walked from its beginning."""
    n = PRESETS[preset].particles
    stream = np.random.RandomState(43)
    states = []
    skipped = {"train": 0, "valid": 10_000, "test": 12_000}[split]
    for _ in range(skipped + COUNT):
        if preset.startswith("gravity"):
            x, v, q = stream.randn(n, 3), stream.randn(n, 3), np.zeros(n)
            v = v - np.mean(v, axis=0)
            stream.randn(3 * 50 * n * 3)
        else:
            q = stream.choice([-1, 0, 1], size=(n, 1), p=[1 / 2, 0, 1 / 2])[:, 0]
            x, v = stream.randn(3, n).T, stream.randn(3, n).T
            v = v * 0.5 / np.linalg.norm(v, axis=1, keepdims=True)
            stream.randn(2 * 51 * 3 * n)
        states.append((x, v, q))
    return states[skipped:]


def plain_gravity(x, v, n_steps):
    """Frames every 100 steps from the start on, kick-drift-kick under softened gravity."""

    def pull(x):
        r_ji = x[:, None] - x[:, :, None]
        return (r_ji * ((r_ji**2).sum(-1, keepdims=True) + 0.1**2) ** -1.5).sum(axis=2)

    frames, a = [(x, v)], pull(x)
    for step in range(1, n_steps + 1):
        v = v + a * 0.001 / 2
        x = x + v * 0.001
        a = pull(x)
        v = v + a * 0.001 / 2
        if step % 100 == 0:
            frames.append((x, v))
    return frames


def plain_charges(x, v, q, n_steps):
    """Frames every 100 steps from step 100 on: a kick, then drift, store, force, kick."""

    def force(x):
        r_ij = x[:, :, None] - x[:, None]
        r2 = (r_ij**2).sum(-1) + np.eye(x.shape[1])
        total = ((q[:, :, None] * q[:, None] / r2**1.5)[..., None] * r_ij).sum(axis=2)
        return np.clip(total, -100.0, 100.0)

    frames = []
    v = v + 0.001 * force(x)
    for step in range(1, n_steps + 1):
        x = x + 0.001 * v
        if step % 100 == 0:
            frames.append((x, v))
        v = v + 0.001 * force(x)
    return frames


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Each preset's first COUNT trajectories of training and test, as the command makes them."""
    made = {}

    def of(preset):
        if preset not in made:
            out = tmp_path_factory.mktemp("sets") / f"{preset}.zarr"
            few = (
                {"train": str(COUNT)} if preset == "gravity-100" else dict.fromkeys(("train", "test"), str(COUNT))
            )
            generate(request_from_options(preset, few, None, None, None, {}), out)
            made[preset] = out
        return made[preset]

    return of


@pytest.mark.parametrize(
    ("preset", "split"), [("gravity-5", "train"), ("gravity-5", "test"), ("gravity-100", "train")]
)
def test_gravity_sets_equal_the_plain_generator(preset, split, sets):
    found, steps = read_split(sets(preset), split), 1000 if preset == "gravity-5" else 100
    x, v, _ = (np.array(values) for values in zip(*plain_starts(preset, split), strict=True))
    for frame, (x_t, v_t) in enumerate(plain_gravity(x, v, steps)):
        np.testing.assert_allclose(found.positions[:, frame], x_t, atol=SAME)
        np.testing.assert_allclose(found.velocities[:, frame], v_t, atol=SAME)
    np.testing.assert_allclose(found.times, 0.1 * np.arange(50), atol=1e-12)
    assert not found.charges.any()
    assert found.recipe["velocity_offset"] == 0.0


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_long_charged_set_equals_the_plain_generator(split, sets):
    found = read_split(sets("nbody-reference-long"), split)
    x, v, q = (np.array(values) for values in zip(*plain_starts("nbody-reference-long", split), strict=True))
    np.testing.assert_array_equal(found.charges, q)
    for frame, (x_t, v_t) in enumerate(plain_charges(x, v, q, 1000)):
        np.testing.assert_allclose(found.positions[:, frame], x_t, atol=SAME)
        np.testing.assert_allclose(found.velocities[:, frame], v_t, atol=SAME)
    np.testing.assert_allclose(found.times, 0.1 * np.arange(1, 52), atol=1e-12)
    assert found.recipe["velocity_offset"] == -0.0005


def test_a_longer_stream_is_another_set():
    first, second = (
        [x for x, *_ in published_states(name, "train", 2)] for name in ("nbody-reference", "nbody-reference-long")
    )
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.allclose(first[1], second[1])  # its throw-away noise is longer


def test_sets_have_one_shape():
    assert request_from_options("gravity-100", {"test": "1"}, 3, 100, 43, {}).n_particles == 100
    with pytest.raises(InputError, match="'gravity-100' is a published set: --particles is 100; got 5"):
        request_from_options("gravity-100", {"test": "1"}, None, 5, None, {})
