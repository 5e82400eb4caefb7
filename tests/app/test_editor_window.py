"""The panels for models, scenes, data and training in the real window: once through, with mouse and keyboard."""

import pytest

from tests.app.gestures import choose, press, settled, type_number
from tests.app.test_training import TINY
from tests.surrogate.helpers import npz, tiny_arrays

pytestmark = pytest.mark.gui


def click(qtbot, button) -> None:
    from PySide6.QtCore import Qt

    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def cell(qtbot, table, row: int, column: int, text: str) -> None:
    """Type into a cell as a user does."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QLineEdit

    table.setCurrentCell(row, column)
    table.editItem(table.item(row, column))
    editor = table.findChildren(QLineEdit)[-1]  # the one of an earlier cell may wait for its deletion
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.item(row, column).text() == text)  # it is taken in a turn of its own


def test_models_scene_data_and_training(open_window, qtbot, tmp_path):
    from PySide6.QtCore import Qt

    window = open_window(real=True, model="egnn-nd")
    session, panels = window.session, window.panels
    settled(qtbot, window)
    press(qtbot, window, Qt.Key.Key_H)
    press(qtbot, window, Qt.Key.Key_Space)  # software OpenGL would take a core from the measurements
    assert not session.state.playback.playing

    # every model is measured; a click on a row forecasts with it; it spends what it is told
    press(qtbot, window, Qt.Key.Key_M, modifier=Qt.KeyboardModifier.ControlModifier)
    models = panels["models"]
    qtbot.waitUntil(models.isVisible)
    qtbot.waitUntil(lambda: bool(session.state.models.rows))
    assert models.cancel.isVisible()  # rows come one by one
    qtbot.waitUntil(lambda: session.state.models.progress is None)
    names = [models.table.item(k, 0).text() for k in range(models.table.rowCount())]
    at = names.index("integrator-nd")
    assert all(models.table.item(at, k).text() for k in range(models.table.columnCount()))
    models.table.cellClicked.emit(at, 0)
    settled(qtbot, window)
    assert session.state.setup.model == "integrator-nd"
    type_number(qtbot, models.first.rounds, "4")
    settled(qtbot, window)
    assert session.state.result.comparison.model_name == "integrator-nd (4 rounds)"
    choose(qtbot, models.second.model, "egnn-nbody")
    settled(qtbot, window)
    assert session.state.result.contrast.model_name == "egnn-nbody"
    assert not models.second.rounds.isEnabled()  # it cannot choose

    # the scene: a wrong number stays in its cell, a right one is simulated when applied, and undone
    press(qtbot, window, Qt.Key.Key_I, modifier=Qt.KeyboardModifier.ControlModifier)
    scene = panels["scene"]
    qtbot.waitUntil(scene.isVisible)
    assert scene.table.rowCount() == 5
    cell(qtbot, scene.table, 0, 2, "one")
    assert scene.table.item(0, 2).text() == "one"
    assert "not a number" in scene.trouble.text()
    assert not scene.apply.isEnabled()
    cell(qtbot, scene.table, 0, 2, "0.25")
    assert scene.trouble.text() == "not applied yet"
    frame, turned = session.state.frame, session.state.setup.operations
    session.clock.seek(frame)
    scene.table.setFocus()
    scene.table.setCurrentCell(1, 3)
    press(qtbot, window, Qt.Key.Key_Right, scene.table)
    assert scene.table.currentColumn() == 4  # an arrow moves in the table, not the clock
    assert (session.state.frame, session.state.setup.operations) == (frame, turned)
    before = session.state.setup
    click(qtbot, scene.apply)
    settled(qtbot, window)
    assert session.state.setup.own.positions[0][0] == 0.25
    assert session.state.result.comparison.truth.system.n_particles == 5
    assert panels["system"].scenario.currentText() == "Bound charges (edited)"
    assert not scene.apply.isEnabled()
    window.actions_by_name["undo"].trigger()
    settled(qtbot, window)
    assert session.state.setup == before

    # data: sorted by the error of this model, the worst is the next
    data = npz(tmp_path / "data.npz", tiny_arrays(samples=12, frames=6, particles=3))
    session.files.open(str(data))
    qtbot.waitUntil(lambda: bool(session.state.setup.data))
    settled(qtbot, window)
    window.actions_by_name["panel-data"].trigger()
    browser = panels["data"]
    qtbot.waitUntil(browser.isVisible)
    click(qtbot, browser.sort)
    qtbot.waitUntil(lambda: len(session.state.browser.errors) == 12)
    qtbot.waitUntil(lambda: session.state.browser.progress is None)
    order = [index for index, _ in session.state.browser.errors]
    click(qtbot, browser.next)
    settled(qtbot, window)
    assert session.state.setup.index == order[(order.index(0) + 1) % 12]
    assert "rank" in browser.standing.text()

    # a training shows its curve while the window plays, is stopped, and its model forecasts
    press(qtbot, window, Qt.Key.Key_Space)
    assert session.state.playback.playing
    (tmp_path / "tiny.toml").write_text(TINY)
    window.actions_by_name["train"].trigger()
    train = panels["train"]
    qtbot.waitUntil(train.isVisible)
    session.training.set(
        preset="", data=str(data), config=str(tmp_path / "tiny.toml"), out=str(tmp_path / "run"), epochs=5000
    )
    click(qtbot, train.train)
    qtbot.waitUntil(lambda: len(session.state.training.report.rows) > 1)
    assert train.plot.listDataItems()
    assert window.longest_tick < 1.0
    click(qtbot, train.stop)
    qtbot.waitUntil(lambda: session.state.training.status == "stopped")
    click(qtbot, train.use)
    settled(qtbot, window)
    assert session.state.result.comparison.model_name == "run"
    click(qtbot, train.resume)
    qtbot.waitUntil(lambda: session.state.training.status == "training")
    window.close()  # while it trains: nothing is left running (the fixture looks), its state is kept
    assert (tmp_path / "run" / "latest").is_dir()


def test_the_dialogs_of_a_floating_panel(open_window, qtbot, monkeypatch, tmp_path):
    """A floating dock is a window itself, but the dialogs are the main window's."""
    from PySide6.QtWidgets import QFileDialog

    window = open_window()
    window.docks.bring_up("train")
    window.docks.docks["train"].setFloating(True)
    panel = window.panels["train"]
    assert panel.window() is not window
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    panel.choose.click()
    assert window.session.state.training.plan.out == str(tmp_path / "mine")
    window.docks.docks["train"].setFloating(False)
    panel.choose.click()
