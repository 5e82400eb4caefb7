"""The data sets of the field's N-body benchmarks against plain NumPy generators written from their recipes."""

import numpy as np
import pytest

from physics.boundaries import Boundary
from physics.datasets.presets import PRESETS, published_states
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from physics.stepping.external import External, external_batch
from physics.stepping.schedule import Schedule

COUNT = 3
"""Trajectories of each split that are compared."""
SAME = 1e-9
"""Another order of summation in float64, over some hundred steps without a close encounter."""
CHARGED = ["nbody-reference-long", "es-5", "es-20", "g+es-20", "l+es-20", "charged-20"]
LORENTZ = np.array([0.5, 0.5, 0.5])


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def charges_of(stream, n):
    q = stream.choice([-1, 0, 1], size=(n, 1), p=[1 / 2, 0, 1 / 2])[:, 0]
    x = stream.randn(3, n).T * (n / 5) ** (1 / 3)
    return x, 0.5 * unit(stream.randn(3, n).T), q


def plain_starts(preset, split):
    """COUNT initial states of a split, x, v (COUNT, N, n) and q (COUNT, N), from streams walked from the start."""
    n, states = PRESETS[preset].particles, []
    stream = np.random.RandomState(43)
    if preset == "charged-20":
        for index in range(COUNT):
            rng = np.random.default_rng([43, ["train", "valid", "test"].index(split), index])
            q = rng.choice([1, -1], size=n)
            x = rng.standard_normal((n, 3)) * ((n / 5) ** (1 / 3) + 0.1)
            states.append((x, 0.5 * unit(rng.standard_normal((n, 3))), q))
        skipped = 0
    elif "es-" in preset:
        skipped = {"valid": 0, "test": 2000, "train": 4000}[split]
        for seed in [stream.choice(1_000_000) for _ in range(skipped + COUNT)]:
            x, v, q = charges_of(np.random.RandomState(seed), n)
            for side in (1, -1):  # the generator's box reflects in place, but is asked at the start alone
                over = side * x > 5.0
                x[over] = side * 10.0 - x[over]
                v[over] = -side * np.abs(v[over])
            states.append((x, v, q))
    else:
        skipped = {"train": 0, "valid": 10_000, "test": 12_000}[split]
        for _ in range(skipped + COUNT):
            if preset.startswith("gravity"):
                x, v = stream.randn(n, 3), stream.randn(n, 3)
                states.append((x, v - np.mean(v, axis=0), np.zeros(n)))
                stream.randn(3 * 50 * n * 3)
            else:
                states.append(charges_of(stream, n))
                stream.randn(2 * 51 * 3 * n)
    return (np.array(values) for values in zip(*states[skipped:], strict=True))


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


def plain_kicks(x, v, force, n_steps, first=100, walls=np.inf):
    """Frames every 100 steps from step `first` on: a kick, then drift, bounce, store, force, kick."""
    frames = []
    v = v + 0.001 * np.clip(force(x, v), -100.0, 100.0)
    for step in range(1, n_steps + 1):
        x = x + 0.001 * v
        over = np.abs(x) > walls
        x = np.where(over, np.sign(x) * 2 * walls - x, x) if over.any() else x
        v = np.where(over, -np.sign(x) * np.abs(v), v)
        if step % 100 == first % 100:
            frames.append((x, v))
        v = v + 0.001 * np.clip(force(x, v), -100.0, 100.0)
    return frames


def coulomb(q, eps2, uniform, magnetic):
    def force(x, v):
        r_ij = x[:, :, None] - x[:, None]
        r2 = (r_ij**2).sum(-1) + eps2 + np.eye(x.shape[1])
        pairs = ((q[:, :, None] * q[:, None] / r2**1.5)[..., None] * r_ij).sum(axis=2)
        return pairs + uniform + q[..., None] * np.cross(v, magnetic)

    return force


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A preset's first COUNT trajectories of training and test, as the command makes them."""
    made = {}

    def of(preset, dims=None):
        if (preset, dims) not in made:
            out = tmp_path_factory.mktemp("sets") / "data.zarr"
            splits = ("train",) if preset == "gravity-100" else ("train", "test")
            few = dict.fromkeys(splits, str(COUNT))
            generate(request_from_options(preset, few, dims, None, None, {}), out)
            made[preset, dims] = out
        return made[preset, dims]

    return of


def agree(found, frames):
    assert frames
    for frame, (x, v) in enumerate(frames):
        np.testing.assert_allclose(found.positions[:, frame], x, atol=SAME)
        np.testing.assert_allclose(found.velocities[:, frame], v, atol=SAME)


@pytest.mark.parametrize(
    ("preset", "split"), [("gravity-5", "train"), ("gravity-5", "test"), ("gravity-100", "train")]
)
def test_gravity_sets_equal_the_plain_generator(preset, split, sets):
    found, (x, v, _) = read_split(sets(preset), split), plain_starts(preset, split)
    agree(found, plain_gravity(x, v, 500 if preset == "gravity-5" else 100))
    np.testing.assert_allclose(found.times, 0.1 * np.arange(50), atol=1e-12)
    assert not found.charges.any()
    assert found.recipe["velocity_offset"] == 0.0


def force_on(preset, q):
    return coulomb(
        q,
        1e-6 if "es-" in preset else 0.0,
        np.array([0.0, 0.0, 0.098]) if preset == "g+es-20" else 0.0,
        LORENTZ if preset == "l+es-20" else 0 * LORENTZ,
    )


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("preset", CHARGED)
def test_charged_sets_equal_the_plain_generator(preset, split, sets):
    found, (x, v, q) = read_split(sets(preset), split), plain_starts(preset, split)
    np.testing.assert_array_equal(found.charges, q)
    first = 1 if preset == "charged-20" else 100
    agree(found, plain_kicks(x, v, force_on(preset, q), 301, first))
    n_frames = {"nbody-reference-long": 51, "charged-20": 50}.get(preset, 49)
    np.testing.assert_allclose(found.times, 0.001 * (first + 100 * np.arange(n_frames)), atol=1e-12)
    assert found.recipe["velocity_offset"] == -0.0005
    assert found.recipe["preset"] == preset


def test_fields_are_stored_and_count(sets):
    g, b = read_split(sets("g+es-20"), "test"), read_split(sets("l+es-20"), "test")
    np.testing.assert_array_equal(g.uniform_field, np.tile([0.0, 0.0, 0.098], (COUNT, 1)))
    assert g.recipe["uniform_field_per"] == "mass"
    assert g.magnetic_field is None
    np.testing.assert_array_equal(b.magnetic_field, -np.swapaxes(b.magnetic_field, 1, 2))
    v = b.velocities[:, 5]
    turned = np.einsum("sab,sib->sia", b.magnetic_field, v)
    np.testing.assert_allclose(turned, np.cross(v, LORENTZ), atol=1e-15)
    assert b.uniform_field is None
    # without the field the same starts go elsewhere
    alone = read_split(sets("es-20"), "test")
    np.testing.assert_array_equal(alone.charges, g.charges)
    for other in (g, b):
        assert np.abs(other.positions[:, 2] - alone.positions[:, 2]).max() > 1e-3


@pytest.mark.parametrize("field", ["uniform", "magnetic"])
def test_the_clamp_takes_the_fields_in(field):
    """Two charges whose force on each other is cut down together with the field's."""
    x, q = np.array([[[0.0, 0, 0], [0.5, 0, 0]]]), np.ones((1, 2))
    v = np.array([[[0.0, 1.0, 0], [0, 1.0, 0]]])
    turning = np.array([[0.0, 3.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # the force of v is 3 along the first
    external = External(uniform=np.array([3.0, 0, 0])) if field == "uniform" else External(magnetic=turning)
    run = {"law": "reference", "parameters": {"force_limit": 2.0}}
    _, moved = external_batch(x, v, q, external, **run, schedule=Schedule(np.array([1]), np.array([1e-3])))
    # -4 + 3 and 4 + 3, clamped at 2: clamped before the field they would be 1 and 5
    np.testing.assert_allclose((moved[0, 1] - v[0])[:, 0], [-1e-3, 2e-3], atol=1e-12)


@pytest.mark.parametrize("dims", [None, 2])
def test_springs_equal_the_plain_generator(dims, sets):
    found, n = read_split(sets("springs-5", dims), "train"), dims or 3
    states = []
    for index in range(COUNT):
        rng = np.random.default_rng([43, 0, index])
        x, v = 0.5 * rng.standard_normal((5, n)), 0.5 * unit(rng.standard_normal((5, n)))
        below = np.tril(rng.choice([0.0, 1.0], (5, 5)), -1)
        states.append((x, v, below + below.T))
    x, v, edges = (np.array(values) for values in zip(*states, strict=True))
    np.testing.assert_array_equal(found.edges, edges)

    def force(x, v):
        return -0.1 * (edges[..., None] * (x[:, :, None] - x[:, None])).sum(axis=2)

    agree(found, plain_kicks(x, v, force, 4900 if dims else 300, walls=5.0 if dims else np.inf))
    assert found.recipe["velocity_offset"] == -0.0005
    assert ("half_side" in found.recipe) == bool(dims)


def test_walls_turn_particles_round():
    external = External(edges=np.zeros((1, 1, 1)), boundary=Boundary("reflecting", np.array(2.0)))
    x, v = np.array([[[0.9995, 0.0]]]), np.array([[[1.0, 0.5]]])
    springs = {"law": "spring", "parameters": {}, "schedule": Schedule(np.array([1]), np.array([1e-3]))}
    x, v = (values[0, 1, 0] for values in external_batch(x, v, np.zeros((1, 1)), external, **springs))
    np.testing.assert_allclose(x, [0.9995, 0.0005], atol=1e-12)
    np.testing.assert_array_equal(v, [-1.0, 0.5])


def test_starts_beyond_the_walls_are_reflected():
    starts = [x for x, *_ in published_states("es-20", "valid", 40)]
    seeds = np.random.RandomState(43)
    drawn = [charges_of(np.random.RandomState(seeds.choice(1_000_000)), 20)[0] for _ in range(40)]
    moved = [not np.array_equal(a, b) for a, b in zip(starts, drawn, strict=True)]
    assert 1 <= sum(moved) <= 10
    assert np.abs(starts).max() <= 5.0


def test_a_longer_stream_is_another_set():
    first, second = (
        [x for x, *_ in published_states(name, "train", 2)] for name in ("nbody-reference", "nbody-reference-long")
    )
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.allclose(first[1], second[1])  # its throw-away noise is longer


@pytest.mark.parametrize(
    ("preset", "dims", "particles", "seed", "said"),
    [
        ("gravity-100", None, 5, None, "--particles is 100; got 5"),
        ("es-20", None, None, 1, "--seed is 43; got 1"),
        ("springs-5", 4, None, None, "--dims is 3 or 2; got 4"),
    ],
)
def test_sets_have_one_shape(preset, dims, particles, seed, said):
    with pytest.raises(InputError, match=f"preset '{preset}' is a published set: {said}"):
        request_from_options(preset, {"test": "1"}, dims, particles, seed, {})


def test_streams_of_our_own_take_another_seed():
    assert request_from_options("charged-20", {"test": "1"}, 3, 20, 7, {}).seed == 7
