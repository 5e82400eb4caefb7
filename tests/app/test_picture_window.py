"""The panes, the time line, the table and the curves in the real window, with mouse and keyboard."""

from itertools import pairwise

import numpy as np
import pytest

from app.viewmodel.state.setup import Setup
from surrogate.bench.rendering import many_particles
from tests.app.fakes import PromptRunner
from tests.app.gestures import choose, pixels, press, type_number

pytestmark = pytest.mark.gui


def place_of(window, pane: int, particle: int):
    """Where a particle of a pane is drawn, in pixels of the widget."""
    from PySide6.QtCore import QPoint

    from surrogate.render.painter import camera_matrix
    from surrogate.render.picking import on_screen

    viewport = window.viewport
    painter, widget, panes = viewport.painter, viewport.widget, viewport.scene.panes
    width, height = viewport.plotter.render_window.GetSize()
    n = len(panes)
    box = (pane * width / n, 0.0, width / n, float(height))
    matrix = camera_matrix(viewport.plotter.renderers[0].GetActiveCamera(), box[2] / box[3])
    pixels_of, _, _ = on_screen(panes[pane].points, matrix, box)
    x, y = pixels_of[particle] / painter.scale
    return QPoint(round(x), round(widget.height() - y))


def painted(qtbot, window) -> None:
    """The present state is on the screen (a render adapts the camera to the size of the panes)."""
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    window.viewport.plotter.repaint()
    qtbot.wait(20)


def test_particles_are_picked_in_the_panes_and_in_the_table(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window()
    session, left = window.session, Qt.MouseButton.LeftButton
    session.clock.toggle_play()
    session.view.set(show_help=False)
    session.clock.seek(4)
    window.docks.toggle("particles")
    painted(qtbot, window)
    plain = pixels(window.viewport.widget)
    plotter, table = window.viewport.plotter, window.panels["particles"]
    qtbot.mouseClick(plotter, left, pos=place_of(window, 1, 2))
    assert session.state.selection.particles == (2,)
    painted(qtbot, window)
    assert np.abs(pixels(window.viewport.widget).astype(int) - plain).max() > 60  # the halos
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.mouseClick(plotter, left, shift, place_of(window, 0, 0))
    assert session.state.selection.particles == (2, 0)
    rows = table.table.selectionModel().selectedRows()
    assert sorted(int(table.model.order[r.row()]) for r in rows) == [0, 2]
    assert window.mouse.tip(*place_of(window, 0, 0).toTuple()).startswith("particle 0\ncharge")

    # sorted by the error, largest first: the rows move, the selection stays with its particles
    table.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    errors = session.state.result.comparison.particle_errors()[4]
    assert list(table.model.order) == list(np.argsort(-errors, kind="stable"))
    rows = table.table.selectionModel().selectedRows()
    assert sorted(int(table.model.order[r.row()]) for r in rows) == [0, 2]
    cell = table.table.visualRect(table.model.index(1, 0)).center()
    qtbot.mouseClick(table.table.viewport(), left, pos=cell)
    assert session.state.selection.particles == (int(table.model.order[1]),)

    # a drag turns the camera and picks nothing; Escape lets go
    chosen = session.state.selection
    place = place_of(window, 1, 3)
    qtbot.mousePress(plotter, left, pos=place)
    qtbot.mouseMove(plotter, place + type(place)(40, 20))
    qtbot.mouseRelease(plotter, left, pos=place + type(place)(40, 20))
    assert session.state.selection == chosen
    press(qtbot, window, Qt.Key.Key_Escape)
    assert session.state.selection.particles == ()
    press(qtbot, window, Qt.Key.Key_Period)
    press(qtbot, window, Qt.Key.Key_Period)
    assert session.state.selection.particles == (1,)

    # the table sleeps behind the curves
    window.docks.toggle("curves")
    shown = table.model.table
    session.clock.step(1)
    assert table.model.table is shown


def test_panes_alone_camera_and_sizes(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(contrast="egnn-nbody")
    session, viewport = window.session, window.viewport
    session.clock.toggle_play()
    session.view.set(show_help=False)
    painted(qtbot, window)
    camera = viewport.plotter.renderers[0].GetActiveCamera()

    def reach() -> float:
        """Half the width of what is seen, in radii of the ball: the same framing in every shape of pane."""
        renderer = viewport.plotter.renderers[0]
        width, height = renderer.GetSize()
        half = camera.GetDistance() * np.tan(np.radians(camera.GetViewAngle() / 2.0))
        return half * min(1.0, width / height) / viewport.scene.radius

    framed = reach()
    assert framed > 1.0
    middle = window.viewport.widget.rect().center()
    qtbot.mouseDClick(viewport.plotter, Qt.MouseButton.LeftButton, pos=middle)
    assert session.state.view.maximised == 1
    painted(qtbot, window)
    assert reach() == pytest.approx(framed, rel=1e-6)
    press(qtbot, window, Qt.Key.Key_F)
    assert session.state.view.maximised is None
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() == 1024)
    painted(qtbot, window)
    assert reach() == pytest.approx(framed, rel=1e-6)
    home = np.array(camera.GetPosition())
    press(qtbot, window, Qt.Key.Key_1)
    towards = np.array(camera.GetPosition()) - np.array(camera.GetFocalPoint())
    assert np.allclose(towards / np.linalg.norm(towards), (1.0, 0.0, 0.0))
    press(qtbot, window, Qt.Key.Key_F, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert np.allclose(camera.GetPosition(), home, rtol=1e-6)
    session.system.choose_dims(2)
    press(qtbot, window, Qt.Key.Key_1)
    assert "no axis" in session.state.message.text

    # overlay has a pane less; followed, the particle stays in the middle
    session.system.choose_dims(4)
    press(qtbot, window, Qt.Key.Key_V)
    painted(qtbot, window)
    assert len(viewport.titles()) == 2
    press(qtbot, window, Qt.Key.Key_F, modifier=Qt.KeyboardModifier.ControlModifier)
    session.clock.seek(9)
    truth = viewport.scene.panes[0].ghosts[session.state.selection.follow]
    assert np.allclose(camera.GetFocalPoint(), truth, atol=1e-5)


def test_the_time_line(open_window, qtbot):
    from PySide6.QtCore import QPoint, Qt

    window = open_window()
    session, line = window.session, window.timeline
    session.clock.toggle_play()
    before = pixels(line.scrub)
    place = QPoint(round(line.scrub.place_of(3)), 10)
    qtbot.mouseClick(line.scrub, Qt.MouseButton.LeftButton, pos=place)
    assert session.state.frame == 3
    press(qtbot, window, Qt.Key.Key_I)
    qtbot.mousePress(line.scrub, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseMove(line.scrub, QPoint(round(line.scrub.place_of(8)), 10))
    qtbot.mouseRelease(line.scrub, Qt.MouseButton.LeftButton, pos=QPoint(round(line.scrub.place_of(8)), 10))
    assert session.state.frame == 8
    qtbot.mouseClick(line.mark_out, Qt.MouseButton.LeftButton)
    assert session.state.playback.bounds(session.state.n_frames) == (3, 8)
    assert np.abs(pixels(line.scrub).astype(int) - before).max() > 60
    press(qtbot, window, Qt.Key.Key_G, modifier=Qt.KeyboardModifier.ControlModifier)
    assert line.time.hasFocus()
    type_number(qtbot, line.time, "0.5")
    assert session.state.frame == 5
    qtbot.waitUntil(lambda: not line.time.hasFocus())
    choose(qtbot, line.ending, "rock")
    assert session.state.playback.ending == "rock"
    qtbot.mouseClick(line.every, Qt.MouseButton.LeftButton)
    assert session.state.playback.every_frame
    qtbot.mouseClick(line.clear, Qt.MouseButton.LeftButton)
    assert session.state.playback.mark_in is None
    assert not line.clear.isEnabled()
    for size in ((1280, 800), (1024, 700)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: window.width() == size[0])
        qtbot.wait(20)
        row = [line.back, line.play, line.forward, line.time, line.mark_in, line.mark_out, line.clear]
        row += [line.every, line.ending, line.speed]
        for left, right in pairwise(row):
            assert left.geometry().right() < right.x(), (size, left.accessibleName(), right.accessibleName())
        assert line.speed.geometry().right() < line.width()
        words = line.every.fontMetrics().horizontalAdvance(line.every.text())
        assert words < line.every.width()


def test_the_curves_answer_the_mouse(open_window, qtbot):
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    window = open_window(contrast="egnn-nbody")
    session, charts = window.session, window.panels["curves"]
    session.clock.toggle_play()
    session.view.set(show_help=False)
    chart = charts.error
    qtbot.waitUntil(lambda: len(chart.curves) == 3)
    assert "egnn-nbody" in chart.legend.text()
    box = chart.plot.getViewBox()

    def place(time: float) -> QPoint:
        return chart.plot.mapFromScene(box.mapViewToScene(QPointF(time, sum(box.viewRange()[1]) / 2.0)))

    qtbot.mouseClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(0.7))
    assert session.state.frame == 7
    chart.plot.scene().sigMouseMoved.emit(box.mapViewToScene(QPointF(0.3, sum(box.viewRange()[1]) / 2.0)))
    assert "t = 0.30" in chart.legend.text()
    session.selection.select((2, 3))
    assert [c.name for c in chart.curves[-2:]] == ["#2", "#3"]
    assert chart.curves[-1].width > chart.curves[0].width
    session.selection.clear()
    assert len(chart.curves) == 3
    whole = box.viewRange()[0]
    middle = place(0.5)
    wheel = QWheelEvent(
        QPointF(middle), QPointF(chart.plot.viewport().mapToGlobal(middle)), QPoint(), QPoint(0, 600),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chart.plot.viewport(), wheel)
    low, high = box.viewRange()[0]
    assert high - low < 0.8 * (whole[1] - whole[0])
    assert chart.all.isVisible()
    assert charts.energy.plot.getViewBox().viewRange()[0] == pytest.approx([low, high])
    qtbot.mouseClick(chart.all, Qt.MouseButton.LeftButton)
    assert box.viewRange()[0] == pytest.approx(whole)
    qtbot.mouseClick(charts.energy.log, Qt.MouseButton.LeftButton)
    assert not session.state.view.log_curves
    assert not chart.log.isChecked()
    assert box.viewRange()[1][0] > -1.0


def test_the_picture_panel(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(dims=5)
    session, panel = window.session, window.panels["picture"]
    session.clock.toggle_play()
    session.view.set(show_help=False)
    window.docks.toggle("picture")
    assert panel.isVisible()
    choose(qtbot, panel.colouring, "speed")
    qtbot.mouseClick(panel.fixed, Qt.MouseButton.LeftButton)
    kept = session.state.view.colour_range
    assert panel.high.value() == pytest.approx(kept[1])
    type_number(qtbot, panel.high, "9")
    assert session.state.view.colour_range == (kept[0], 9.0)
    choose(qtbot, panel.hidden, "x3")
    choose(qtbot, panel.layout_box, "over")
    assert (session.state.view.hidden_axis, session.state.view.layout) == (3, "overlay")
    type_number(qtbot, panel.trail, "7")
    panel.cue.setValue(40)
    for box in (panel.fade, panel.of_selected, panel.ghosts, panel.hud, panel.slice):
        qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    view = session.state.view
    assert (view.trail, view.fade_hidden, view.trail_fade, view.trail_of) == (7, 0.4, False, "selected")
    assert (view.ghosts, view.hud) == (False, False)
    assert panel.thickness.value() == pytest.approx(view.slice_thickness)
    for _ in range(5):
        session.history.undo()
    assert panel.hud.isChecked()
    session.system.choose_dims(3)
    assert not panel.cue.isEnabled()


class Many(PromptRunner):
    """Answers with two hundred particles."""

    def submit(self, request, callbacks):
        if isinstance(request, Setup):
            from app.views.bench import _Ready

            return _Ready(many_particles(200, 60)).submit(request, callbacks)
        return super().submit(request, callbacks)


def test_two_hundred_particles_play_and_panels_keep_their_pace(open_window, qtbot, monkeypatch):
    """What no frame changes is not drawn with the frames; what changes slowly ten times a second."""
    window = open_window(runner=Many())
    session = window.session
    session.view.set(show_help=False, trail=200, colour_by="speed")
    window.timer.stop()
    calls = dict.fromkeys(("system", "world", "readouts", "curves"), 0)
    for name in calls:
        draw = window.panels[name].show_state

        def count(state, name=name, draw=draw):
            calls[name] += 1
            draw(state)

        monkeypatch.setattr(window.panels[name], "show_state", count)
    now = [1000.0]
    monkeypatch.setattr("app.views.docks.time.monotonic", lambda: now[0])
    for _ in range(20):
        now[0] += 0.02
        session.clock.tick(0.02)
    assert calls == {"system": 0, "world": 0, "readouts": pytest.approx(4, abs=1), "curves": 20}
    session.clock.step(1)  # paused: at once
    assert calls["readouts"] >= 4
    assert calls["system"] == 1


def test_the_camera_comes_back_with_a_session_file(open_window, qtbot, tmp_path):
    """Dragged and zoomed with the mouse, saved, put back at the start, opened: it stands where it stood."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent

    window = open_window()
    session, left = window.session, Qt.MouseButton.LeftButton
    session.clock.toggle_play()
    session.view.set(show_help=False)
    painted(qtbot, window)
    plotter, path = window.viewport.plotter, tmp_path / "camera.json"
    home = window.viewport.painter.camera()
    assert session.state.camera is None

    corner = QPoint(30, plotter.height() // 2)
    qtbot.mousePress(plotter, left, pos=corner)
    qtbot.mouseMove(plotter, corner + QPoint(60, 40))
    qtbot.mouseRelease(plotter, left, pos=corner + QPoint(60, 40))
    turned = session.state.camera
    assert turned is not None
    assert np.dot(turned.towards, home.towards) < 0.99
    wheel = QWheelEvent(
        QPointF(corner), QPointF(plotter.mapToGlobal(corner)), QPoint(), QPoint(0, 240),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    plotter.wheelEvent(wheel)
    near = session.state.camera
    assert near.distance < 0.95 * turned.distance

    session.files.save(str(path))
    press(qtbot, window, Qt.Key.Key_F, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert session.state.camera is None
    assert window.viewport.painter.camera().distance == pytest.approx(1.0)
    session.files.open(str(path))
    painted(qtbot, window)
    found = window.viewport.painter.camera()
    assert np.allclose(found.towards + found.up + found.shift, near.towards + near.up + near.shift, atol=1e-9)
    assert found.distance == pytest.approx(near.distance)
