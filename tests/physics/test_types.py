import dataclasses

import numpy as np
import pytest

from physics import State, System, Trajectory
from physics.errors import InputError
from physics.laws import LAWS
from physics.observables import single_frame

PAIR = np.array([1.0, -1.0])
ZEROS = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: System(np.ones((2, 2))), ("charges", "(n_particles,)", "(2, 2)")),
        (lambda: System([]), ("charges", "n_particles >= 1", "(0,)")),
        (lambda: System(1.0), ("charges", "(n_particles,)", "()")),
        (lambda: System(["1", "2"]), ("charges", "must be numbers", "list")),
        (lambda: System([10**400]), ("charges", "must be numbers", "list")),
        (lambda: System([1j]), ("charges", "must be numbers", "complex")),
        (lambda: System([None]), ("charges", "must be numbers", "object")),
        (lambda: System([1.0, np.nan]), ("charges", "must be finite", "nan", "(1,)")),
        (lambda: System(PAIR, [1.0]), ("masses", "(2,)", "(1,)")),
        (lambda: System(PAIR, [1.0, 0.0]), ("masses", "positive for charged particles", "got 0", "(1,)")),
        (lambda: System(PAIR, [1.0, -1.0]), ("masses", "positive", "-1.0", "(1,)")),
        (lambda: System(PAIR, np.inf), ("masses", "finite", "inf")),
        (lambda: System(PAIR, law="coulom"), ("law", "'coulom'", "did you mean 'coulomb'")),
        (lambda: System(PAIR, parameters={"ep": 1.0}), ("parameter", "'ep'", "did you mean 'eps'")),
        (lambda: System(PAIR, parameters={"eps": -1.0}), ("eps", ">= 0", "-1.0")),
        (lambda: System(PAIR, parameters={"eps": "gauss"}), ("eps", "a finite number", "'gauss'")),
        (lambda: System(PAIR, parameters={"eps": True}), ("eps", "a finite number", "True")),
        (lambda: System(PAIR, parameters={"eps": 10**400}), ("eps", "a finite number", "1000")),
        (lambda: System(PAIR, parameters={"p": "gaus"}), ("p", "'gauss'", "'gaus'")),
        (lambda: System(PAIR, parameters={"p": np.nan}), ("p", "finite", "nan")),
        (lambda: System(PAIR, law="reference", parameters={"force_limit": 0}), ("force_limit", "> 0", "0")),
        (lambda: State([0.0, 1.0], ZEROS), ("positions", "(n_particles, n_dims)", "(2,)")),
        (lambda: State(np.zeros((2, 0)), np.zeros((2, 0))), ("positions", "(n_particles, n_dims)", "(2, 0)")),
        (lambda: State([[1.0], [1.0, 2.0]], ZEROS), ("positions", "must be numbers", "list")),
        (lambda: State(ZEROS, np.zeros((2, 2))), ("velocities", "(2, 3)", "(2, 2)")),
        (lambda: State(ZEROS, ZEROS * np.nan), ("velocities", "finite", "nan", "(0, 0)")),
        (lambda: State(ZEROS, ZEROS, np.inf), ("time", "finite", "inf")),
        (lambda: State(ZEROS, ZEROS, "noon"), ("time", "must be numbers", "str")),
        (lambda: Trajectory([0.0], ZEROS, ZEROS, System(PAIR)), ("positions", "(n_frames, 2, n_dims)", "(2, 3)")),
        (
            lambda: Trajectory([0.0], ZEROS[None], ZEROS[None, :, :2], System(PAIR)),
            ("velocities", "(1, 2, 3)", "(1, 2, 2)"),
        ),
        (lambda: Trajectory([0.0, 1.0], ZEROS[None], ZEROS[None], System(PAIR)), ("times", "(1,)", "(2,)")),
        (lambda: Trajectory(0.0, ZEROS[None], ZEROS[None], System(PAIR)), ("times", "(1,)", "()")),
        (
            lambda: Trajectory([0.0, 0.0], np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), System(PAIR)),
            ("times", "strictly monotonic"),
        ),
    ],
)
def test_refusal_names_argument_expectation_and_value(build, words):
    with pytest.raises(InputError) as caught:
        build()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 200
    for word in words:
        assert word in message


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


def test_defaults():
    system = System([1, -1])
    assert system.law == "coulomb"
    assert dict(system.parameters) == LAWS["coulomb"].defaults
    np.testing.assert_array_equal(system.masses, [1.0, 1.0])
    assert system.charges.dtype == np.float64
    assert State([[0]], [[0]]).time == 0.0
    np.testing.assert_array_equal(System([1, 1, 1], 2).masses, [2.0, 2.0, 2.0])


def test_frozen_in_attributes_and_arrays():
    given = np.array([1.0, -1.0])
    system, state = System(given), State(ZEROS, ZEROS)
    for thing, name in ((system, "charges"), (state, "positions"), (single_frame(system, state), "times")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, given)
        with pytest.raises(ValueError, match="read-only"):
            getattr(thing, name)[0] = 3.0
    with pytest.raises(TypeError):
        system.parameters["eps"] = 1.0
    given[0] = 5.0  # what we were given stays the caller's
    assert system.charges[0] == 1.0
    assert given.flags.writeable


def test_trajectory_runs_either_way_and_gives_states():
    x = np.arange(12.0).reshape(2, 2, 3)
    backward = Trajectory([1.0, 0.5], x, -x, System(PAIR), velocity_offset=0.25)
    assert (backward.n_frames, backward.n_dims) == (2, 3)
    state = backward.state(-1)
    assert state.time == 0.5
    np.testing.assert_array_equal(state.velocities, -x[1])
    swap = np.eye(3)[[1, 0, 2]]
    turned = backward.transformed(swap)
    np.testing.assert_array_equal(turned.positions, x[..., [1, 0, 2]])
    np.testing.assert_array_equal(turned.velocities, -x[..., [1, 0, 2]])
    assert turned.velocity_offset == 0.25


def test_a_part_of_a_trajectory_is_its_frames_without_memory():
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, 5, 2, 3))
    whole = Trajectory(np.arange(5.0), x, v, System(PAIR), -0.5, rng.standard_normal(4), np.arange(5.0))
    part = whole.part(slice(1, 4))
    assert (part.n_frames, part.system, part.velocity_offset, part.memory) == (3, whole.system, -0.5, None)
    for name in ("times", "positions", "velocities", "position_errors"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[1:4])
