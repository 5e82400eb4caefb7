"""The view basis V: three axes to draw, the hidden axis, tours; and how much of the world is seen."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.tour_controls import TourControls
from surrogate.render.depth import visible_fraction

EXPLANATION = (
    "V only projects: no number changes. The world rotation simulates and forecasts anew; the camera is what "
    "you drag. Alt+Shift+drag in a pane turns V into the hidden axis."
)
NO_CHOICE = {True: "Up to three dimensions all axes are drawn.", False: ""}


class BasisPanel(QWidget):
    """Combo boxes, tours, a percentage."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._n_dims = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        self._drawn = QLabel("drawn axes")
        self._drawn.setObjectName("muted")
        grid.addWidget(self._drawn, 0, 0)
        self.axes: list[QComboBox] = []
        for place in range(3):
            box = QComboBox()
            box.setAccessibleName(f"axis drawn in place {place + 1}")
            box.setToolTip("A coordinate axis that is drawn; the default draws all of them, aslant")
            box.activated.connect(lambda axis, place=place: session.basis.choose_axis(place, axis - 1))
            grid.addWidget(box, 0, 1 + place)
            self.axes.append(box)
        label = QLabel("hidden axis")
        label.setObjectName("muted")
        self.hidden = QComboBox()
        self.hidden.setAccessibleName("hidden axis")
        self.hidden.setToolTip("For Alt+drag, the radial tour, depth and the colour of the hidden coordinate")
        self.hidden.activated.connect(lambda k: session.basis.choose_hidden(k - 1 if k else None))
        grid.addWidget(label, 1, 0)
        grid.addWidget(self.hidden, 1, 1, 1, 3)
        for column in (1, 2, 3):
            grid.setColumnStretch(column, 1)
        layout.addLayout(grid)
        kinds = ("sweep", "grand", "little", "radial")
        toggle, running = session.tours.toggle_view, _running
        self.tours = TourControls(session, kinds, "View basis", toggle, running)
        layout.addWidget(self.tours)
        row = QHBoxLayout()
        self.fraction = QLabel()
        self.fraction.setToolTip("How much of the particles' distance from the centre is drawn, |Vᵀx| / |x|")
        self.reset = QPushButton("Reset view basis")
        self.reset.setProperty("small", True)
        self.reset.setToolTip("The default: all axes, aslant where there are more than three (B)")
        self.reset.clicked.connect(session.basis.reset)
        row.addWidget(self.fraction, 1)
        row.addWidget(self.reset)
        layout.addLayout(row)
        self.explanation = QLabel()
        self.explanation.setObjectName("muted")
        self.explanation.setWordWrap(True)
        layout.addWidget(self.explanation)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.result is None:
            return
        n = state.n_dims
        if n != self._n_dims:
            self._n_dims = n
            for box in self.axes:
                box.clear()
                box.addItems(["aslant", *(f"x{k}" for k in range(n))])
        axes = state.view.axes
        for place, box in enumerate(self.axes):
            with QSignalBlocker(box):
                box.setCurrentIndex(1 + axes[place] if axes else (1 + place if 1 + place <= n <= 3 else 0))
                box.setItemText(0, "toured" if state.view.basis is not None else "aslant")
            box.setEnabled(n > 3)
        most = "x" + str(state.hidden_axis) if state.view.hidden_axis is None else ""
        wanted = [f"most hidden ({most})" if most else "most hidden", *(f"x{k}" for k in range(n))]
        if [self.hidden.itemText(k) for k in range(self.hidden.count())] != wanted:
            self.hidden.clear()
            self.hidden.addItems(wanted)
        self.hidden.setCurrentIndex(0 if state.view.hidden_axis is None else 1 + state.view.hidden_axis)
        self.tours.show_state(state)
        self.reset.setEnabled(state.view.axes is not None or state.view.basis is not None)
        truth = state.result.comparison.truth.positions
        seen = visible_fraction(truth[state.frame][None], state.basis, truth[0, 0] * 0.0)
        self.fraction.setText(f"{100.0 * float(seen[0]):.0f} % of the norm visible")
        self.explanation.setText(" ".join(filter(None, (NO_CHOICE[n <= 3], EXPLANATION))))


def _running(state: ViewState) -> str:
    return state.touring.view
