"""The world rotation: every plane of n dimensions, an exact angle, what was applied, tours, and the matrix."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
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
from app.viewmodel.state.setup import Operation, RandomTurn
from app.viewmodel.state.view_state import ViewState
from app.views.dial import Dial
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
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self.planes = PlaneMatrix(session)
        self.dial = Dial(session)
        self.one_dimension = QLabel(ONE_DIMENSION)
        self.one_dimension.setObjectName("muted")
        self.one_dimension.setWordWrap(True)
        for widget in (self.planes, self.dial, self.one_dimension):
            self._layout.addWidget(widget)
        self._build_angle()
        self._build_buttons()
        kinds = ("grand", "little", "radial")
        self.tours = TourControls(session, kinds, "World rotation", session.tours.toggle_world, _running)
        self._layout.addWidget(self.tours)
        self.operations = OperationList(session)
        self._layout.addWidget(self.operations)
        self._build_matrix()

    def _build_angle(self) -> None:
        session = self._session
        self.angle_row = QWidget()
        row = QHBoxLayout(self.angle_row)
        row.setContentsMargins(0, 0, 0, 0)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-180, 180)
        self.slider.setAccessibleName("angle in the selected plane")
        self.angle = QDoubleSpinBox()
        self.angle.setRange(-360.0, 360.0)
        self.angle.setDecimals(2)
        self.angle.setSuffix("°")
        self.angle.setSingleStep(5.0)
        self.angle.setKeyboardTracking(False)
        self.angle.setAccessibleName("exact angle in degrees")
        self.angle.setFixedWidth(92)
        self._sliding = False
        self.slider.sliderReleased.connect(self._slid)
        self.slider.valueChanged.connect(self._slide)
        self.angle.valueChanged.connect(lambda value: session.world.set_angle(float(value)))
        row.addWidget(self.slider, 1)
        row.addWidget(self.angle)
        self._layout.addWidget(self.angle_row)

    def _slide(self, value: int) -> None:
        """Turn along with the slider; a whole drag is one undo step."""
        begins = not self._sliding
        self._sliding = self.slider.isSliderDown()
        self._session.world.turn_to(float(value), begins=begins)

    def _slid(self) -> None:
        self._sliding = False

    def _build_buttons(self) -> None:
        session = self._session
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        self.random = QPushButton("Random")
        self.random.setToolTip("A Haar-random rotation with this seed (X draws a new seed)")
        self.seed = QSpinBox()
        self.seed.setRange(0, 9999)
        self.seed.setToolTip("Seed of the random rotation")
        self.seed.setAccessibleName("seed of the random rotation")
        self.reflect = QPushButton("Reflect")
        self.reflect.setCheckable(True)
        self.reflect.setToolTip("Change the sign of the first axis of the selected plane (M); lit for det R = -1")
        self.spin = QPushButton("Spin")
        self.spin.setCheckable(True)
        self.spin.setToolTip("Keep turning in the selected plane: 0 to 360 degrees, again and again (S)")
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("No rotation (0)")
        self.random.clicked.connect(lambda: session.world.random(self.seed.value()))
        self.reflect.clicked.connect(session.world.reflect)
        self.spin.clicked.connect(session.world.toggle_spin)
        self.reset.clicked.connect(session.world.reset)
        for button in (self.spin, self.reflect, self.random, self.seed, self.reset):
            if isinstance(button, QPushButton):
                button.setProperty("small", True)
            buttons.addWidget(button, 0 if button is self.seed else 1)
        self._layout.addLayout(buttons)

    def _build_matrix(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        self.matrix = QLabel()
        self.matrix.setObjectName("muted")
        self.matrix.setToolTip("Determinant of the world rotation R, and how far R is from orthogonal")
        row.addWidget(self.matrix, 1)
        self.copy, self.paste = QPushButton("Copy R"), QPushButton("Paste R")
        self.copy.setToolTip(ACTIONS["copy-matrix"].help)
        self.paste.setToolTip(f"{ACTIONS['paste-matrix'].help} ({ACTIONS['paste-matrix'].shortcut})")
        self.copy.clicked.connect(self._copy)
        self.paste.clicked.connect(lambda: self._session.world.paste(QGuiApplication.clipboard().text()))
        for button in (self.copy, self.paste):
            button.setProperty("small", True)
            row.addWidget(button)
        self._layout.addLayout(row)

    def _copy(self) -> None:
        result = self._session.state.result
        if result is not None:
            QGuiApplication.clipboard().setText(repr(result.comparison.rotation.tolist()))
            self._session.say("the world rotation matrix is on the clipboard")

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.result is not None and state.n_dims != self._n_dims:
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
        self.matrix.setText(matrix_text(state.result))
        mirrored = state.result is not None and np.linalg.det(state.result.comparison.rotation) < 0
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


def _running(state: ViewState) -> str:
    return state.touring.world


def matrix_text(result: ComparisonResult | None) -> str:
    """Determinant and orthogonality of the rotation that is shown."""
    if result is None:
        return ""
    matrix = result.comparison.rotation
    return f"det R {np.linalg.det(matrix):+.0f}   |RᵀR - I| {off_orthogonal(matrix):.0e}"
