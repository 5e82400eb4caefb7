"""The GL widget of the panes. Importing it loads VTK and PyVista (half a second): only `viewport` does, late."""

from typing import Any

import pyvista as pv
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget
from pyvistaqt import QtInteractor

from app.viewmodel.scene import MAX_PANES


class Plotter(QtInteractor):  # type: ignore[misc]
    """A QtInteractor that leaves the keyboard to the window (VTK grabs q, w, e, r, s)."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()


def made_plotter(parent: QWidget) -> Any:
    """The widget, empty."""
    pv.global_theme.allow_empty_mesh = True
    plotter = Plotter(parent, shape=(1, MAX_PANES), border=False, auto_update=False)
    plotter.setAcceptDrops(False)
    return plotter
