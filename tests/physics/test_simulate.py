import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError, SimulationError
from physics.simulate import simulate_batch
from physics.stepping.batch import run_blocks
from physics.stepping.defaults import default_dt
from physics.stepping.schedule import MAX_STEPS, Schedule, schedule_through
from physics.sums.lanes import LANES
from tests.physics.tolerances import tolerance

SYSTEM = System([1.0, -1.0, 1.0], [1.0, 2.0, 0.5])
STATE = State([[1.0, 0.0], [-1.0, 0.3], [0.0, 1.5]], [[0.0, 0.4], [0.1, -0.4], [0.2, 0.0]], 3.0)


def test_frames_and_times():
    before = STATE.positions.tobytes(), STATE.velocities.tobytes()
    path = simulate(SYSTEM, STATE, 0.5)
    assert (STATE.positions.tobytes(), STATE.velocities.tobytes()) == before
    assert path.positions.shape == path.velocities.shape == (101, 3, 2)
    np.testing.assert_allclose(path.times, np.linspace(3.0, 3.5, 101))
    np.testing.assert_array_equal(path.positions[0], STATE.positions)
    np.testing.assert_array_equal(path.velocities[0], STATE.velocities)
    assert path.system is SYSTEM
    assert path.velocity_offset == 0.0
    assert simulate(SYSTEM, STATE, 0.5, n_frames=2).n_frames == 2


def test_given_times_are_met_exactly_whatever_lies_between():
    times = np.array([3.0, 3.01, 3.2, 3.5])
    path = simulate(SYSTEM, STATE, 0.5, times=times, dt=1e-4)
    np.testing.assert_array_equal(path.times, times)
    whole = simulate(SYSTEM, STATE, 0.5, n_frames=2, dt=1e-4)
    np.testing.assert_allclose(path.positions[-1], whole.positions[-1], atol=1e-8)
    assert np.abs(path.positions[2] - whole.positions[-1]).max() > 1e-2


def test_backward_returns_to_the_start():
    there = simulate(SYSTEM, STATE, 2.0, n_frames=5)
    back = simulate(SYSTEM, there.state(-1), -2.0, n_frames=5)
    assert back.times[0] == 5.0
    assert back.times[-1] == pytest.approx(3.0)
    assert np.abs(there.positions[-1] - STATE.positions).max() > 0.1
    assert np.abs(back.positions[-1] - STATE.positions).max() < tolerance("reversal")
    assert np.abs(back.velocities[-1] - STATE.velocities).max() < tolerance("reversal")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"duration": 0}, ("duration", "not zero", "0")),
        ({"duration": np.nan}, ("duration", "finite", "nan")),
        ({"duration": np.inf}, ("duration", "finite", "inf")),
        ({"duration": "long"}, ("duration", "a number", "'long'")),
        ({"duration": 10**400}, ("duration", "a number", "1000")),
        ({"n_frames": 1}, ("n_frames", "at least 2", "1")),
        ({"n_frames": 2.5}, ("n_frames", "whole number", "2.5")),
        ({"n_frames": 3, "times": [3.0, 4.0]}, ("times or n_frames, not both",)),
        ({"times": [3.0]}, ("times", "at least two")),
        ({"times": ["a", "b"]}, ("times", "numbers")),
        ({"times": [3.0, 3.5, 3.5, 4.0]}, ("times", "strictly")),
        ({"times": [4.0, 3.0]}, ("times", "direction of duration")),
        ({"times": [3.0, np.nan, 4.0]}, ("times", "finite")),
        ({"times": [0.0, 1.0]}, ("times", "from the state's time 3 to 4", "got 0 at index 0")),
        ({"times": [3.0, 5.0]}, ("times", "3 to 4", "got 5 at index 1")),
        ({"dt": 0.0}, ("dt", "positive", "0")),
        ({"dt": -1e-3}, ("dt", "positive", "-0.001")),
        ({"dt": np.nan}, ("dt", "finite", "nan")),
        ({"dt": "small"}, ("dt", "a number", "'small'")),
        ({"dt": 1e-12}, ("dt = 1e-12", "1e+12 steps", f"{MAX_STEPS:.0e}")),
        ({"integrator": "leapfrg"}, ("integrator 'leapfrg'", "did you mean 'leapfrog'", "auto")),
        ({"state": State(np.eye(2), np.eye(2))}, ("2 particles", "3 charges")),
    ],
    ids=str,
)
def test_bad_input_is_refused(choices, words):
    arguments = {"state": STATE, "duration": 1.0} | choices
    with pytest.raises(InputError) as caught:
        simulate(SYSTEM, **arguments)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("law", "parameters"), [("coulomb", {"eps": 0.0}), ("reference", {})])
def test_coincident_particles_are_refused_without_softening(law, parameters):
    x = np.array([[0.0, 1.0], [2.0, 0.0], [2.0, 0.0]])
    system = System([1.0, 1.0, -1.0], law=law, parameters=parameters)
    with pytest.raises(SimulationError, match=f"particles 1 and 2 coincide.*{law}.*eps > 0"):
        simulate(system, State(x, np.zeros_like(x)), 0.1)
    x[2, 1] = 1.0
    assert np.isfinite(simulate(system, State(x, np.zeros_like(x)), 0.1, n_frames=2).positions).all()


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, 2.5, "gauss"])
def test_coincident_particles_are_finite_with_softening(p):
    x = np.zeros((3, 2))
    path = simulate(System([1.0, 1.0, -1.0], parameters={"p": p}), State(x, x), 0.1, n_frames=3)
    np.testing.assert_array_equal(path.positions, 0.0)  # no direction to leave in


def test_a_state_that_stops_being_finite_says_where_and_when():
    system = System([1.0, -1.0], parameters={"eps": 1e-3, "p": 400.0})
    x = np.array([[0.0, 0.0], [1e-3, 0.0]])
    with pytest.raises(SimulationError, match=r"not finite by t = 2\.1 \(particle 0\).*reduce dt or raise eps"):
        simulate(system, State(x, np.zeros_like(x), 2.0), 0.5, n_frames=6, dt=0.1)


@pytest.mark.parametrize("count", [1, 2, LANES + 1])
def test_a_batch_leaves_its_arguments_alone(count, rng):
    x, v = rng.standard_normal((2, count, 3, 2))
    q, m = np.ones((count, 3)), np.ones((count, 3))
    before = [values.tobytes() for values in (x, v, q, m)]
    schedule = schedule_through(np.array([0.0, 0.1]), 0.01)
    positions, _ = simulate_batch(x, v, q, masses=m, schedule=schedule)
    assert np.abs(positions[:, 1] - x).max() > 1e-3
    assert [values.tobytes() for values in (x, v, q, m)] == before


def test_schedule_never_exceeds_dt_and_does_not_add_steps_by_round_off():
    schedule = schedule_through(0.1 * np.arange(50), 1e-3)
    assert set(schedule.n_steps) == {100}
    schedule = Schedule.through(np.array([0.0, 0.00105, 1.0]), 1e-3)
    assert schedule.n_steps.tolist() == [2, 999]
    assert (schedule.dt <= 1e-3 * (1 + 1e-6)).all()
    backward = Schedule.through(np.array([1.0, 0.0]), 0.3)
    assert (backward.n_steps.tolist(), backward.dt.tolist()) == ([4], [-0.25])


def test_output_times_are_met_to_the_precision_they_are_given_in():
    """Float32 times, and times of any unit; what does not meet is named with its index and by how much."""
    system, state = System([1.0, -1.0]), State([[0.0, 0.0], [1.0, 0.0]], np.zeros((2, 2)))
    for duration in (0.3, 1.1, 7.7):
        times = np.linspace(0.0, duration, 4).astype(np.float32)
        path = simulate(system, state, duration, times=times)
        np.testing.assert_array_equal(path.times, times.astype(np.float64))
    late = State(state.positions, state.velocities, 1000.1)
    simulate(system, late, 0.3, times=np.float32(1000.1) + np.array([0.0, 0.3], dtype=np.float32))
    with pytest.raises(InputError) as caught:
        simulate(system, state, 1.0, times=[0, 0.5, 1.0000001])
    assert str(caught.value) == (
        "times must run from the state's time 0 to 1; got 1.0000001 at index 2, which is 1e-07 too late"
    )
    for times, duration, said in (
        ([0.0, 0.5, 1.0], 1.0000001, r"0 to 1\.0000001; got 1 at index 2, which is 1e-07 too early"),
        ([1e-7, 1.0], 1.0, r"got 1e-07 at index 0, which is 1e-07 too late"),
        ([0.0, 1.1e-15], 1e-15, r"0 to 1e-15; got 1\.1e-15 at index 1, which is 1e-16 too late"),
        ([0.0, 0.5, 0.4, 1.0], 1.0, r"strictly in the direction of duration; got 0\.4 at index 2 after 0\.5"),
        ([0.0, 0.5, 0.5, 1.0], 1.0, r"strictly in the direction of duration; got 0\.5 at index 2 after 0\.5"),
        ([0.0, -0.5, 1.0], -1.0, r"strictly in the direction of duration; got 1 at index 2 after -0\.5"),
        ([0.0, np.nan, 1.0], 1.0, "finite; got nan at index 1"),
        ([0.0, np.inf], 1.0, "finite; got inf at index 1"),
        ([0.0], 1.0, r"at least two; got shape \(1,\)"),
        ([[0.0, 1.0]], 1.0, r"\(n_frames,\) with at least two; got shape \(1, 2\)"),
    ):
        with pytest.raises(InputError, match=said):
            simulate(system, state, duration, times=times)


def test_default_step_resolves_a_head_on_passage():
    for charge, eps in ((1.0, 0.1), (3.0, 0.05), (0.1, 0.02)):
        system = System([charge, -charge], parameters={"eps": eps})
        x = np.array([[0.5, 0.0], [-0.5, 0.0]])
        fine = default_dt(system) / 8
        coarse, exact = (
            simulate(system, State(x, np.zeros_like(x)), 1.2, n_frames=2, dt=dt) for dt in (None, fine)
        )
        assert np.abs(coarse.positions - exact.positions).max() < 1e-2
    assert default_dt(System([0.0, 0.0])) == 5e-4
    assert default_dt(System([1.0, 1.0], law="reference")) == 1e-3


@pytest.mark.parametrize("workers", [1, 3])
def test_first_error_stops_the_blocks_and_is_raised(workers):
    done = []

    def run(block):
        if block.start == 2 * LANES:
            raise SimulationError("block 2")
        done.append(block)
        return block.stop - block.start

    progress = []
    with pytest.raises(SimulationError, match="block 2"):
        run_blocks(run, 3 * LANES + 5, workers, progress.append)
    assert progress == [LANES, LANES]
    del done[:], progress[:]
    run_blocks(lambda block: block.stop - block.start, 3 * LANES + 5, workers, progress.append)
    assert sum(progress) == 3 * LANES + 5
