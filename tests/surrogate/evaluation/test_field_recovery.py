"""Fields from the momentum of the data alone: right whatever the pair law, with errors that are meant."""

import json
from typing import Any

import numpy as np
import pytest

from physics import State, System, simulate
from physics.datasets.split import DataSplit
from physics.fields import Fields
from surrogate.evaluation.field_recovery import momentum_balance

E = np.array([0.1, -0.2, 0.05])
B = np.array([[0.0, 0.5, -0.4], [-0.5, 0.0, 0.3], [0.4, -0.3, 0.0]])


def data(samples: int = 12, noise: float = 0.0, **changes: Any) -> DataSplit:
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, samples, 4, 3))
    q, m = rng.choice([-1.0, 1.0, 2.0], (samples, 4)), rng.uniform(0.5, 2.0, (samples, 4))
    made = [
        simulate(
            System(q[s], m[s], "coulomb", {"eps": 0.3}, Fields(E, B)), State(x[s], v[s]), 1.0, n_frames=11, dt=1e-3
        )
        for s in range(samples)
    ]
    positions, velocities = (np.stack([getattr(t, name) for t in made]) for name in ("positions", "velocities"))
    velocities = velocities + noise * rng.standard_normal(velocities.shape)
    return DataSplit(positions, velocities, q, m, made[0].times, "t", **changes)


def test_fields_come_out_of_the_momentum() -> None:
    found = momentum_balance(data(), ("electric", "magnetic", "uniform"))
    np.testing.assert_allclose(found["electric"]["value"], E, atol=1e-4)
    np.testing.assert_allclose(found["magnetic"]["value"], B, atol=1e-4)
    np.testing.assert_allclose(found["uniform"]["value"], 0.0, atol=1e-4)
    assert json.loads(json.dumps(found)) == found
    missing = momentum_balance(data(), ("electric",))
    assert np.abs(np.array(missing["electric"]["value"]) - E).max() > 1e-2  # the magnetic part is taken for it


def test_errors_are_those_of_noise_and_a_window_that_is_far_off_does_not_count() -> None:
    split = data(noise=0.01)
    found = momentum_balance(split, ("electric", "magnetic"))
    for name, true in (("electric", E), ("magnetic", B)):
        away, error = (np.abs(np.array(found[name][key]) - t) for key, t in (("value", true), ("error", 0.0)))
        assert (away <= 4 * error + 1e-12).all()
        assert 1e-4 < error.max() < 0.1
    split.velocities[3, 5:] += 50.0
    again = momentum_balance(split, ("electric", "magnetic"))
    np.testing.assert_allclose(again["electric"]["value"], found["electric"]["value"], atol=5e-3)


def test_what_the_data_cannot_tell_apart_is_left_open() -> None:
    split = data()
    neutral = DataSplit(split.positions, split.velocities, 0 * split.charges, split.masses, split.times, "t")
    assert momentum_balance(neutral, ("electric",)) == momentum_balance(neutral, ()) == {}
    alike = DataSplit(split.positions, split.velocities, split.masses, split.masses, split.times, "t")
    assert momentum_balance(alike, ("uniform", "electric")) == {}
    assert set(momentum_balance(alike, ("uniform", "magnetic"))) == {"uniform", "magnetic"}


def test_frames_without_a_known_velocity_are_left_aside() -> None:
    split = data()
    split.velocities[:, 0] = np.nan
    later = DataSplit(
        split.positions, split.velocities, split.charges, split.masses, split.times, "t", first_state=1
    )
    assert momentum_balance(later, ("electric", "magnetic"))["electric"]["value"] == pytest.approx(E, abs=1e-4)
