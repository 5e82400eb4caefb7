"""What keeps the window quick: what is not imported, not drawn twice, and not done in one turn. No clocks here."""

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of, result_parts
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.runner import Callbacks, InlineRunner
from tests.app.fakes import LaterRunner, result_for

HEAVY = ("torch", "numba", "matplotlib", "pyvista", "vtkmodules")
TURNED = Setup(scenario="bound", model=default_model(), contrast="gnn-nbody", operations=(Turn(0, 1, 10.0),))


def loaded_by(code: str) -> list[str]:
    """Which of the heavy packages a fresh interpreter has loaded after some code."""
    code = f"import sys\n{code}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    command = [sys.executable, "-W", "ignore", "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_the_window_opens_without_what_is_heavy():
    titles = "from app.views.start import scenario_titles, first_setup\nscenario_titles(), first_setup()"
    assert loaded_by(f"import app.views.main_window\n{titles}") == []
    assert loaded_by("import physics\nphysics.State, physics.types") == []


def test_a_comparison_comes_back_without_pytorch(tmp_path):
    path = tmp_path / "result"
    path.write_bytes(pickle.dumps(result_of(TURNED)))
    loaded = loaded_by(f"import pathlib, pickle\npickle.loads(pathlib.Path({str(path)!r}).read_bytes())")
    assert "torch" not in loaded


@pytest.mark.parametrize("first", ["import physics.simulate", "from physics.types import State", "pass"])
def test_simulate_is_the_function_in_every_order(first):
    code = f"{first}\nfrom physics import simulate\nimport physics\nassert simulate is physics.simulate\n"
    code += "assert simulate.__module__ == 'physics.simulate' and callable(simulate)"
    assert "numba" in loaded_by(code)


def test_the_forecasts_come_first():
    first, whole = result_parts(TURNED)
    assert (first.measured, whole.measured) == (False, True)
    assert first.picture == whole.picture
    assert first.comparison.equivariance_error is first.comparison.rollout is first.truth_residual is None
    assert whole.comparison.rollout is not None
    for a, b in ((first.comparison, whole.comparison), (first.contrast, whole.contrast)):
        assert np.array_equal(a.forecast.positions, b.forecast.positions)
        assert b.equivariance_error is not None
    assert next(result_parts(TURNED)).picture != first.picture


def test_the_runner_hands_over_both():
    seen = []
    InlineRunner().submit(TURNED, Callbacks(seen.append, pytest.fail, first=seen.append))
    assert [result.measured for result in seen] == [False, True]


def started(**view) -> tuple[Session, LaterRunner]:
    runner = LaterRunner()
    state = ViewState(setup=Setup(model="fake"))
    session = Session(runner, replace(state, view=replace(state.view, **view)))
    session.start()
    return session, runner


def test_a_session_shows_the_forecasts_and_stays_busy():
    session, runner = started()
    request, callbacks = runner.pending.pop()
    first = result_for(request, measured=False)
    callbacks.first(first)
    assert session.state.result is first
    assert session.state.busy
    callbacks.done(replace(first, measured=True))
    assert session.state.result.measured
    assert not session.state.busy


def test_a_shown_rollout_is_waited_for():
    session, runner = started(show_rollout=True)
    request, callbacks = runner.pending.pop()
    callbacks.first(result_for(request, measured=False))
    assert session.state.result is None


@pytest.mark.gui
def test_the_curves_have_a_turn_of_their_own(open_window, qtbot, monkeypatch):
    from PySide6.QtCore import QTimer

    window = open_window()
    window.session.clock.seek(3)
    panel = window.panels["curves"]
    qtbot.waitUntil(lambda: not any(timer.isActive() for timer in panel.findChildren(QTimer)))
    order: list[str] = []
    draw = panel.error.draw
    monkeypatch.setattr(panel.error, "draw", lambda *a: (order.append("curves"), draw(*a)))
    window.viewport.plotter.frameSwapped.connect(lambda: order.append("frame"))
    window.session.world.rotate(0, 1, 10.0)
    assert "curves" not in order
    qtbot.waitUntil(lambda: "curves" in order)
    assert order.index("frame") < order.index("curves")
    assert order.count("curves") == 1


@pytest.mark.gui
def test_one_picture_is_drawn_once(open_window, qtbot):
    runner = LaterRunner()
    window = open_window(runner=runner)
    request, callbacks = runner.pending.pop()
    first = result_for(request, measured=False)
    window.session.clock.toggle_play()
    callbacks.first(first)
    qtbot.waitUntil(lambda: window.viewport.on_screen is first)
    renders = window.viewport.renders
    callbacks.done(replace(first, measured=True))
    assert window.viewport.renders == renders
    window.session.clock.step(1)
    assert window.viewport.renders == renders + 1


@pytest.mark.gui
def test_the_window_does_not_wait_for_vtk(open_window, qtbot, monkeypatch):
    from app.views.viewport import PLOTTER

    monkeypatch.delitem(sys.modules, PLOTTER)
    window = open_window()
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.viewport.on_screen is window.session.state.result)
    assert window.viewport.plotter.isVisible()


@pytest.mark.gui
def test_the_first_picture_comes_part_by_part(open_window, qtbot, monkeypatch):
    import app.views.viewport as module

    parts = []
    add = module.Painter.add_part
    count = lambda self: (parts.append(window.viewport.renders), add(self))  # noqa: E731
    monkeypatch.setattr(module.Painter, "add_part", count)
    runner = LaterRunner()
    window = open_window(runner=runner)
    window.session.clock.toggle_play()
    runner.finish()
    assert window.viewport.on_screen is None
    qtbot.waitUntil(lambda: window.viewport.on_screen is window.session.state.result)
    assert parts == [1, 2, 3]  # each after a picture of its own, the first of them empty


@pytest.mark.gui
def test_no_picture_of_its_own_while_a_forecast_is_awaited(open_window, monkeypatch):
    runner = LaterRunner()
    window = open_window(runner=runner)
    runner.finish()
    window.session.world.rotate(0, 1, 10.0)
    assert window.session.state.busy
    for held, moves in ((1e6, False), (0.0, True)):  # but not for ever
        monkeypatch.setattr("app.views.main_window.HELD_FRAME", held)
        position = window.session.state.playback.position
        window.timer.timeout.emit()
        assert (window.session.state.playback.position != position) == moves


def test_bench_says_what_it_needs():
    from tests.app.test_command import run_module

    ended = run_module("app.bench")
    assert (ended.returncode, ended.stderr[:7]) == (2, "error: ")
    assert "display" in ended.stderr


@pytest.mark.gui
def test_bench_sees_the_window_before_its_first_comparison():
    from app.bench import measured_starts

    (start,) = measured_starts(1)
    assert 0 < start["shown"] < start["picture"]
    assert start["block"] > 0


def test_rows_of_the_table():
    from app.bench import table_row

    assert table_row("start", [0.5, 0.7, 1.25]) == "| start | 0.70 s | 1.25 s |"
    assert table_row("turn", [0.05, 0.07, 0.0625]) == "| turn | 62 ms | 70 ms |"
