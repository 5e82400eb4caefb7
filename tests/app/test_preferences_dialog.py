"""The preferences dialog: every field is stored at once, works with the keyboard, and can be reset."""

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.preferences import load_preferences
from app.viewmodel.state.preferences import Preferences
from tests.app.fakes import FakeDialogs, prompt_session

CHANGES = {"scenario": "bound-4d", "model": "egnn-nd", "trail": 30, "loop": False, "autosave": False}


@pytest.mark.parametrize("name", CHANGES)
def test_a_field_is_stored_and_reset(name, tmp_path):
    session = prompt_session(folder=tmp_path)
    session.preferences.set(**{name: CHANGES[name]})
    assert getattr(load_preferences(tmp_path)[0], name) == CHANGES[name]
    session.preferences.reset()
    assert load_preferences(tmp_path)[0] == Preferences()


def test_the_action_asks_for_the_dialog():
    dialogs = FakeDialogs()
    ACTIONS["preferences"].run(prompt_session(), dialogs)
    assert dialogs.dialogs == ["preferences"]


@pytest.mark.gui
def test_the_dialog_with_the_keyboard(open_window, own_config, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(folder=own_config)
    window.actions_by_name["preferences"].trigger()
    dialog = window.preferences_dialog
    qtbot.waitUntil(lambda: dialog.isVisible() and dialog.theme.hasFocus())
    qtbot.keyClick(dialog.theme, Qt.Key.Key_Down)
    assert window.session.state.view.theme == "light"
    assert load_preferences(own_config)[0].theme == "light"
    for widget in (dialog.scenario, dialog.model, dialog.trail, dialog.loop, dialog.autosave):
        focus = dialog.focusWidget()
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
        assert dialog.focusWidget() is widget
    qtbot.keyClick(dialog.autosave, Qt.Key.Key_Space)
    assert not load_preferences(own_config)[0].autosave
    assert window.session.state.playback.playing  # the space did not reach the clock
    dialog.trail.setValue(15)
    assert window.session.state.view.trail == 15
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    assert dialog.autosave.isChecked()
    assert (dialog.theme.currentText(), dialog.trail.value()) == ("Dark", Preferences().trail)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
