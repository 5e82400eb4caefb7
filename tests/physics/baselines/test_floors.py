"""The floors of the benchmarks: forecasts that know the law, on windows of their data sets."""

import numpy as np
import pytest

from physics.baselines.floors import ISOTROPIC, LAW, STRAIGHT, floors
from physics.baselines.orientation import largest_forces, published_step
from physics.baselines.references import leapfrog_forecast, windows_at
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.datasets.split import DataSplit
from physics.generate import generate
from tests.physics import oracle

NAMES = ["gravity-5", "es-5", "g+es-20", "l+es-20", "springs-5"]
COUNT = 12
FRAMES = (4, 8)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    made = {}

    def of(preset, dims=None):
        if (preset, dims) not in made:
            out = tmp_path_factory.mktemp("floors") / "data.zarr"
            generate(request_from_options(preset, {"test": str(COUNT)}, dims, None, None, {}), out)
            made[preset, dims] = read_split(out, "test")
        return made[preset, dims]

    return of


@pytest.mark.parametrize("preset", NAMES)
def test_the_law_goes_on_from_a_frame_as_the_generator_does(preset, splits):
    split = splits(preset)
    found = floors(split, *FRAMES, evaluations=(32,))
    straight, law = found[STRAIGHT], found[LAW]
    assert law.errors.shape == (COUNT,)
    assert np.median(law.errors) < 1e-11  # from float32 states
    assert np.median(straight.errors) > 1e-5
    np.testing.assert_allclose(straight.mse, straight.errors.mean())
    assert law.evaluations == 400
    clamped = preset not in ("gravity-5", "springs-5")
    assert (found[ISOTROPIC] is law) != clamped
    assert np.median(found["leapfrog 32"].errors) < 0.1 * np.median(straight.errors)
    assert ("adaptive 32" in found) == (preset != "springs-5")
    if preset != "springs-5":
        assert found["adaptive 32"].evaluations == pytest.approx(32, rel=0.1)


@pytest.mark.parametrize("preset", ["g+es-20", "l+es-20"])
def test_a_field_left_out_shows(preset, splits):
    split = splits(preset)
    blind = windows_at(split, FRAMES[0])
    blind = type(blind)(blind.x, blind.v, blind.q, blind.m, blind.law, blind.parameters)
    error = ((published_step(blind, 400)[0] - split.positions[:, FRAMES[1]]) ** 2).mean(axis=(1, 2))
    assert np.median(error) > 1e4 * np.median(floors(split, *FRAMES, evaluations=())[LAW].errors)


def test_springs_bounce_off_walls_in_a_leapfrog_too(splits):
    split = splits("springs-5", 2)
    assert split.recipe["half_side"] == 5.0
    # so far out that they bounce
    w = windows_at(split, 0)
    out = type(w)(
        w.x + np.array([4.9, 0.0]) - w.x * [1, 0], w.v, w.q, w.m, w.law, w.parameters, external=w.external
    )
    for x, _ in (published_step(out, 2000), leapfrog_forecast(out, 2.0, 200)):
        assert np.abs(x[..., 0]).max() <= 5.0
    np.testing.assert_allclose(published_step(out, 2000)[0], leapfrog_forecast(out, 2.0, 200)[0], atol=0.01)


def test_leapfrog_in_a_magnetic_field_converges_with_its_square(splits):
    """A free charge gyrates exactly; among others the error falls fourfold with half the step."""
    split = splits("l+es-20")
    w = windows_at(split, FRAMES[0]).part(slice(0, 3))
    finest = leapfrog_forecast(w, 0.05, 400)[0]
    errors = [np.abs(leapfrog_forecast(w, 0.05, k)[0] - finest).max() for k in (25, 50)]
    assert 3.5 < errors[0] / errors[1] < 4.6
    alone = type(w)(w.x[:, :1], w.v[:, :1], w.q[:, :1], w.m[:, :1], w.law, w.parameters, external=w.external)
    np.testing.assert_allclose(leapfrog_forecast(alone, 3.0, 1)[1], _turned(alone, 3.0), atol=1e-12)


def _turned(w, t):
    """Velocities after gyrating in the field b = (.5, .5, .5), by Rodrigues' formula."""
    b = np.array([0.5, 0.5, 0.5])
    axis, size = b / np.linalg.norm(b), np.linalg.norm(b)
    angle = -w.q[..., None] * size * t
    along = (w.v @ axis)[..., None] * axis
    return w.v * np.cos(angle) + np.cross(axis, w.v) * np.sin(angle) + along * (1 - np.cos(angle))


def test_largest_forces_take_softening_and_fields_in(splits):
    split = splits("g+es-20")
    w = windows_at(split, 0)
    got = largest_forces(w.x, w.v, w.q, dt=1e-3, n_steps=1, eps=1e-3, external=w.external)
    force = np.array(
        [oracle.coulomb_acceleration(x, q, np.ones(20), 1e-3, 2, 0.0) for x, q in zip(w.x, w.q, strict=True)]
    )
    expected = np.linalg.norm(force + np.array([0, 0, 0.098]), axis=-1).max(axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_other_data_have_straight_lines_alone(rng):
    x = rng.standard_normal((3, 4, 5, 2))
    split = DataSplit(x, x, np.ones((3, 5)), np.ones((3, 5)), np.arange(4.0), "own")
    assert list(floors(split, 0, 2)) == [STRAIGHT]
