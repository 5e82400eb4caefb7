"""What a user does at a window, for the tests that open one: keys, numbers typed, entries chosen, and a look."""

import numpy as np


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
    qtbot.waitUntil(lambda: window.session.state.result is not None and not window.session.state.busy)
