"""The window that a panel belongs to."""

from typing import Any

from PySide6.QtWidgets import QWidget


def main_window_of(panel: QWidget) -> Any:
    """The main window, which has the dialogs; also where the panel's dock floats and is a window itself."""
    window = panel.window()
    return window.parentWidget() or window
