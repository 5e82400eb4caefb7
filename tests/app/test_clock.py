"""The clock of the Session: it plays, steps, seeks, loops, stays within what is shown; the marks of its ruler."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.ruler import horizon_boundaries, ticks
from app.viewmodel.session import Session
from app.viewmodel.state.playback import ENDINGS, SPEEDS, Playback, advanced
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import same_but_for_the_clock
from tests.app.fakes import FakeDialogs, PromptRunner, later_session, prompt_session, result_for


def run(session, *names, dialogs=None):
    for name in names:
        ACTIONS[name].run(session, dialogs or FakeDialogs())


def test_the_clock_runs_at_its_speed_and_loops():
    session = prompt_session()  # twelve frames, 0.1 apart
    session.clock.tick(0.25)
    assert session.state.frame == 2
    assert session.state.time == pytest.approx(0.2)
    session.clock.set_speed(4.0)
    session.clock.tick(0.1)
    assert session.state.frame == 6
    session.clock.tick(0.14)
    assert session.state.frame == 0
    session.clock.toggle_play()
    session.clock.tick(1.0)
    assert session.state.frame == 0


def test_step_and_seek_pause_and_stay_inside():
    session = prompt_session()
    session.clock.step(3)
    assert (session.state.frame, session.state.playback.playing) == (3, False)
    session.clock.step(-25)
    assert session.state.frame == 0
    session.clock.seek(99)
    assert session.state.frame == 11
    session.clock.toggle_play()
    session.clock.rewind()
    assert session.state.playback == Playback(0.0, True, 1.0)


def test_the_clock_without_a_picture():
    session = Session(PromptRunner())
    session.clock.tick(1.0)
    session.clock.step(1)
    session.system.next_seed()
    session.export.start("out", ("npz",))
    assert session.state.frame == 0


def test_the_ladder_of_speeds():
    session = prompt_session()
    for _ in range(20):
        session.clock.change_speed(1)
    assert session.state.playback.speed == SPEEDS[-1]
    session.clock.change_speed(-1)
    assert session.state.playback.speed == SPEEDS[-2]
    for _ in range(20):
        session.clock.change_speed(-1)
    assert session.state.playback.speed == SPEEDS[0]
    session.clock.set_speed(1.3)
    session.clock.change_speed(1)
    assert session.state.playback.speed == 2.0


def test_another_system_starts_the_clock_anew_another_turn_does_not():
    session = prompt_session()
    session.clock.seek(7)
    session.world.rotate(0, 1, 30.0)
    session.system.choose_model("other")
    assert session.state.frame == 7
    session.system.choose_seed(9)
    assert session.state.frame == 0


def test_the_clock_stays_within_a_shorter_film():
    session, runner = later_session()
    session.clock.seek(11)
    session.system.choose_model("other")
    short = result_for(Setup(model="fake"))
    cut = {name: getattr(short.comparison.truth, name)[:4] for name in ("times", "positions", "velocities")}
    truth = replace(short.comparison.truth, **cut)
    runner.finish(comparison=replace(short.comparison, truth=truth, forecast=truth, rollout=None))
    assert session.state.frame == 3


def frames_seen(playback, steps, n=10, step=1.0):
    seen = []
    for _ in range(steps):
        playback = advanced(playback, step, n)
        seen.append(int(playback.position))
    return seen, playback


def test_once_loop_and_rock_between_the_marks():
    marked = Playback(position=3.0, mark_in=3, mark_out=6)
    assert frames_seen(marked, 6)[0] == [4, 5, 6, 3, 4, 5]
    assert frames_seen(replace(marked, rock=True), 8)[0] == [4, 5, 6, 5, 4, 3, 4, 5]
    seen, end = frames_seen(replace(marked, loop=False), 5)
    assert seen[-1] == 6
    assert not end.playing
    assert frames_seen(Playback(position=0.0), 11)[0] == [*range(1, 10), 0, 1]
    assert frames_seen(replace(marked, position=0.0), 1)[0] == [4]  # from outside into the marks
    assert frames_seen(Playback(rock=True), 3, n=1)[0] == [0, 0, 0]


def test_every_frame_skips_none_however_slow_the_drawing():
    assert frames_seen(Playback(), 3, step=2.5)[0] == [2, 5, 7]
    assert frames_seen(Playback(every_frame=True), 3, step=2.5)[0] == [1, 2, 3]
    assert frames_seen(Playback(every_frame=True), 4, step=0.5)[0] == [0, 1, 1, 2]  # slow motion stays slow


def test_marks_are_set_jumped_to_and_cleared():
    session = prompt_session()
    session.clock.seek(8)
    run(session, "mark-out")
    session.clock.seek(3)
    run(session, "mark-in")
    assert (session.state.playback.mark_in, session.state.playback.mark_out) == (3, 8)
    run(session, "to-mark-out")
    assert session.state.frame == 8
    run(session, "to-mark-in")
    assert session.state.frame == 3
    run(session, "to-end")
    assert session.state.frame == 8
    session.clock.seek(9)
    run(session, "mark-in")  # behind the end: that mark goes
    assert (session.state.playback.mark_in, session.state.playback.mark_out) == (9, None)
    run(session, "clear-marks", "to-mark-in")
    assert session.state.frame == 0
    session.clock.mark_out()
    session.system.choose_seed(5)
    assert session.state.playback.mark_out is None


def test_endings_and_the_way_there():
    session = prompt_session()
    for ending in ENDINGS:
        session.clock.set_ending(ending)
        assert session.state.playback.ending == ending
    run(session, "rock")
    assert session.state.playback.ending == "loop"
    run(session, "loop")
    assert session.state.playback.ending == "once"
    assert not session.state.preferences.loop


def test_time_is_stepped_and_typed():
    session = prompt_session()
    times = session.state.result.comparison.truth.times  # 0.1 apart
    session.clock.seek_time(0.52)
    assert session.state.time == pytest.approx(times[5])
    session.clock.step_time(0.3)
    assert session.state.frame == 8
    session.clock.step_time(-1e-9)
    assert session.state.frame == 7
    session.clock.seek_time(99.0)
    assert session.state.frame == len(times) - 1
    dialogs = FakeDialogs()
    run(session, "go-to-time", dialogs=dialogs)
    assert dialogs.times_edited == 1


def test_only_the_clock_between_two_ticks():
    session, _ = later_session()
    before = session.state
    session.clock.tick(0.01)
    assert session.state is not before
    assert same_but_for_the_clock(before, session.state)
    session.clock.mark_in()
    session.clock.seek(3)
    assert not same_but_for_the_clock(before, session.state)
    playing = session.state
    session.selection.pick(1)
    assert not same_but_for_the_clock(playing, session.state)


@pytest.mark.parametrize(
    ("first", "last", "count"), [(0.0, 10.0, 10), (4.1, 15.1, 8), (0.0, 0.03, 5), (-3.0, 900.0, 7)]
)
def test_ticks_are_round_and_few(first, last, count):
    marks = ticks(first, last, count)
    assert first <= marks[0] <= marks[-1] <= last
    assert 2 <= len(marks) <= count + 1
    step = float(np.diff(marks)[0])
    lead = step / 10 ** np.floor(np.log10(step * 1.0000001))
    assert min(abs(lead - good) for good in (1.0, 2.0, 5.0)) < 1e-6
    assert np.allclose(np.diff(marks), step)
    assert len(ticks(1.0, 1.0, 5)) == 1


def test_horizon_boundaries_are_whole_multiples():
    assert horizon_boundaries(4.1, 8.0, 1.0) == [5.0, 6.0, 7.0, 8.0]
    assert horizon_boundaries(4.0, 6.0, 1.0) == [5.0, 6.0]
    assert horizon_boundaries(0.0, 1000.0, 1.0) == []
