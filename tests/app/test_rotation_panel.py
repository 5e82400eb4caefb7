"""The rotation and view basis panels and Alt+drag in the panes, with a real mouse on the real window."""

import numpy as np
import pytest

from app.viewmodel.state.setup import Given, RandomTurn, Reflect, Turn
from app.views.curve_plot import LogAxis
from app.views.dial import angle_at
from app.views.docks import fair_shares
from app.views.plane_matrix import cell_place
from surrogate.render.theme import THEMES
from tests.app.fakes import LaterRunner

pytestmark = pytest.mark.gui


def drag(widget, start, end, modifiers=None, steps=4):
    """Press, move and release the left button, as the window system would tell it."""
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    keys = modifiers or Qt.KeyboardModifier.NoModifier
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton

    def send(kind, place, button, buttons):
        point = QPointF(*map(float, place))
        event = QMouseEvent(kind, point, QPointF(widget.mapToGlobal(point)), button, buttons, keys)
        QApplication.sendEvent(widget, event)

    send(QEvent.Type.MouseButtonPress, start, left, left)
    for k in range(1, steps + 1):
        way = k / steps
        place = [a + way * (b - a) for a, b in zip(start, end, strict=True)]
        send(QEvent.Type.MouseMove, place, none, left)
    send(QEvent.Type.MouseButtonRelease, end, left, none)


def wheel(widget, notches, modifiers=None):
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre, QPointF(widget.mapToGlobal(centre)), QPoint(), QPoint(0, int(120 * notches)),
        Qt.MouseButton.NoButton, modifiers or Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_mouse_on_the_plane_matrix(open_window, qtbot):
    from PySide6.QtCore import Qt

    left, right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
    shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    window = open_window(dims=8)
    session, panel = window.session, window.panels["world"]
    assert len(panel.planes.cells) == 28
    cell = panel.plane_button(2, 5)
    qtbot.mouseClick(cell, left)
    assert session.state.plane == (2, 5)
    assert session.state.setup.operations == ()
    drag(cell, (10, 10), (50, 10))
    assert session.state.setup.operations == (Turn(2, 5, 20.0),)
    drag(cell, (10, 10), (36, 10), shift)
    assert session.state.setup.operations == (Turn(2, 5, 35.0),)  # 33, at the nearest 5
    wheel(cell, 1)
    assert session.state.setup.operations == (Turn(2, 5, 40.0),)
    wheel(cell, -1, control)
    assert session.state.setup.operations == ()
    wheel(cell, 1, control)
    qtbot.mouseClick(cell, right)
    assert session.state.setup.operations == (Turn(2, 5, -45.0),)
    session.history.undo()
    session.history.undo()
    session.history.undo()
    session.history.undo()
    assert session.state.setup.operations == (Turn(2, 5, 35.0),)  # each drag is one step
    qtbot.mouseDClick(panel.plane_button(0, 7), left)
    assert session.state.plane == (0, 7)
    assert session.state.spinning
    assert panel.spin.isChecked()
    qtbot.mouseDClick(panel.plane_button(0, 7), left)
    assert not session.state.spinning


def test_a_dial_in_the_plane_axes_in_space_and_nothing_on_a_line(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(dims=2)
    session, panel = window.session, window.panels["world"]
    assert panel.dial.isVisible()
    assert not panel.planes.isVisible()
    middle = (panel.dial.width() / 2, panel.dial.height() / 2)
    control = Qt.KeyboardModifier.ControlModifier
    drag(panel.dial, (middle[0] + 30, middle[1]), (middle[0], middle[1] - 30))
    assert session.state.setup.operations == (Turn(0, 1, 90.0),)
    session.history.undo()
    assert session.state.setup.operations == ()
    drag(panel.dial, (middle[0] + 30, middle[1]), (middle[0] - 30, middle[1] - 34), control)
    assert session.state.plane_degrees == 135.0
    wheel(panel.dial, 1)
    assert session.state.plane_degrees == 140.0
    session.system.choose_dims(3)
    assert [c.text() for c in panel.planes.cells.values()] == ["about x2", "about x1", "about x0"]
    assert not panel.dial.isVisible()
    session.system.choose_dims(1)
    for widget in (panel.dial, panel.planes, panel.angle_row, panel.spin, panel.random, panel.tours):
        assert not widget.isVisible()
    assert panel.one_dimension.isVisible()
    qtbot.mouseClick(panel.reflect, Qt.MouseButton.LeftButton)
    assert session.state.setup.operations[-1] == Reflect(0)
    assert panel.reflect.isChecked()


def test_the_list_of_operations_and_the_clipboard(open_window, qtbot):
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication

    window = open_window(dims=4)
    session, panel = window.session, window.panels["world"]
    assert not panel.operations.isVisible()
    window.actions_by_name["random-rotation"].trigger()
    assert session.state.setup.operations == (RandomTurn(panel.seed.value()),)  # the seed it drew is seen
    session.world.rotate(0, 3, 30.0)
    session.world.reflect()
    assert panel.operations.count() == 3
    panel.operations.setCurrentRow(1)
    qtbot.keyClick(panel.operations, Qt.Key.Key_Delete)
    assert session.state.setup.operations == (RandomTurn(panel.seed.value()), Reflect(0))
    assert "det R -1" in panel.matrix.text()
    R = session.state.result.comparison.rotation
    qtbot.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.reset, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.paste, Qt.MouseButton.LeftButton)
    assert np.allclose(session.state.result.comparison.rotation, R)
    QGuiApplication.clipboard().setText("not a matrix")
    window.actions_by_name["paste-matrix"].trigger()
    assert window.overlays.message.isVisible()
    assert "expected an orthogonal 4 x 4 matrix" in window.overlays.message.text()


def test_the_view_basis_panel(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(dims=5)
    session, panel = window.session, window.panels["basis"]
    window.actions_by_name["panel-basis"].trigger()
    assert panel.isVisible()
    assert "% of the norm visible" in panel.fraction.text()
    qtbot.keyClicks(panel.axes[0], "x4")
    panel.axes[0].activated.emit(panel.axes[0].findText("x4"))
    assert session.state.view.axes == (4, 1, 2)
    panel.hidden.activated.emit(panel.hidden.findText("x3"))
    assert session.state.hidden_axis == 3
    renders = window.viewport.renders
    qtbot.mouseClick(panel.tours.buttons["grand"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.viewport.renders > renders + 3)
    assert session.state.view.basis is not None
    panel.tours.speed.setValue(90)
    assert session.state.touring.speed == 90.0
    qtbot.mouseClick(panel.reset, Qt.MouseButton.LeftButton)
    assert session.state.touring.view == ""
    assert session.state.view.basis is session.state.view.axes is None


def test_the_equivariance_chart_shows_every_source_and_kind(open_window):
    window = open_window(contrast="other")
    window.actions_by_name["panel-equivariance"].trigger()
    chart = window.panels["equivariance"]
    assert chart.isVisible()
    assert len(chart.plot.listDataItems()) == 4  # model, contrast, engine, chaos
    for name in ("egnn-nbody", "other", "engine", "chaos"):
        assert name in chart.names.text()
    before = chart.plot.listDataItems()
    chart.kind.setCurrentText("translation")
    chart.kind.activated.emit(chart.kind.currentIndex())
    assert chart.plot.listDataItems() != before


def test_alt_drag_turns_and_without_alt_it_is_the_camera(open_window, qtbot):
    from PySide6.QtCore import Qt

    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    window = open_window(dims=4)
    session = window.session
    session.clock.toggle_play()
    qtbot.waitUntil(lambda: window.viewport.plotter is not None)
    plotter = window.viewport.plotter
    before = plotter.renderers[0].GetActiveCamera().GetPosition()
    drag(plotter, (100, 100), (160, 100), alt)
    (operation,) = session.state.setup.operations
    assert isinstance(operation, Given)
    assert plotter.renderers[0].GetActiveCamera().GetPosition() == before
    drag(plotter, (100, 100), (160, 100), alt | shift)
    assert session.state.setup.operations == (operation,)
    assert session.state.view.basis is not None
    drag(plotter, (100, 100), (160, 130))
    assert session.state.setup.operations == (operation,)
    qtbot.waitUntil(lambda: plotter.renderers[0].GetActiveCamera().GetPosition() != before)


def test_angles_of_the_dial():
    assert [round(angle_at(*p)) for p in ((1, 0), (0, 1), (-1, 0), (0, -1))] == [0, 90, 180, -90]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_charts_have_their_theme_before_there_is_anything_to_draw(open_window, theme):
    window = open_window(runner=LaterRunner())
    window.session.view.set(theme=theme)
    for name in ("curves", "equivariance"):
        window.docks.bring_up(name)
        window.panels[name].show_state(window.session.state)
    equivariance, curves = window.panels["equivariance"], window.panels["curves"]
    for plot in (equivariance.plot, curves.error.plot, curves.energy.plot):
        assert plot.backgroundBrush().color().name() == THEMES[theme].panel.lower()


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8])
def test_every_plane_has_a_place_of_its_own(n):
    places = [cell_place(n, i, j) for i in range(n) for j in range(i + 1, n)]
    assert len(set(places)) == n * (n - 1) // 2
    rows, columns = (max(axis) + 1 for axis in zip(*places, strict=True))
    assert (rows, columns) == ((n + 1) // 2 if n >= 6 else n - 1, n - 1)  # folded: half as high


def test_panels_share_a_low_column():
    assert fair_shares([100, 200, 300], 900) == [100, 200, 600]
    assert fair_shares([300, 100, 200], 450) == [201, 100, 149]  # the last gives 26 of its 175
    assert fair_shares([230, 221, 228], 656) == [230, 221, 205]
    assert fair_shares([], 0) == []


def test_a_low_window_gives_its_panels_what_they_need(open_window, qtbot):
    """At the smallest supported size the planes of eight dimensions and the angle are seen without scrolling."""
    window = open_window(dims=8)
    window.resize(1024, 700)
    window.session.world.rotate(0, 1, 20.0)
    area = window.docks.docks["world"].area
    panel = window.panels["world"]

    def fits():
        bottom = panel.angle_row.mapTo(area.viewport(), panel.angle_row.rect().bottomLeft()).y()
        system = window.docks.docks["system"].area
        return bottom <= area.viewport().height() and system.wanted_height <= system.viewport().height()

    qtbot.waitUntil(fits)


def test_a_logarithmic_axis_of_a_low_plot():
    axis = LogAxis("left")
    words = axis.logTickStrings([np.log10(k) - 2 for k in range(1, 11)], 1.0, None)
    assert [k + 1 for k, word in enumerate(words) if word] == [1, 2, 5, 10]
