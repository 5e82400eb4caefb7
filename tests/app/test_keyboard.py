"""Keys at the real window, whatever has the focus; the command palette and the menus."""

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.state.setup import Turn
from app.views.panels import COMMANDS
from tests.app.gestures import press, type_number

pytestmark = pytest.mark.gui


def test_keys(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window()
    session = window.session
    key, shift, control = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    assert not window.overlays.help.isVisible()
    press(qtbot, window, key.Key_H)
    assert window.overlays.help.isVisible()
    press(qtbot, window, key.Key_Escape)
    assert not window.overlays.help.isVisible()
    press(qtbot, window, key.Key_C)
    assert session.state.view.colour_by == "error"
    assert window.actions_by_name["colour"].isChecked()
    press(qtbot, window, key.Key_K)
    assert session.state.view.show_rollout
    press(qtbot, window, key.Key_L, modifier=control)
    assert session.state.view.theme == "light"
    press(qtbot, window, key.Key_Right)
    assert not session.state.playback.playing
    frame = session.state.frame
    press(qtbot, window, key.Key_Right)
    assert session.state.frame == frame + 1
    press(qtbot, window, key.Key_Left)
    assert session.state.frame == frame
    press(qtbot, window, key.Key_Home)
    assert session.state.frame == 0
    press(qtbot, window, key.Key_BracketRight)
    assert session.state.playback.speed == 2.0
    assert window.timeline.speed.currentText() == "2×"
    press(qtbot, window, key.Key_R)
    press(qtbot, window, key.Key_P)
    press(qtbot, window, key.Key_R, modifier=shift)
    assert session.state.setup.operations == (Turn(0, 1, 15.0), Turn(0, 2, -15.0))
    press(qtbot, window, key.Key_Z, modifier=control)
    assert session.state.setup.operations == (Turn(0, 1, 15.0),)
    press(qtbot, window, key.Key_0)
    assert session.state.setup.operations == ()


def test_keys_work_whatever_has_the_focus(open_window, qtbot):
    window = open_window()
    for name in ("dims", "seed", "angle", "model", "scrub", "play"):
        press_keys_at(window, qtbot, name)


def press_keys_at(window, qtbot, name):
    from PySide6.QtCore import Qt

    session = window.session
    widget = next(
        getattr(place, name) for place in (*window.panels.values(), window.timeline) if hasattr(place, name)
    )
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    playing = session.state.playback.playing
    press(qtbot, window, Qt.Key.Key_Space, widget)
    assert session.state.playback.playing != playing
    press(qtbot, window, Qt.Key.Key_H, widget)
    assert session.state.view.show_help
    press(qtbot, window, Qt.Key.Key_H, widget)
    assert not session.state.view.show_help
    if name in ("dims", "seed", "angle"):
        type_number(qtbot, widget, "4")
        qtbot.waitUntil(lambda: not widget.hasFocus())
    focus = window.focusWidget() or window
    session.clock.seek(5)
    press(qtbot, window, Qt.Key.Key_Right, focus if focus.hasFocus() else window)
    assert session.state.frame == 6


def test_a_number_can_be_typed_while_it_plays(open_window, qtbot):
    window = open_window()
    assert window.session.state.playback.playing
    box = window.panels["system"].seed
    box.setFocus()
    box.selectAll()
    for digit in "123":
        qtbot.keyClicks(box, digit)
        qtbot.wait(80)  # the clock ticks on, and every tick draws the state
    assert box.text() == "123"
    from PySide6.QtCore import Qt

    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert window.session.state.setup.seed == 123


def test_the_palette_with_the_keyboard_alone(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window()
    card, key = window.palette_card, Qt.Key
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    window.session.view.set(show_help=False)
    press(qtbot, window, key.Key_P, modifier=both)
    qtbot.waitUntil(lambda: card.isVisible() and card.query.hasFocus())
    qtbot.keyClicks(card.query, "random rot")  # no letter of it is a shortcut meanwhile
    assert window.session.state.setup.operations == ()
    press(qtbot, window, key.Key_Return, card.query)
    assert not card.isVisible()
    assert str(window.session.state.setup.operations[0]).startswith("random")
    press(qtbot, window, key.Key_P, modifier=both)
    press(qtbot, window, key.Key_Down, card.query)
    press(qtbot, window, key.Key_Down, card.query)
    assert card.list.currentRow() == 2
    press(qtbot, window, key.Key_Up, card.query)
    assert card.list.currentRow() == 1
    qtbot.keyClicks(card.query, "zzzz")
    assert card.list.count() == 0
    press(qtbot, window, key.Key_Return, card.query)
    assert not card.isVisible()
    press(qtbot, window, key.Key_P, modifier=both)
    press(qtbot, window, key.Key_Escape, card.query)
    assert not card.isVisible()
    window.actions_by_name["palette"].trigger()
    qtbot.keyClicks(card.query, "speed 4")
    press(qtbot, window, key.Key_Return, card.query)
    assert window.session.state.playback.speed == 4.0


def test_every_command_is_in_the_menus_and_says_its_key(open_window):
    from app.views.toolbar import TOOLBAR

    window = open_window()
    listed = [
        a for m in window.menuBar().actions() for a in m.menu().actions() if not a.isSeparator() and not a.menu()
    ]
    assert [a.text() for a in listed] == [
        c.title for g in dict.fromkeys(c.group for c in ACTIONS.values())
        for c in COMMANDS.values() if c.group == g or (g == "View" and c.group == "Panels")
    ]  # fmt: skip
    for name, command in COMMANDS.items():
        assert command.shortcut in window.actions_by_name[name].toolTip()
    assert {name for name, _ in TOOLBAR if name} <= set(COMMANDS)
    assert all(not window.actions_by_name[name].icon().isNull() for name, _ in TOOLBAR if name)
