"""What is shown at the real window and what the mouse does there: panels, messages, tips, the help, badges."""

import numpy as np
import pytest

from app.viewmodel.state.setup import Turn
from app.views.panels import COMMANDS
from tests.app.fakes import LaterRunner, result_for
from tests.app.gestures import choose, type_number

pytestmark = pytest.mark.gui


def test_mouse_on_the_panels(open_window, qtbot):
    from PySide6.QtCore import Qt

    window = open_window(dims=4)
    session, left = window.session, Qt.MouseButton.LeftButton
    rotation = window.panels["world"]
    qtbot.mouseClick(rotation.plane_button(1, 3), left)
    rotation.slider.setValue(40)
    assert session.state.setup.operations == (Turn(1, 3, 40.0),)
    assert rotation.angle.value() == 40.0
    qtbot.mouseClick(rotation.reflect, left)
    assert "reflect x1" in rotation.operations.text()
    assert "det R -1" in rotation.matrix.text()
    qtbot.mouseClick(rotation.reset, left)
    rotation.seed.setValue(11)
    qtbot.mouseClick(rotation.random, left)
    assert "random 11" in rotation.operations.text()
    qtbot.mouseClick(window.panels["system"].plus, left)
    assert session.state.n_dims == 5
    qtbot.waitUntil(rotation.plane_button(3, 4).isVisible)
    qtbot.mouseClick(window.panels["system"].clamped, left)
    assert session.state.setup.clamped
    qtbot.mouseClick(window.timeline.play, left)
    assert not session.state.playback.playing
    qtbot.mouseClick(window.timeline.forward, left)
    window.timeline.scrub.setValue(9)
    assert session.state.frame == 9
    choose(qtbot, window.timeline.speed, "0.5")
    assert session.state.playback.speed == 0.5
    choose(qtbot, window.panels["system"].scenario, window.panels["system"].scenario.itemText(2))
    assert session.state.setup.scenario == window.panels["system"].scenario.itemData(2)
    choose(qtbot, window.panels["system"].contrast, "egnn-nbody")
    assert session.state.result.contrast is not None
    session.view.toggle_help()
    qtbot.mouseClick(window.overlays.help.label, left)
    assert not session.state.view.show_help


def test_every_seed_fits_its_box(open_window, qtbot):
    from app.viewmodel.state.setup import MAX_SEED

    window = open_window()
    window.session.system.choose_seed(MAX_SEED)
    assert window.panels["system"].seed.value() == MAX_SEED
    assert window.panels["system"].seed.text() == str(MAX_SEED)
    type_number(qtbot, window.panels["system"].seed, str(2**31 + 5))
    assert window.session.state.setup.seed == 2**31 + 5
    assert isinstance(window.session.state.setup.seed, int)


def test_texts_and_badges(open_window):
    runner = LaterRunner()
    window = open_window(runner=runner, contrast="other")
    assert "starting" in window.state_label.text()
    made = result_for(window.session.state.setup)
    comparison = made.comparison
    outside = type(comparison)(**{**vars(comparison), "outside_training": ("law reference",)})
    runner.finish(
        comparison=outside, advice="python -m surrogate.train", contrast=None, contrast_note="n = 3 only"
    )
    assert window.panels["system"].badge.text() == "law not learned: law reference\nno second model: n = 3 only"
    assert "python -m surrogate.train" in window.panels["system"].command.text()
    assert "N = 5" in window.state_label.text()
    window.session.system.choose_seed(4)
    assert "working" in window.state_label.text()
    runner.finish()
    assert not window.panels["system"].badge.isVisible()


def test_symlog_keeps_sign_order_and_decades():
    from app.views.charts import SYMLOG_LINEAR, symlog

    values = np.array([-10.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 10.0])
    seen = symlog(values)
    assert (np.diff(seen) > 0).all()
    assert np.allclose(seen, -seen[::-1])
    assert abs(seen[-1] - seen[-2] - 1.0) < SYMLOG_LINEAR


def test_errors_show_in_the_window_and_nothing_is_raised_in_a_slot(open_window, qtbot, monkeypatch):
    runner = LaterRunner()
    window = open_window(runner=runner)
    session = window.session
    runner.fail("the model is broken")
    assert window.overlays.message.isVisible()
    assert window.overlays.message.text() == "the model is broken"
    session.dismiss()
    assert not window.overlays.message.isVisible()
    session.system.choose_seed(1)
    runner.finish()
    monkeypatch.setattr(session.world, "random", lambda seed: 1 / 0)
    window.actions_by_name["random-rotation"].trigger()
    assert "ZeroDivisionError" in window.overlays.message.text()
    monkeypatch.setattr(session.clock, "tick", lambda seconds: 1 / 0)
    qtbot.waitUntil(lambda: "playback stopped" in window.overlays.message.text())


def test_a_message_covers_neither_the_read_outs_nor_the_axes(open_window):
    from app.views.overlays import FOOT

    window = open_window(contrast="other")
    for text in ("short", "a much longer message, as of a file that is not there, " * 3):
        window.session.say(text, "error")
        box, host = window.overlays.message.geometry(), window.viewport.widget.rect()
        assert box.bottom() < host.height() - FOOT + 1
        assert box.left() > host.width() / 3
        assert host.contains(box)


def test_tips_have_the_whole_words_of_a_narrow_pane(open_window, qtbot):
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QHelpEvent
    from PySide6.QtWidgets import QApplication, QToolTip

    window = open_window(contrast="gnn-nbody")
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    host = window.viewport.widget
    place = QPoint(host.width() - 30, 40)
    QApplication.sendEvent(host, QHelpEvent(QHelpEvent.Type.ToolTip, place, host.mapToGlobal(place)))
    assert "gnn-nbody" in QToolTip.text()
    assert window.mouse.tip(5, 40).startswith("Ground truth")
    QToolTip.hideText()


def test_the_help_names_every_key_in_the_colours_of_the_theme(open_window, qtbot):
    from surrogate.render.theme import THEMES

    window = open_window()
    card = window.overlays.help
    for theme in ("dark", "light"):
        window.session.view.set(theme=theme, show_help=True)
        text = card.label.text()
        assert THEMES[theme].forecast in text
        assert all(a.title in text for a in COMMANDS.values() if a.shortcut)
    for size in ((1280, 800), (1024, 700)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: window.width() == size[0])
        assert window.rect().contains(card.geometry())
        card.verticalScrollBar().setValue(card.verticalScrollBar().maximum())
        assert card.label.visibleRegion().boundingRect().bottom() >= card.label.height() - 2
