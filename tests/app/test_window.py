"""The real window under Xvfb as a whole: a session from start to end, every state drawn, closed with no trace."""

import multiprocessing
import sys

import numpy as np
import pytest

from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.worker.loaded_models import default_model
from tests.app.gestures import choose, pixels, press, settled, type_number
from tests.surrogate.helpers import npz, tiny_arrays

pytestmark = pytest.mark.gui


def test_a_session_at_the_real_window(open_window, qtbot, tmp_path):
    """Opens, plays 3-D and 5-D, turns a hidden plane, switches the model, exports a video, closes."""
    from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
    from PySide6.QtGui import QDropEvent

    window = open_window(real=True, model=default_model())
    session, side, rotation = window.session, window.panels["system"], window.panels["world"]
    assert window.isVisible()
    settled(qtbot, window)

    # plays in three dimensions
    frame, renders = session.state.frame, window.viewport.renders
    qtbot.waitUntil(lambda: session.state.frame > frame + 3)
    assert window.viewport.renders > renders
    press(qtbot, window, Qt.Key.Key_Space)
    assert not session.state.playback.playing
    session.clock.seek(100)
    flat = pixels(window.viewport.widget)
    assert flat.std() > 5.0

    # then in five; the plane of axes 0 and 4 is typed into the exact box
    type_number(qtbot, side.dims, "5")
    settled(qtbot, window)
    assert session.state.n_dims == 5
    session.clock.seek(100)
    before = pixels(window.viewport.widget)
    qtbot.mouseClick(rotation.plane_button(0, 4), Qt.MouseButton.LeftButton)
    assert session.state.plane == (0, 4)
    assert rotation.plane_button(0, 4).isChecked()
    type_number(qtbot, rotation.angle, "37.5")
    assert session.state.setup.operations == (Turn(0, 4, 37.5),)
    settled(qtbot, window)
    assert session.state.result.setup.operations == (Turn(0, 4, 37.5),)
    assert session.state.result.comparison.equivariance_error < 1e-4
    assert rotation.angle.value() == 37.5
    assert rotation.slider.value() == 38
    assert "0-4 by 37.5°" in rotation.operations.text()
    assert np.abs(pixels(window.viewport.widget).astype(int) - before).max() > 60
    press(qtbot, window, Qt.Key.Key_Space)
    frame = session.state.frame
    qtbot.waitUntil(lambda: session.state.frame != frame)
    press(qtbot, window, Qt.Key.Key_Space)

    # another model
    choose(qtbot, side.model, "egnn-nd")
    assert session.state.setup.model == "egnn-nd"
    settled(qtbot, window)
    assert session.state.result.comparison.model_name == "egnn-nd"

    # a file is dropped, and one that is none
    path = npz(tmp_path / "data.npz", tiny_arrays(samples=3, frames=12, particles=4))
    for name, expected in ((path, "data.npz"), (tmp_path / "missing.npz", "no such file")):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(name))])
        drop = QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        window.dropEvent(drop)
        qtbot.waitUntil(
            lambda expected=expected: session.state.message is not None and expected in session.state.message.text
        )
        settled(qtbot, window)
    assert session.state.setup.data == str(path)
    assert window.overlays.message.isVisible()
    assert "no such file" in window.overlays.message.text()
    assert window.overlays.message.objectName() == "error"
    assert not side.dims.isEnabled()

    # a short film
    folder = tmp_path / "film"
    window.export_folder = lambda: str(folder)
    window.actions_by_name["export"].trigger()
    assert window.jobs.progress.isVisible()
    assert window.jobs.cancel.isVisible()
    qtbot.waitUntil(lambda: session.state.export_progress is None)
    names = {p.name for p in folder.iterdir()}
    assert {"comparison.mp4", "comparison.png", "comparison.json", "report.html"} <= names, session.state.message
    assert (folder / "comparison.mp4").stat().st_size > 5000
    assert not window.jobs.progress.isVisible()

    # closes while it plays and works
    session.system.choose_scenario("bound")
    window.close()
    assert multiprocessing.active_children() == []


def test_closing_during_an_export(open_window, qtbot, tmp_path):
    window = open_window(real=True)
    settled(qtbot, window)
    window.session.clock.toggle_play()  # software OpenGL would take the cores from the export
    folder = tmp_path / "out"
    window.session.export.start(str(folder), ("mp4",))
    qtbot.waitUntil(lambda: (window.session.state.export_progress or 0.0) > 0.0)
    window.close()
    assert multiprocessing.active_children() == []
    assert not folder.exists()


def test_closing_before_the_first_forecast(open_window):
    window = open_window(real=True)
    window.close()
    assert multiprocessing.active_children() == []


def test_closing_ends_the_children_though_preferences_fail(open_window, qtbot, monkeypatch):
    window = open_window(real=True)

    def refuse(**changes):
        raise OSError("no room")

    monkeypatch.setattr(window.session.preferences, "set", refuse)
    with qtbot.captureExceptions() as raised:
        window.close()
    assert [str(error) for _, error, _ in raised] == ["no room"]
    assert multiprocessing.active_children() == []


def test_every_state_is_drawn(open_window, qtbot):
    """Sizes, themes, pane counts and dimensions: never blank, and different from each other."""
    window = open_window(contrast="egnn-nbody")
    session = window.session
    session.clock.toggle_play()
    session.clock.seek(6)
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    seen = []

    def look():
        qtbot.wait(30)
        picture = pixels(window.viewport.widget)
        assert picture.std() > 3.0
        seen.append(picture)
        return picture

    look()
    session.world.rotate(0, 1, 50.0)
    assert np.abs(look().astype(int) - seen[-2]).max() > 60
    session.clock.step(4)
    assert np.abs(look().astype(int) - seen[-2]).max() > 60
    dark = seen[-1].mean()
    session.view.toggle_theme()
    assert look().mean() > dark + 60
    session.picture.toggle_colour()
    session.view.toggle_rollout()
    assert np.abs(look().astype(int) - seen[-2]).max() > 60
    for n in (1, 2, 6):
        session.system.choose_dims(n)
        look()
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() == 1024)
    assert look().shape != seen[-2].shape
    assert pixels(window).shape[:2] == (700, 1024)
    window.resize(860, 560)
    look()
    session.system.choose_contrast("")
    session.view.toggle_rollout()
    look()


def test_repainting_keeps_the_references(open_window, qtbot):
    """PySide6 6.12.0 on Python 3.11 lost references to None with every paint and aborted at last."""
    window = open_window()
    session = window.session
    session.clock.toggle_play()
    if sys.version_info >= (3, 12):
        pytest.skip("None is immortal here")
    for k in range(10):
        session.clock.seek(k)
        window.grab()
    before = sys.getrefcount(None)
    for k in range(100):
        session.clock.seek(k % 12)
        window.repaint()
        window.viewport.widget.repaint()
        window.panels["curves"].repaint()
    assert sys.getrefcount(None) > before - 50


def test_opening_and_closing_many_times(open_window, qtbot):
    for _ in range(3):
        window = open_window(runner=None)
        window.session.system.choose_dims(4)
        window.close()
        window.close()


def test_setup_of_the_first_run():
    from app.views.start import first_setup

    setup = first_setup()
    assert isinstance(setup, Setup)
    assert setup.scenario == "bound"
    assert setup.model


def test_recent_files_are_in_the_menu(open_window):
    window = open_window()
    window.menus.recent.aboutToShow.emit()
    assert [a.text() for a in window.menus.recent.actions()] == ["nothing yet"]
    window.session.preferences.add_recent("/some/where.toml")
    window.menus.recent.aboutToShow.emit()
    (action,) = window.menus.recent.actions()
    action.trigger()
    assert window.session.state.setup.scenario == action.text()
