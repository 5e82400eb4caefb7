"""The view basis V: three axes to draw, the hidden axis, tours; and how much of the world is seen."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.tour_controls import TourControls
from physics.types import FloatArray
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
        grid = ui.grid(horizontal=4, c1=1, c2=1, c3=1)
        grid.addWidget(ui.label("drawn axes"), 0, 0)
        self.axes: list[QComboBox] = []
        for place in range(3):
            box = QComboBox()
            box.setAccessibleName(f"axis drawn in place {place + 1}")
            box.setToolTip("A coordinate axis that is drawn; the default draws all of them, aslant")
            box.activated.connect(lambda axis, place=place: session.basis.choose_axis(place, axis - 1))
            grid.addWidget(box, 0, 1 + place)
            self.axes.append(box)
        tip = "For Alt+drag, the radial tour, depth and the colour of the hidden coordinate"
        self.hidden = ui.combo("hidden axis", chosen=session.basis.choose_hidden, tip=tip)
        grid.addWidget(ui.label("hidden axis"), 1, 0)
        grid.addWidget(self.hidden, 1, 1, 1, 3)
        kinds = ("sweep", "grand", "little", "radial")
        running = lambda state: state.touring.view  # noqa: E731
        self.tours = TourControls(session, kinds, "View basis", session.tours.toggle_view, running)
        tip = "How much of the particles' distance from the centre is drawn, |Vᵀx| / |x|"
        self.fraction = ui.label(name="", tip=tip)
        tip = "The default: all axes, aslant where there are more than three (B)"
        self.reset = ui.button("Reset view basis", tip, session.basis.reset)
        self.explanation = ui.label(wraps=True)
        foot = ui.row((self.fraction, 1), self.reset)
        ui.filled(QVBoxLayout(self), grid, self.tours, foot, self.explanation, spacing=6)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        points = _points(state)
        if points is None:
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
        first = f"most hidden ({most})" if most else "most hidden"
        ui.fill(self.hidden, [(first, None), *((f"x{k}", k) for k in range(n))])
        ui.choose(self.hidden, state.view.hidden_axis)
        self.tours.show_state(state)
        self.reset.setEnabled(state.view.axes is not None or state.view.basis is not None)
        seen = visible_fraction(points[None], state.basis, points[0] * 0.0)
        self.fraction.setText(f"{100.0 * float(seen[0]):.0f} % of the norm visible")
        self.explanation.setText(" ".join(filter(None, (NO_CHOICE[n <= 3], EXPLANATION))))


def _points(state: ViewState) -> FloatArray | None:
    """What is drawn of the truth, (N, n); None before there is anything."""
    if state.result is not None:
        found: FloatArray = state.result.comparison.truth.positions[state.frame]
        return found
    return state.sample.sample.points if state.sample is not None else None
