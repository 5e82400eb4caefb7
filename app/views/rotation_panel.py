"""The world rotation: every plane of n dimensions, an exact angle, what was applied, and what it shows."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.session import Session
from app.viewmodel.state import ViewState
from app.viewmodel.work import Prepared

WHEEL_DEGREES = 5.0


class PlaneButton(QPushButton):
    """One cell of the plane matrix: click selects, the wheel turns."""

    def __init__(self, session: Session, i: int, j: int) -> None:
        super().__init__(f"{i}-{j}")
        self.setObjectName("plane")
        self.setCheckable(True)
        self.setMinimumWidth(24)
        self.setToolTip(f"Rotation plane of axes x{i} and x{j}: click to select, wheel to turn")
        self.setAccessibleName(f"rotation plane {i}-{j}")
        self._session, self._plane = session, (i, j)
        self.clicked.connect(lambda: session.world.select_plane(i, j))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn by 5 degrees a notch."""
        notches = event.angleDelta().y() / 120.0
        if notches:
            self._session.world.rotate(*self._plane, WHEEL_DEGREES * notches)
        event.accept()


class RotationPanel(QWidget):
    """Plane matrix, angle, buttons, list of operations."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._n_dims = 0
        self._buttons: dict[tuple[int, int], PlaneButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._grid = QGridLayout()
        self._grid.setSpacing(3)
        layout.addLayout(self._grid)
        row = QHBoxLayout()
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
        self.slider.valueChanged.connect(lambda value: session.world.set_angle(float(value)))
        self.angle.valueChanged.connect(lambda value: session.world.set_angle(float(value)))
        row.addWidget(self.slider, 1)
        row.addWidget(self.angle)
        layout.addLayout(row)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        self.random = QPushButton("Random")
        self.random.setToolTip("A Haar-random rotation with this seed (X draws a new seed)")
        self.seed = QSpinBox()
        self.seed.setRange(0, 9999)
        self.seed.setToolTip("Seed of the random rotation")
        self.seed.setAccessibleName("seed of the random rotation")
        self.reflect = QPushButton("Reflect")
        self.reflect.setToolTip("Change the sign of the first axis of the selected plane (M)")
        self.spin = QPushButton("Spin")
        self.spin.setCheckable(True)
        self.spin.setToolTip("Keep turning in the selected plane (S)")
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
        layout.addLayout(buttons)
        self.operations = QLabel()
        self.operations.setObjectName("muted")
        self.operations.setWordWrap(True)
        self.matrix = QLabel()
        self.matrix.setObjectName("muted")
        self.matrix.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.matrix.setToolTip("Determinant of the world rotation R, and how far R is from orthogonal")
        below = QHBoxLayout()
        below.addWidget(self.operations, 1)
        below.addWidget(self.matrix)
        layout.addLayout(below)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.prepared is not None and state.n_dims != self._n_dims:
            self._rebuild(state.n_dims)
        for plane, button in self._buttons.items():
            button.setChecked(plane == state.plane)
        degrees = state.plane_degrees
        with QSignalBlocker(self.slider), QSignalBlocker(self.angle):
            if not self.slider.isSliderDown():
                self.slider.setValue(round(degrees))
            if not self.angle.hasFocus() or abs(self.angle.value() - degrees) > 1e-9:
                self.angle.setValue(degrees)
        self.spin.setChecked(state.spinning)
        applied = ", then ".join(map(str, state.setup.operations)) or "no rotation"
        self.operations.setText(applied)
        self.matrix.setText(matrix_text(state.prepared))

    def _rebuild(self, n_dims: int) -> None:
        self._n_dims = n_dims
        for button in self._buttons.values():
            self._grid.removeWidget(button)
            button.hide()  # until it is deleted
            button.deleteLater()
        self._buttons = {}
        for i in range(n_dims):
            for j in range(i + 1, n_dims):
                button = PlaneButton(self._session, i, j)
                self._buttons[i, j] = button
                self._grid.addWidget(button, i, j - 1)
        enabled = n_dims > 1
        for widget in (self.slider, self.angle, self.spin, self.random):
            widget.setEnabled(enabled)

    def plane_button(self, i: int, j: int) -> QPushButton:
        """The cell of a plane."""
        return self._buttons[i, j]


def matrix_text(prepared: Prepared | None) -> str:
    """Determinant and orthogonality of the rotation that is shown."""
    if prepared is None or not prepared.setup.operations:
        return ""
    matrix = prepared.comparison.rotation
    off = float(np.abs(matrix.T @ matrix - np.eye(len(matrix))).max())
    return f"det {np.linalg.det(matrix):+.0f}  |RᵀR − 1| {off:.0e}"
