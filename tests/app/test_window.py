"""The real window under Xvfb, driven as a user does: mouse, keys, files dropped; then closed without a trace."""

import multiprocessing
import sys
import time

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.setup import Setup, Turn
from app.viewmodel.work import default_model
from app.views.panels import COMMANDS, PANELS
from tests.app.fakes import LaterRunner, prepared_for
from tests.surrogate.helpers import npz, tiny_arrays

pytestmark = pytest.mark.gui
PATIENCE = 60_000


def pixels(widget) -> np.ndarray:
    """(height, width, 3) uint8 of a widget as it is shown."""
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def press(qtbot, window, key, widget=None, modifier=None) -> None:
    from PySide6.QtCore import Qt

    qtbot.keyClick(widget or window, key, modifier or Qt.KeyboardModifier.NoModifier)


def type_number(qtbot, box, text: str) -> None:
    from PySide6.QtCore import Qt

    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def choose(qtbot, combo, text: str) -> None:
    """Pick an entry of a combo box with the keyboard, as its popup does."""
    from PySide6.QtCore import Qt

    at = next(k for k in range(combo.count()) if text in combo.itemText(k))
    combo.showPopup()
    view = combo.view()
    qtbot.waitUntil(view.isVisible)
    view.setCurrentIndex(combo.model().index(at, 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not view.isVisible())


def settled(qtbot, window) -> None:
    qtbot.waitUntil(
        lambda: window.session.state.prepared is not None and not window.session.state.busy, timeout=PATIENCE
    )


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
    qtbot.waitUntil(lambda: session.state.frame > frame + 3, timeout=5000)
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
    assert session.state.prepared.setup.operations == (Turn(0, 4, 37.5),)
    assert session.state.prepared.comparison.equivariance_error < 1e-4
    assert rotation.angle.value() == 37.5
    assert rotation.slider.value() == 38
    assert "0-4 by 37.5°" in rotation.operations.text()
    assert np.abs(pixels(window.viewport.widget).astype(int) - before).max() > 60
    press(qtbot, window, Qt.Key.Key_Space)
    frame = session.state.frame
    qtbot.waitUntil(lambda: session.state.frame != frame, timeout=5000)
    press(qtbot, window, Qt.Key.Key_Space)

    # another model
    other = next(
        side.model.itemText(k)
        for k in range(side.model.count())
        if side.model.itemText(k) != side.model.currentText()
    )
    choose(qtbot, side.model, other)
    assert session.state.setup.model == other
    settled(qtbot, window)
    assert session.state.prepared.comparison.model_name == other or session.state.message is not None

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
            lambda expected=expected: session.state.message is not None and expected in session.state.message.text,
            timeout=PATIENCE,
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
    qtbot.waitUntil(lambda: session.state.export_progress is None, timeout=PATIENCE)
    names = {p.name for p in folder.iterdir()}
    assert {"comparison.mp4", "comparison.png", "comparison.json", "report.html"} <= names, session.state.message
    assert (folder / "comparison.mp4").stat().st_size > 5000
    assert not window.jobs.progress.isVisible()

    # closes while it plays and works
    session.system.choose_scenario("bound")
    begin = time.monotonic()
    window.close()
    assert time.monotonic() - begin < 2.5
    assert multiprocessing.active_children() == []


def test_closing_during_an_export(open_window, qtbot, tmp_path):
    window = open_window(real=True)
    settled(qtbot, window)
    window.session.clock.toggle_play()  # software OpenGL would take the cores from the export
    folder = tmp_path / "out"
    window.session.export.start(str(folder), ("mp4",))
    qtbot.waitUntil(lambda: (window.session.state.export_progress or 0.0) > 0.0, timeout=PATIENCE)
    begin = time.monotonic()
    window.close()
    assert time.monotonic() - begin < 2.5
    assert multiprocessing.active_children() == []
    assert not folder.exists()


def test_closing_before_the_first_forecast(open_window):
    window = open_window(real=True)
    begin = time.monotonic()
    window.close()
    assert time.monotonic() - begin < 2.5
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


@pytest.mark.parametrize("name", ["dims", "seed", "angle", "model", "scrub", "play"])
def test_keys_work_whatever_has_the_focus(open_window, qtbot, name):
    from PySide6.QtCore import Qt

    window = open_window()
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
    assert session.state.prepared.contrast is not None
    session.view.toggle_help()
    qtbot.mouseClick(window.overlays.help.label, left)
    assert not session.state.view.show_help


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
    session.view.toggle_colour()
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


@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_the_panels_are_seen_in_full_width(open_window, qtbot, size):
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QWidget

    window = open_window(dims=8, contrast="egnn-nbody", operations=(Turn(0, 7, 12.5),))
    window.resize(*size)
    qtbot.waitUntil(lambda: window.width() == size[0])
    for dock in window.docks.docks.values():
        if dock.area is None:
            continue
        inner, seen = dock.area.widget(), dock.area.viewport()
        qtbot.waitUntil(lambda inner=inner, seen=seen: inner.width() <= seen.width())
        for child in inner.findChildren(QWidget):
            if child.isVisible():
                right = child.mapTo(inner, QPoint(child.width(), 0)).x()
                assert right <= seen.width(), (type(child).__name__, child.accessibleName(), right)


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
    qtbot.waitUntil(lambda: "playback stopped" in window.overlays.message.text(), timeout=3000)


def test_a_message_covers_neither_the_read_outs_nor_the_axes(open_window):
    from app.views.overlays import FOOT

    window = open_window(contrast="other")
    for text in ("short", "a much longer message, as of a file that is not there, " * 3):
        window.session.say(text, "error")
        box, host = window.overlays.message.geometry(), window.viewport.widget.rect()
        assert box.bottom() < host.height() - FOOT + 1
        assert box.left() > host.width() / 3
        assert host.contains(box)


@pytest.mark.parametrize("dims", [3, 5])
def test_the_panels_fit_a_small_window(open_window, qtbot, dims):
    window = open_window(contrast="gnn-nbody", dims=dims)
    window.session.world.rotate(0, 2, 45.0)
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() == 1024)
    areas = [dock.area for dock in window.docks.docks.values() if dock.area is not None]
    assert len(areas) >= 3
    qtbot.waitUntil(lambda: all(a.verticalScrollBar().maximum() == 0 for a in areas[:3]), timeout=3000)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_closed_restored_floated_and_put_back(open_window, qtbot, name):
    window = open_window()
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
    qtbot.waitUntil(lambda: [d.y() for d in tops] == sorted({d.y() for d in tops}), timeout=3000)


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


def test_every_seed_fits_its_box(open_window, qtbot):
    from app.viewmodel.intents.system import MAX_SEED

    window = open_window()
    window.session.system.choose_seed(MAX_SEED)
    assert window.panels["system"].seed.value() == MAX_SEED
    assert window.panels["system"].seed.text() == str(MAX_SEED)
    type_number(qtbot, window.panels["system"].seed, str(2**31 + 5))
    assert window.session.state.setup.seed == 2**31 + 5
    assert isinstance(window.session.state.setup.seed, int)


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


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_help_names_every_key_in_the_colours_of_the_theme(open_window, qtbot, theme):
    from surrogate.render.theme import THEMES

    window = open_window()
    window.session.view.set(theme=theme, show_help=True)
    card = window.overlays.help
    text = card.label.text()
    assert THEMES[theme].forecast in text
    assert all(a.title in text for a in COMMANDS.values() if a.shortcut)
    for size in ((1280, 800), (1024, 700)):
        window.resize(*size)
        qtbot.waitUntil(lambda size=size: window.width() == size[0])
        assert window.rect().contains(card.geometry())
        card.verticalScrollBar().setValue(card.verticalScrollBar().maximum())
        assert card.label.visibleRegion().boundingRect().bottom() >= card.label.height() - 2


def test_symlog_keeps_sign_order_and_decades():
    from app.views.charts import SYMLOG_LINEAR, symlog

    values = np.array([-10.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 10.0])
    seen = symlog(values)
    assert (np.diff(seen) > 0).all()
    assert np.allclose(seen, -seen[::-1])
    assert abs(seen[-1] - seen[-2] - 1.0) < SYMLOG_LINEAR


def test_texts_and_badges(open_window):
    runner = LaterRunner()
    window = open_window(runner=runner, contrast="other")
    assert "starting" in window.state_label.text()
    made = prepared_for(window.session.state.setup)
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
    window.recent.aboutToShow.emit()
    assert [a.text() for a in window.recent.actions()] == ["nothing yet"]
    window.session.preferences.add_recent("/some/where.toml")
    window.recent.aboutToShow.emit()
    (action,) = window.recent.actions()
    action.trigger()
    assert window.session.state.setup.scenario == action.text()
