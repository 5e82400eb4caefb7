"""How the panes show the comparison: layout, colours and their scale, trails, depth. It changes no number."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QWidget,
)

from app.viewmodel.presenters.picture import LAYOUT_NAMES, colouring_label
from app.viewmodel.session import Session
from app.viewmodel.state.view import possible_colourings
from app.viewmodel.state.view_state import ViewState
from surrogate.render import COLOURINGS

LONGEST_TRAIL = 2000


class PicturePanel(QWidget):
    """A form; every change is seen at once and can be undone."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        picture = session.picture
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.layout_box = self._combo("layout")
        for name, words in LAYOUT_NAMES.items():
            self.layout_box.addItem(words, name)
        self.layout_box.activated.connect(
            lambda: picture.set(layout=self.layout_box.currentData(), maximised=None)
        )
        self.colouring = self._combo("colour by")
        self.colouring.activated.connect(lambda: picture.colour_by(self.colouring.currentData()))
        self.hidden = self._combo("hidden axis")
        self.hidden.setToolTip("Which coordinate the colours and the depth cue speak of")
        self.hidden.activated.connect(lambda: session.basis.choose_hidden(self.hidden.currentData()))
        self.fixed = self._check("keep", "Keep the ends of the colour scale from one comparison to the next")
        self.fixed.clicked.connect(picture.toggle_range)
        self.low, self.high = self._number("low end of the scale"), self._number("high end of the scale")
        for box in (self.low, self.high):
            box.editingFinished.connect(self._range_changed)
        self.own = QLabel("of the comparison")
        self.trail = QSpinBox()
        self.trail.setRange(0, LONGEST_TRAIL)
        self.trail.setMinimumWidth(56)
        self.trail.setSingleStep(15)
        self.trail.setKeyboardTracking(False)
        self.trail.setAccessibleName("trail length in frames")
        self.trail.setToolTip("Frames a trail reaches back (T, Shift+T)")
        self.trail.valueChanged.connect(lambda value: picture.set(trail=value))
        self.fade = self._check("fade", "Trails fade with age")
        self.fade.clicked.connect(lambda on: picture.set(trail_fade=on))
        self.of_selected = self._check("selected", "Trails of the selected particles alone")
        self.of_selected.clicked.connect(lambda on: picture.set(trail_of="selected" if on else "all"))
        self.ghosts = self._check("truth and error links", "Where the particles really are (Shift+G)")
        self.ghosts.clicked.connect(lambda on: picture.set(ghosts=on))
        self.hud = self._check("read-out", "Time, sizes, seed, energy drift, error (Shift+H)")
        self.hud.clicked.connect(lambda on: picture.set(hud=on))
        self.fields = self._check(
            "fields", "Arrows of the electric and magnetic field; rings: the way positive charges turn (Shift+E)"
        )
        self.fields.clicked.connect(lambda on: picture.set(fields=on))
        self.cue = QSlider(Qt.Orientation.Horizontal)
        self.cue.setRange(0, 100)
        self.cue.setMinimumWidth(48)
        self.cue.setAccessibleName("depth cue in per cent")
        self.cue.setToolTip("How much what lies off the drawn space fades")
        self.cue.valueChanged.connect(lambda value: picture.set(fade_hidden=value / 100.0))
        self.depth_box = self._combo("depth by")
        self.depth_box.addItem("hidden radius", "radius")
        self.depth_box.addItem("hidden axis", "axis")
        self.depth_box.setToolTip("What is off the drawn space")
        self.depth_box.activated.connect(lambda: picture.set(depth_by=self.depth_box.currentData()))
        self.slice = self._check("slice", "Show only what lies nearer to the drawn space than this [length]")
        self.slice.clicked.connect(picture.toggle_slice)
        self.thickness = self._number("thickness of the slice")
        self.thickness.setRange(0.01, 1e6)
        self.thickness.setSingleStep(0.1)
        self.thickness.valueChanged.connect(lambda value: picture.set(slice_thickness=value))
        self._lay_out()
        for box in (self.low, self.high, self.thickness):  # shown with a value; all at once make the dock too wide
            box.hide()

    def _lay_out(self) -> None:
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
            label = QLabel(words)
            label.setObjectName("muted")
            self._grid.addWidget(label, row, 0)
            line = QHBoxLayout()
            line.setSpacing(6)
            for widget in widgets:
                line.addWidget(widget, 0 if isinstance(widget, QCheckBox) else 1)
            if isinstance(widgets[0], QCheckBox):
                line.addStretch(1)
            self._grid.addLayout(line, row, 1)

    def _combo(self, name: str) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(name)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(6)
        return made

    def _check(self, words: str, tip: str) -> QCheckBox:
        made = QCheckBox(words)
        made.setToolTip(tip)
        return made

    def _number(self, name: str) -> QDoubleSpinBox:
        made = QDoubleSpinBox()
        made.setRange(-1e6, 1e6)
        made.setDecimals(3)
        made.setKeyboardTracking(False)
        made.setAccessibleName(name)
        made.setMinimumWidth(48)
        return made

    def _range_changed(self) -> None:
        view = self._session.state.view
        if view.colour_range is not None and view.colour_range != (self.low.value(), self.high.value()):
            self._session.picture.set_range(self.low.value(), self.high.value())

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        view, result = state.view, state.result
        law_known = result is None or result.comparison.law_known
        named = [(colouring_label(name, view.hidden_axis), name) for name in possible_colourings(law_known)]
        _fill(self.colouring, named)
        _fill(self.hidden, [("the most hidden", None), *((f"x{i}", i) for i in range(state.n_dims))])
        for combo, value in (
            (self.layout_box, view.layout),
            (self.colouring, view.colour_by),
            (self.hidden, view.hidden_axis),
            (self.depth_box, view.depth_by),
        ):
            if not combo.view().isVisible():
                combo.setCurrentIndex(max(combo.findData(value), 0))
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
        _quietly(self.trail, lambda: self.trail.setValue(view.trail))
        _quietly(self.cue, lambda: self.cue.setValue(round(100 * view.fade_hidden)))
        self._show_ranges(state)

    def _show_ranges(self, state: ViewState) -> None:
        view, n = state.view, state.n_dims
        has_scale = COLOURINGS[view.colour_by].palette != "signs"
        self.fixed.setEnabled(has_scale)
        for box, value in zip((self.low, self.high), view.colour_range or (0.0, 0.0), strict=True):
            box.setVisible(view.colour_range is not None)
            if not box.hasFocus():
                _quietly(box, lambda box=box, value=value: box.setValue(value))  # type: ignore[misc]
        self.own.setVisible(view.colour_range is None)
        self.own.setText("of the comparison" if has_scale else "none")
        hides = n > 3
        for widget in (self.cue, self.depth_box, self.slice):
            widget.setEnabled(hides)
        self.hidden.setEnabled(n > 1)
        self.thickness.setEnabled(hides)
        self.thickness.setVisible(view.slice_thickness is not None)
        if view.slice_thickness is not None and not self.thickness.hasFocus():
            _quietly(self.thickness, lambda: self.thickness.setValue(view.slice_thickness or 0.0))


def _quietly(widget: QWidget, change: Callable[[], Any]) -> None:
    with QSignalBlocker(widget):
        change()


def _fill(combo: QComboBox, entries: list[tuple[str, Any]]) -> None:
    """The entries of a combo box, touched only if they are others."""
    if [(combo.itemText(k), combo.itemData(k)) for k in range(combo.count())] != entries:
        with QSignalBlocker(combo):
            combo.clear()
            for words, value in entries:
                combo.addItem(words, value)
