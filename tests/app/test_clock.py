"""The clock of the Session: it plays, steps, seeks, loops and stays within what is shown."""

from dataclasses import replace

import pytest

from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import SPEEDS, Playback
from tests.app.fakes import PromptRunner, later_session, prepared_for, prompt_session


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
    short = prepared_for(Setup(model="fake"))
    cut = {name: getattr(short.comparison.truth, name)[:4] for name in ("times", "positions", "velocities")}
    truth = replace(short.comparison.truth, **cut)
    runner.finish(comparison=replace(short.comparison, truth=truth, forecast=truth, rollout=None))
    assert session.state.frame == 3
