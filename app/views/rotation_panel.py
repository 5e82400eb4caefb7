"""The world rotation: every plane of n dimensions, an exact angle, what was applied, tours, and the matrix."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.actions import ACTIONS
from app.viewmodel.session import Session
from app.viewmodel.state.matrices import off_orthogonal
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.setup import Operation, RandomTurn
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.dial import Dial
from app.views.host import main_window_of
from app.views.plane_matrix import PlaneMatrix
from app.views.tour_controls import TourControls

ONE_DIMENSION = "One dimension has no plane to turn in: O(1) is the reflection alone."
LIST_ROWS = 3


class OperationList(QListWidget):
    """What was applied, in order; Del or a double click takes one out."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[str, ...] | None = None
        self.setObjectName("operations")
        self.setAccessibleName("rotations applied, first to last")
        self.setToolTip("What was applied to the world, first to last. Del or a double click takes one out")
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.itemDoubleClicked.connect(lambda item: session.world.remove(self.row(item)))

    def text(self) -> str:
        """All of it in a line."""
        return ", then ".join(self._shown or ())

    def show_operations(self, operations: tuple[Operation, ...]) -> None:
        """Draw the list."""
        texts = tuple(map(str, operations))
        if texts == self._shown:
            return
        if self._shown and len(self._shown) == len(texts):
            for k, text in enumerate(texts):
                self.item(k).setText(f"{k + 1}.  {text}")
        else:
            chosen = self.currentRow()
            self.clear()
            self.addItems([f"{k}.  {text}" for k, text in enumerate(texts, 1)])
            self.setCurrentRow(min(chosen, len(texts) - 1))
            self.scrollToBottom()
        self._shown = texts
        rows = min(max(len(texts), 1), LIST_ROWS)
        self.setFixedHeight(rows * (self.fontMetrics().height() + 5) + 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Del takes the chosen one out."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._session.world.remove(self.currentRow())
        else:
            super().keyPressEvent(event)


class RotationPanel(QWidget):
    """Plane matrix or dial, angle, buttons, tours, list of operations, matrix."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._n_dims = 0
        self.planes, self.dial = PlaneMatrix(session), Dial(session)
        self.one_dimension = ui.label(ONE_DIMENSION, wraps=True)
        self.angle_row = self._build_angle()
        buttons = self._build_buttons()
        kinds = ("grand", "little", "radial")
        running = lambda state: state.touring.world  # noqa: E731
        self.tours = TourControls(session, kinds, "World rotation", session.tours.toggle_world, running)
        self.operations = OperationList(session)
        ui.filled(
            QVBoxLayout(self),
            self.planes,
            self.dial,
            self.one_dimension,
            self.angle_row,
            buttons,
            self.tours,
            self.operations,
            self._build_matrix(),
            spacing=6,
        )

    def _build_angle(self) -> QWidget:
        world = self._session.world
        self.slider = ui.number(
            QSlider(Qt.Orientation.Horizontal), "angle in the selected plane", -180, 180, self._slide
        )
        self.angle = ui.number(QDoubleSpinBox(), "exact angle in degrees", -360, 360, world.set_angle)
        self.angle.setDecimals(2)
        self.angle.setSuffix("°")
        self.angle.setSingleStep(5.0)
        self.angle.setFixedWidth(92)
        self._sliding = False
        self.slider.sliderReleased.connect(self._slid)
        made = QWidget()
        ui.filled(QHBoxLayout(made), (self.slider, 1), self.angle)
        return made

    def _slide(self, value: int) -> None:
        """Turn along with the slider; a whole drag is one undo step."""
        begins = not self._sliding
        self._sliding = self.slider.isSliderDown()
        self._session.world.turn_to(float(value), begins=begins)

    def _slid(self) -> None:
        self._sliding = False

    def _build_buttons(self) -> QHBoxLayout:
        world = self._session.world
        tip = "A Haar-random rotation with this seed (X draws a new seed)"
        self.random = ui.button("Random", tip, lambda: world.random(self.seed.value()))
        tip = "Seed of the random rotation"
        self.seed = ui.number(QSpinBox(), "seed of the random rotation", 0, 9999, tip=tip, width=0)
        tip = "Change the sign of the first axis of the selected plane (M); lit for det R = -1"
        self.reflect = ui.button("Reflect", tip, world.reflect, checkable=True)
        tip = "Keep turning in the selected plane: 0 to 360 degrees, again and again (S)"
        self.spin = ui.button("Spin", tip, world.toggle_spin, checkable=True)
        self.reset = ui.button("Reset", "No rotation (0)", world.reset)
        return ui.row((self.spin, 1), (self.reflect, 1), (self.random, 1), self.seed, (self.reset, 1), spacing=4)

    def _build_matrix(self) -> QHBoxLayout:
        self.matrix = ui.label(tip="Determinant of the world rotation R, and how far R is from orthogonal")
        self.copy = ui.button("Copy R", ACTIONS["copy-matrix"].help, lambda: self._run("copy-matrix"))
        tip = f"{ACTIONS['paste-matrix'].help} ({ACTIONS['paste-matrix'].shortcut})"
        self.paste = ui.button("Paste R", tip, lambda: self._run("paste-matrix"))
        return ui.row((self.matrix, 1), self.copy, self.paste, spacing=4)

    def _run(self, action: str) -> None:
        ACTIONS[action].run(self._session, main_window_of(self))

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.shown is not None and state.n_dims != self._n_dims:
            self._rebuild(state.n_dims)
        self.planes.show_plane(state.plane)
        degrees = state.plane_degrees
        self.dial.show_angle(degrees, state.view.theme)
        with QSignalBlocker(self.slider), QSignalBlocker(self.angle):
            if not self.slider.isSliderDown():
                self.slider.setValue(round(degrees))
            if not self.angle.hasFocus() or abs(self.angle.value() - degrees) > 1e-9:
                self.angle.setValue(degrees)
        self.spin.setChecked(state.spinning)
        operations = state.setup.operations
        if operations and isinstance(operations[-1], RandomTurn) and not self.seed.hasFocus():
            self.seed.setValue(operations[-1].seed)
        self.operations.setVisible(bool(operations))
        self.operations.show_operations(operations)
        self.tours.show_state(state)
        self.matrix.setText(matrix_text(state.shown))
        mirrored = state.shown is not None and np.linalg.det(state.shown.rotation) < 0
        self.reflect.setChecked(bool(mirrored))

    def _rebuild(self, n_dims: int) -> None:
        self._n_dims = n_dims
        self.planes.rebuild(n_dims)
        self.planes.setVisible(n_dims > 2)
        self.dial.setVisible(n_dims == 2)
        self.one_dimension.setVisible(n_dims == 1)
        self.angle_row.setVisible(n_dims > 1)
        self.tours.setVisible(n_dims > 1)
        for widget in (self.spin, self.random, self.seed):
            widget.setVisible(n_dims > 1)

    def plane_button(self, i: int, j: int) -> QPushButton:
        """The cell of a plane."""
        return self.planes.cells[i, j]


def matrix_text(shown: ComparisonResult | SampleResult | None) -> str:
    """Determinant and orthogonality of the rotation that is shown."""
    if shown is None:
        return ""
    return f"det R {np.linalg.det(shown.rotation):+.0f}   |RᵀR - I| {off_orthogonal(shown.rotation):.0e}"
