"""The panels around the panes: one registry, from which the docks, their menu entries and their keys are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.viewmodel.actions import ACTIONS, Action
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.basis_panel import BasisPanel
from app.views.charts import Charts
from app.views.data_panel import DataPanel
from app.views.editor_panel import EditorPanel
from app.views.equivariance_chart import EquivarianceChart
from app.views.formula_panel import FormulaPanel
from app.views.lesson_panel import LessonPanel
from app.views.models_panel import ModelsPanel
from app.views.particle_panel import ParticlePanel
from app.views.picture_panel import PicturePanel
from app.views.readout_panel import ReadoutPanel
from app.views.rotation_panel import RotationPanel
from app.views.system_panel import SystemPanel
from app.views.train_panel import TrainPanel

RIGHT, BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


class Shows(Protocol):
    """What every panel is besides a widget."""

    def show_state(self, state: ViewState) -> None:
        """Draw the state; called with every one while the panel is seen, and when it comes to be."""


@dataclass(frozen=True)
class Panel:
    """A dock.

    Attributes
    ----------
    title : str
    area : Qt.DockWidgetArea
        Where it stands at first, below or beside the panels named before it.
    make : callable
        The widget, with `show_state(state)`.
    shortcut : str
        Shows or closes it; empty for none.
    help : str
        One sentence.
    tab_with : str
        Name of the panel it shares its place with at first; empty for a place of its own.
    shown : bool
        Whether it is seen at first.
    pace : "tick", "tenth" or "change"
        While it plays, drawn with every frame, ten times a second, or not at all because no frame changes it.
    samples : bool
        Whether it has something to say of graphs and molecules, too; else it makes room while they are shown.
    """

    title: str
    area: Qt.DockWidgetArea
    make: Callable[[Session, Catalogue], QWidget]
    shortcut: str
    help: str
    tab_with: str = ""
    shown: bool = True
    pace: Literal["tick", "tenth", "change"] = "tick"
    samples: bool = False

    @property
    def scrolls(self) -> bool:
        """Whether it has a natural height and scrolls where there is less; at the foot it takes what there is."""
        return self.area != BOTTOM


PANELS: dict[str, Panel] = {
    "system": Panel("System", RIGHT, SystemPanel, "Alt+1", "What is simulated, and who forecasts it",
        pace="change", samples=True),
    "world": Panel("World rotation", RIGHT, lambda s, c: RotationPanel(s), "Alt+2", "Every plane of rotation",
        pace="change", samples=True),
    "basis": Panel("View basis", RIGHT, lambda s, c: BasisPanel(s), "Alt+V",
        "Which three directions are drawn: changes no number", tab_with="world", pace="change", samples=True),
    "readouts": Panel("Read-outs", RIGHT, lambda s, c: ReadoutPanel(), "Alt+3", "The numbers of this frame",
        pace="tenth", samples=True),
    "lesson": Panel("Lessons", RIGHT, LessonPanel, "", "Guided sessions of about ten minutes", tab_with="system",
        shown=False, samples=True),
    "curves": Panel("Curves", BOTTOM, lambda s, c: Charts(s), "Alt+4", "Error and energy along the time"),
    "picture": Panel("Picture", RIGHT, lambda s, c: PicturePanel(s), "Alt+5",
        "Layout, colours, trails, depth of the panes", tab_with="system", pace="change"),
    "particles": Panel("Particles", BOTTOM, lambda s, c: ParticlePanel(s), "Alt+6",
        "Every particle of this frame in numbers", tab_with="curves", pace="tenth"),
    "equivariance": Panel("Equivariance", BOTTOM, lambda s, c: EquivarianceChart(), "Alt+E",
        "How far from equivariant, along the time", tab_with="curves"),
    "models": Panel("Models", BOTTOM, ModelsPanel, "Alt+M",
        "Two models side by side, and all of them on this state", tab_with="curves", shown=False),
    "scene": Panel("Scene editor", BOTTOM, EditorPanel, "Alt+C", "The law and every particle, to be changed",
        tab_with="curves", shown=False),
    "data": Panel("Data", BOTTOM, lambda s, c: DataPanel(s), "Alt+D",
        "The samples of a data set, worst first if wanted", tab_with="curves", shown=False, samples=True),
    "train": Panel("Train", BOTTOM, lambda s, c: TrainPanel(s), "Alt+T",
        "A model of your own: data, budget, live curves", tab_with="curves", shown=False, samples=True),
    "formula": Panel("Formula", BOTTOM, lambda s, c: FormulaPanel(s), "Alt+L",
        "The learned pair force as a closed form", tab_with="curves", shown=False, pace="change"),
}  # fmt: skip


def _action(name: str, panel: Panel) -> Action:
    return Action("Panels", panel.title, panel.shortcut, lambda s, d: d.toggle_panel(name), panel.help)


PANEL_ACTIONS = {f"panel-{name}": _action(name, panel) for name, panel in PANELS.items()}
COMMANDS: dict[str, Action] = {**ACTIONS, **PANEL_ACTIONS}
"""Everything in the menus, the palette and the help: the actions of the session, and one for each panel."""


class PanelArea(QScrollArea):
    """Holds a panel in its dock: as wide as it needs, scrolling where it is low."""

    wants_more = Signal()

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.content = content
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._inner = QWidget()
        self._inner.setObjectName("side")
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(12, 4, 12, 6)
        self._column.addWidget(content)
        self._column.addStretch(1)
        self.setWidget(self._inner)
        self._inner.installEventFilter(self)

    @property
    def wanted_height(self) -> int:
        """What its content needs at the width it has [pixel]."""
        column, width = self._column, self.viewport().width()
        return column.totalHeightForWidth(width) if column.hasHeightForWidth() else column.totalSizeHint().height()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As its content."""
        return QSize(316, self.wanted_height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As wide as its content must be, three lines high."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._inner.minimumSizeHint().width() + bar, 48)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """See when the content changes its height."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            if self.wanted_height > self.viewport().height():
                self.wants_more.emit()
        return super().eventFilter(watched, event)
