"""The parts of panels, one function a kind: labels, buttons, boxes, rows, tables; and showing values in them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | None
"""What stands in a row or column: with its stretch, or None for room that stays free."""

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

Number = TypeVar("Number", QSpinBox, QDoubleSpinBox, QSlider)
Box = TypeVar("Box", bound=QBoxLayout)


def label(text: str = "", name: str = "muted", wraps: bool = False, tip: str = "") -> QLabel:
    """A text; the style sheet knows it by its name."""
    made = QLabel(text)
    made.setObjectName(name)
    made.setWordWrap(wraps)
    made.setToolTip(tip)
    return made


def button(
    text: str, tip: str, clicked: Callable[[], object], small: bool = True, checkable: bool = False, name: str = ""
) -> QPushButton:
    """A button; `clicked` takes no argument."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setProperty("small", small)
    made.setCheckable(checkable)
    made.setObjectName(name)
    made.clicked.connect(lambda: clicked())
    return made


def combo(
    name: str,
    entries: Iterable[tuple[str, Any]] = (),
    chosen: Callable[[Any], object] | None = None,
    tip: str = "",
    letters: int = 6,
) -> QComboBox:
    """A list of words and values, as narrow as so many letters; `chosen` takes the value that the user chooses."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(letters)
    for words, value in entries:
        made.addItem(words, value)
    if chosen is not None:
        made.activated.connect(lambda: chosen(made.currentData()))
    return made


def number(
    made: Number,
    name: str,
    low: int,
    high: int,
    changed: Callable[[Any], object] | None = None,
    tip: str = "",
    width: int = 48,
) -> Number:
    """A box or a slider, at least `width` pixels wide; a box says nothing of a number that is half typed."""
    made.setRange(low, high)
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setMinimumWidth(width)
    if isinstance(made, QAbstractSpinBox):
        made.setKeyboardTracking(False)
    if changed is not None:
        made.valueChanged.connect(changed)
    return made


def line(name: str, entered: Callable[[str], object] | None = None, tip: str = "", text: str = "") -> QLineEdit:
    """A line to type in; `entered` takes its text."""
    made = QLineEdit(text)
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setProperty("tip", tip)
    if entered is not None:
        made.editingFinished.connect(lambda: entered(made.text()))
    return made


def filled(layout: Box, *parts: Part, margins: tuple[int, ...] = (0, 0, 0, 0), spacing: int = -1) -> Box:
    """A row or column with its parts; -1 is the spacing of the style."""
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        what, stretch = part if isinstance(part, tuple) else (part, 0)
        if what is None:
            layout.addStretch(1)
        elif isinstance(what, QLayout):
            layout.addLayout(what, stretch)
        else:
            layout.addWidget(what, stretch)
    return layout


def row(*parts: Part, spacing: int = -1) -> QHBoxLayout:
    """Parts beside each other."""
    return filled(QHBoxLayout(), *parts, spacing=spacing)


def grid(place: QWidget | None = None, horizontal: int = 6, vertical: int = 4, **stretches: int) -> QGridLayout:
    """An empty grid; `c1=2` gives column 1 a stretch of 2."""
    made = QGridLayout(place)
    made.setContentsMargins(0, 0, 0, 0)
    made.setHorizontalSpacing(horizontal)
    made.setVerticalSpacing(vertical)
    for column, stretch in stretches.items():
        made.setColumnStretch(int(column[1:]), stretch)
    return made


def halves(panel: QWidget, height: int, width: int, stretch: int = 2) -> tuple[QWidget, QHBoxLayout]:
    """Make `panel` one for the foot of the window: its left part, `width` pixels at most, and the row it is in."""
    panel.setObjectName("side")
    panel.setMinimumHeight(height)
    left = QWidget()
    left.setMaximumWidth(width)
    return left, filled(QHBoxLayout(panel), (left, stretch), margins=(12, 2, 12, 6), spacing=14)


def number_table(name: str, changed: Callable[[QTableWidgetItem], object]) -> QTableWidget:
    """A table of numbers that are edited in it."""
    made = QTableWidget()
    made.setAccessibleName(name)
    made.verticalHeader().setDefaultSectionSize(22)
    made.horizontalHeader().setDefaultSectionSize(62)
    made.horizontalHeader().setHighlightSections(False)
    made.itemChanged.connect(changed)
    return made


def show_cell(
    table: QTableWidget, at: tuple[int, int], text: str, tip: str, colour: str | None
) -> QTableWidgetItem:
    """Write a cell of it, which is made if need be; None for the usual colour."""
    item = table.item(*at)
    if item is None:
        item = QTableWidgetItem()
        item.setTextAlignment(RIGHT)
        table.setItem(*at, item)
    item.setText(text)
    item.setToolTip(tip)
    item.setData(Qt.ItemDataRole.ForegroundRole, QColor(colour) if colour else None)
    return item


def set_value(box: QSpinBox | QDoubleSpinBox | QSlider, value: float) -> None:
    """Show a number without a word to who listens."""
    with QSignalBlocker(box):
        box.setValue(value)  # type: ignore[arg-type]


def fill(box: QComboBox, entries: list[tuple[str, Any]]) -> None:
    """The entries of a list, touched only if they are others."""
    if [(box.itemText(k), box.itemData(k)) for k in range(box.count())] != entries:
        with QSignalBlocker(box):
            box.clear()
            for words, value in entries:
                box.addItem(words, value)


def choose(box: QComboBox, value: Any, missing: str = "") -> None:
    """Show the entry of a value, unless the user is choosing; `missing` are the words of one that has no entry."""
    if missing and box.findData(value) < 0:
        box.addItem(missing, value)
    at = box.findData(value)
    if at >= 0 and not box.view().isVisible():
        box.setCurrentIndex(at)


def restyle(widget: QWidget, name: str | None = None) -> None:
    """Draw a widget by another name of the style sheet, or by a property that has changed."""
    if name is not None:
        widget.setObjectName(name)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def discard(layout: QLayout, widgets: Iterable[QWidget]) -> None:
    """Take widgets away."""
    for widget in widgets:
        layout.removeWidget(widget)
        widget.hide()  # at once: it is deleted a moment later
        widget.deleteLater()
