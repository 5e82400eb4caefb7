"""Docks at the real window: closed, floated, shared, put back and remembered; seen whole where it is small."""

import pytest

from app.viewmodel.state.setup import Turn
from app.views.panels import PANELS

pytestmark = pytest.mark.gui


def test_the_panels_are_seen_in_full_width(open_window, qtbot):
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QWidget

    window = open_window(dims=8, contrast="egnn-nbody", operations=(Turn(0, 7, 12.5),))
    areas = [dock.area for dock in window.docks.docks.values() if dock.area is not None]
    for size in ((1280, 800), (1024, 700)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: window.width() == size[0])
        for area in areas:
            inner, seen = area.widget(), area.viewport()
            qtbot.waitUntil(lambda inner=inner, seen=seen: inner.width() <= seen.width())
            for child in inner.findChildren(QWidget):
                if child.isVisible():
                    right = child.mapTo(inner, QPoint(child.width(), 0)).x()
                    assert right <= seen.width(), (size, type(child).__name__, child.accessibleName(), right)


def test_the_panels_fit_a_small_window(open_window, qtbot):
    """In three dimensions; of more, what must be seen is in test_rotation_panel.py."""
    window = open_window(contrast="gnn-nbody")
    window.session.world.rotate(0, 2, 45.0)
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() == 1024)
    docks = window.docks.docks
    qtbot.waitUntil(lambda: docks["readouts"].height() > 120)  # the column has been shared out
    qtbot.wait(50)
    assert [docks[name].area.verticalScrollBar().maximum() for name in ("system", "world", "basis")] == [0, 0, 0]


def test_every_panel_is_closed_restored_floated_and_put_back(open_window, qtbot):
    window = open_window()
    for name in PANELS:
        close_restore_float_and_put_back(window, qtbot, name)


def close_restore_float_and_put_back(window, qtbot, name):
    dock, action = window.docks.docks[name], window.actions_by_name[f"panel-{name}"]
    assert action.isChecked() == dock.isVisible() == PANELS[name].shown
    dock.show()
    dock.close()
    assert not action.isChecked()
    window.session.world.rotate(0, 1, 5.0)  # nothing is drawn in it meanwhile
    action.trigger()
    assert dock.isVisible()
    assert action.isChecked()
    dock.setFloating(True)
    window.session.world.rotate(0, 1, 5.0)
    window.actions_by_name["reset-layout"].trigger()
    assert not dock.isFloating()
    assert dock.isVisible() == PANELS[name].shown
    assert window.dockWidgetArea(dock) == PANELS[name].area
    column = [n for n, p in PANELS.items() if p.area == PANELS[name].area and p.shown and not p.tab_with]
    tops = [window.docks.docks[n] for n in column]
    qtbot.waitUntil(lambda: [d.y() for d in tops] == sorted({d.y() for d in tops}))


def test_a_restored_panel_shows_what_it_missed(open_window):
    window = open_window()
    window.docks.docks["world"].close()
    window.session.world.rotate(0, 1, 33.0)
    window.actions_by_name["panel-world"].trigger()
    assert "0-1 by 33°" in window.panels["world"].operations.text()


def test_panels_may_share_a_place(open_window):
    window = open_window()
    docks = window.docks.docks
    window.tabifyDockWidget(docks["system"], docks["world"])
    docks["system"].raise_()
    window.session.world.rotate(0, 1, 33.0)
    window.docks.toggle("world")  # behind the other: comes to the front instead of closing
    assert docks["world"].isVisible()
    assert "33°" in window.panels["world"].operations.text()
    window.resize(1024, 700)
    window.session.view.toggle_theme()
    window.actions_by_name["reset-layout"].trigger()
    assert window.tabifiedDockWidgets(docks["world"]) == [docks["basis"]]


def test_the_layout_is_remembered(open_window, own_config, qtbot):
    window = open_window(folder=own_config)
    window.docks.docks["curves"].close()
    window.resize(1100, 720)
    qtbot.waitUntil(lambda: window.width() == 1100)
    window.session.view.toggle_theme()
    window.close()
    again = open_window(folder=own_config)
    assert not again.docks.docks["curves"].isVisible()
    assert (again.width(), again.height()) == (1100, 720)
    assert again.session.state.view.theme == "light"
    again.session.preferences.set(layout="no layout", geometry="no geometry")
    again.close()
    assert open_window(folder=own_config).docks.docks["system"].isVisible()


def test_a_layout_that_says_nothing_is_the_default(open_window):
    window = open_window()
    window.docks.docks["system"].close()
    window.docks.use_layout("%%%")
    assert window.docks.docks["system"].isVisible()
