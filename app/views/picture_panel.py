"""How the panes show the comparison: layout, colours and their scale, trails, depth. It changes no number."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSlider, QSpinBox, QWidget

from app.viewmodel.presenters.picture import LAYOUT_NAMES, colouring_label
from app.viewmodel.session import Session
from app.viewmodel.state.view import energies_shown, possible_colourings
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.number_boxes import NumberBox
from surrogate.render import COLOURINGS

LONGEST_TRAIL = 2000
SMALLEST, LARGEST = 1e-30, 1e30
"""Of lengths, in whatever unit."""


class PicturePanel(QWidget):
    """A form; every change is seen at once and can be undone."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        picture = session.picture
        layouts = [(words, name) for name, words in LAYOUT_NAMES.items()]
        self.layout_box = ui.combo("layout", layouts, lambda name: picture.set(layout=name, maximised=None))
        self.colouring = ui.combo("colour by", chosen=picture.colour_by)
        tip = "Which coordinate the colours and the depth cue speak of"
        self.hidden = ui.combo("hidden axis", chosen=session.basis.choose_hidden, tip=tip)
        self.fixed = _check(
            "keep", "Keep the ends of the colour scale from one comparison to the next", picture.toggle_range
        )
        self.low, self.high = _length("low end of the scale"), _length("high end of the scale")
        for box in (self.low, self.high):
            box.editingFinished.connect(self._range_changed)
        self.own = ui.label("of the comparison", "")
        tip = "Frames a trail reaches back (T, Shift+T)"
        self.trail = ui.number(QSpinBox(), "trail length in frames", 0, LONGEST_TRAIL, tip=tip, width=56)
        self.trail.valueChanged.connect(lambda value: picture.set(trail=value))
        self.trail.setSingleStep(15)
        self.fade = _check("fade", "Trails fade with age", lambda on: picture.set(trail_fade=on))
        self.of_selected = _check(
            "selected",
            "Trails of the selected particles alone",
            lambda on: picture.set(trail_of="selected" if on else "all"),
        )
        self.ghosts = _check(
            "truth and error links", "Where the particles really are (Shift+G)", lambda on: picture.set(ghosts=on)
        )
        self.hud = _check(
            "read-out", "Time, sizes, seed, energy drift, error (Shift+H)", lambda on: picture.set(hud=on)
        )
        tip = "Arrows of the electric and magnetic field; rings: the way positive charges turn (Shift+E)"
        self.fields = _check("fields", tip, lambda on: picture.set(fields=on))
        tip = "How much what lies off the drawn space fades"
        self.cue = ui.number(QSlider(Qt.Orientation.Horizontal), "depth cue in per cent", 0, 100, tip=tip)
        self.cue.valueChanged.connect(lambda value: picture.set(fade_hidden=value / 100.0))
        depths = [("hidden radius", "radius"), ("hidden axis", "axis")]
        by = lambda value: picture.set(depth_by=value)  # noqa: E731
        self.depth_box = ui.combo("depth by", depths, by, "What is off the drawn space")
        self.slice = _check(
            "slice", "Show only what lies nearer to the drawn space than this [length]", picture.toggle_slice
        )
        self.thickness = _length("thickness of the slice")
        self.thickness.setMinimum(SMALLEST)
        self.thickness.valueChanged.connect(lambda value: picture.set(slice_thickness=value))
        self._lay_out()
        for box in (self.low, self.high, self.thickness):  # shown with a value; all at once make the dock too wide
            box.hide()

    def _lay_out(self) -> None:
        grid = ui.grid(self, horizontal=8, c1=1)
        rows: tuple[tuple[str, tuple[QWidget, ...]], ...] = (
            ("layout", (self.layout_box,)),
            ("colour by", (self.colouring,)),
            ("scale", (self.own, self.low, self.high, self.fixed)),
            ("trails", (self.trail, self.fade, self.of_selected)),
            ("show", (self.ghosts, self.hud, self.fields)),
            ("hidden axis", (self.hidden,)),
            ("depth cue", (self.cue, self.depth_box)),
            ("", (self.slice, self.thickness)),
        )
        for row, (words, widgets) in enumerate(rows):
            grid.addWidget(ui.label(words), row, 0)
            line = ui.row(*((w, 0 if isinstance(w, QCheckBox) else 1) for w in widgets), spacing=6)
            if isinstance(widgets[0], QCheckBox):
                line.addStretch(1)
            grid.addLayout(line, row, 1)

    def _range_changed(self) -> None:
        view = self._session.state.view
        if view.colour_range is not None and view.colour_range != (self.low.value(), self.high.value()):
            self._session.picture.set_range(self.low.value(), self.high.value())

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        view, result = state.view, state.result
        energies = result is None or energies_shown(result.comparison)
        named = [(colouring_label(name, view.hidden_axis), name) for name in possible_colourings(energies)]
        ui.fill(self.colouring, named)
        ui.fill(self.hidden, [("the most hidden", None), *((f"x{i}", i) for i in range(state.n_dims))])
        for combo, value in (
            (self.layout_box, view.layout),
            (self.colouring, view.colour_by),
            (self.hidden, view.hidden_axis),
            (self.depth_box, view.depth_by),
        ):
            ui.choose(combo, value)
        for check, on in (
            (self.fixed, view.colour_range is not None),
            (self.fade, view.trail_fade),
            (self.of_selected, view.trail_of == "selected"),
            (self.ghosts, view.ghosts),
            (self.hud, view.hud),
            (self.fields, view.fields),
            (self.slice, view.slice_thickness is not None),
        ):
            check.setChecked(on)
        ui.set_value(self.trail, view.trail)
        ui.set_value(self.cue, round(100 * view.fade_hidden))
        self._show_ranges(state)

    def _show_ranges(self, state: ViewState) -> None:
        view, n = state.view, state.n_dims
        has_scale = COLOURINGS[view.colour_by].palette != "signs"
        self.fixed.setEnabled(has_scale)
        for box, value in zip((self.low, self.high), view.colour_range or (0.0, 0.0), strict=True):
            box.setVisible(view.colour_range is not None)
            if not box.hasFocus():
                ui.set_value(box, value)
        self.own.setVisible(view.colour_range is None)
        self.own.setText("of the comparison" if has_scale else "none")
        hides = n > 3
        for widget in (self.cue, self.depth_box, self.slice):
            widget.setEnabled(hides)
        self.hidden.setEnabled(n > 1)
        self.thickness.setEnabled(hides)
        self.thickness.setVisible(view.slice_thickness is not None)
        if view.slice_thickness is not None and not self.thickness.hasFocus():
            ui.set_value(self.thickness, view.slice_thickness)


def _check(words: str, tip: str, clicked: Callable[..., None]) -> QCheckBox:
    made = QCheckBox(words)
    made.setToolTip(tip)
    made.clicked.connect(clicked)
    return made


def _length(name: str) -> NumberBox:
    made = NumberBox()
    ui.number(made, name, 0, 0)
    made.setRange(-LARGEST, LARGEST)
    return made
