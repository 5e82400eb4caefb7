"""Data of the user's own in the window: what was filled in is said; their own clock, digits and units."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.presenters.particles import particle_words
from app.viewmodel.presenters.readouts import NONE, readouts
from app.viewmodel.presenters.ruler import ticks
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.stored import truth_alone
from physics.types import System, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import decade, moment
from surrogate.render.drawn_scale import drawn_unit, in_units_of
from tests.app.fakes import later_session, result_for
from tests.app.own_data import at, opened, scene, stored

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_what_was_filled_in_is_said_and_stays(tmp_path):
    path = stored(tmp_path, leave=("velocities", "charges"))
    session, seen = opened(path, model="egnn-nbody")
    for words in ("velocities by backward differences", "charges set to zero", "no splits"):
        assert words in session.state.message.text
        assert words in "; ".join(seen[0].notes)
        assert words in "; ".join(session.state.result.notes)


@pytest.mark.parametrize("scale", [1e-15, 1e-3, 1.0, 1e12])
@pytest.mark.parametrize("start", [0.0, 1e5])
def test_the_clock_plays_frames_whatever_the_unit_of_time(tmp_path, scale, start):
    session, _ = opened(stored(tmp_path, time=scale, start=start * scale), model="egnn-nbody")
    session.store.publish(playback=Playback())
    session.clock.tick(0.25)
    assert session.state.playback.position == pytest.approx(2.5, rel=1e-6)
    session.clock.set_speed(2.0)
    session.clock.tick(0.25)
    assert session.state.playback.position == pytest.approx(7.5, rel=1e-6)
    session.clock.step_time(1.0)
    assert session.state.frame == 17
    session.clock.seek_time(float(session.state.result.comparison.truth.times[4]))
    assert session.state.frame == 4
    heads = {scene(at(session, k)).headline.split("   ")[0] for k in range(30)}
    assert len(heads) == 30  # neighbouring frames have different times


def test_the_clock_of_scenarios_is_what_it_was():
    session, _ = later_session()
    session.store.publish(playback=Playback())
    session.clock.tick(0.25)
    assert session.state.playback.position == pytest.approx(2.5)  # frames 0.1 apart, 1 time unit a second


@pytest.mark.parametrize(
    ("time", "times", "text"),
    [
        (0.25, np.arange(0, 10, 0.04), "0.25"),
        (0.0, np.arange(0, 10, 0.04), "0.00"),
        (0.0125, np.arange(0, 1, 0.0025), "0.0125"),
        (3.2e-13, 1e-15 * np.arange(400), "3.200e-13"),
        (1e25, 1e24 * np.arange(20), "1.00e+25"),
        (1000.1, 1000 + 0.1 * np.arange(20), "1000.10"),
        (0.0, 1e-15 * np.arange(400), "0"),
    ],
)
def test_a_time_has_the_digits_that_it_needs(time, times, text):
    assert moment(time, times) == text


def test_sizes_of_order_one_are_drawn_as_they_are():
    assert decade(0.0) == decade(1.0) == decade(999.0) == decade(0.002) == 1.0
    assert decade(3e-15) == pytest.approx(1e-15)
    assert decade(4e25) == pytest.approx(1e25)


@pytest.mark.parametrize("unit", [1e-25, 1e-13, 1.0, 1e25])
def test_a_time_line_has_different_marks_in_every_unit(unit):
    marks = ticks(0.0, 7.9 * unit, 10)
    assert len(set(marks.tolist())) == len(marks) > 5
    np.testing.assert_allclose(marks, unit * np.arange(len(marks)), rtol=1e-9, atol=1e-9 * unit)
    assert not np.signbit(marks[0])


@pytest.mark.parametrize("length", [1e-25, 1e-10, 1e25])
def test_lengths_of_any_size_have_numbers(tmp_path, length):
    session, _ = opened(stored(tmp_path, length=length, time=length))
    state = at(session, 20)
    unit = drawn_unit(scene(state).radius)
    drawn = in_units_of(scene(state), unit)
    assert 1e-3 < drawn.radius < 1e3
    assert drawn.radius * unit == pytest.approx(state.result.frames.radius)
    assert 0.1 < np.abs(drawn.panes[0].points).max() < 100
    assert np.square(drawn.panes[0].radii).min() > 0
    if length > 1:  # its squares are too large for the single precision of the model
        assert "not finite" in scene(state).panes[1].badge
        return
    assert readouts(state).table[0][1][0] not in ("0", NONE, "not finite")
    assert "e" in scene(state).panes[1].footer


def test_units_that_the_data_name_are_shown():
    units = {"length": "nm", "time": "ps", "charge": "e"}
    system, x = System(charges=[1.0, -1.0]), np.random.default_rng(0).standard_normal((12, 2, 3))
    truth = Trajectory(0.1 * np.arange(12), x, x, system)
    made = Comparison(
        truth, truth, None, np.eye(3), None, "m", "s", 1.0, law_known=False, details={"units": units}
    )
    setup = Setup(scenario="", data="d.npz", model="m")
    state = ViewState(setup=setup, result=result_for(setup, comparison=made, growth=None, energies={}))
    state = replace(state, view=replace(state.view, colour_by="speed"), playback=Playback(position=3.0))
    drawn = scene(state)
    assert "t = 0.30 ps" in drawn.headline
    assert drawn.panes[1].footer.endswith("nm")
    assert drawn.legend.title == "speed [nm/ps]"
    assert "from the truth 1 ps earlier" in drawn.panes[1].subtitle
    assert "nm/ps" in particle_words(state, 0)
    assert "+1 e" in particle_words(state, 0)


@pytest.mark.parametrize("operations", [(), (Turn(0, 1, 40.0),)])
def test_data_far_from_the_origin_fill_the_picture(tmp_path, operations):
    path = stored(tmp_path)
    with np.load(path) as given:
        arrays = dict(given)
    np.savez(path, **{**arrays, "positions": arrays["positions"] + [500.0, 0.0, 0.0]})
    frames = truth_alone(Setup(scenario="", data=path, model="m", operations=operations)).frames
    assert frames.radius < 10
    assert np.linalg.norm(frames.centre) == pytest.approx(500, abs=2)
    assert frames.radius == truth_alone(Setup(scenario="", data=path, model="m")).frames.radius
