"""The pen over the truth pane: mouse events become paths, paths dashed lines; a card says what to do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.sketch import Rectangle, nearest_particle, shown_coordinates, unprojected, verdict
from app.viewmodel.state.view_state import ViewState
from app.views.pane_geometry import first_pane
from app.views.viewport import Viewport
from surrogate.render.picking import on_screen
from surrogate.render.projection import project
from surrogate.render.theme import THEMES

FloatArray = NDArray[np.float64]

CARD_WIDTH, CARD_LEAST, SPARE = 470, 270, 8
RING = 9.0
"""Radius of the ring at the end of a path [pixel]."""


class SketchPen(QObject):
    """Takes the left mouse button in the truth pane while a sketch is drawn; the others still move the camera."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport.widget)
        self._viewport, self._session = viewport, session
        self._watched: Any = None
        self._last = 0
        self.particle: int | None = None
        self.stroke: list[FloatArray] = []
        self.paper = _Paper(viewport.widget, self, session)
        self.card = SketchCard(viewport, session)

    def show_state(self, state: ViewState) -> None:
        """Draw the sketch, and watch the mouse while there is one."""
        plotter = self._viewport.plotter
        if plotter is not None and self._watched is None:
            self._watched = plotter
            plotter.installEventFilter(self)
            plotter.frameSwapped.connect(self.paper.follow)
        self.paper.show_state(state)
        self.card.show_state(state)
        if state.sketch is None:
            self.particle, self.stroke = None, []

    def place(self) -> None:
        """Keep card and paper where they belong when the panes change their size."""
        if self.card.isVisible():
            self.paper.setGeometry(self._viewport.widget.rect())
            self.card.place()

    def pane(self) -> tuple[FloatArray, Rectangle] | None:
        """Matrix and viewport of the truth pane in device pixels from below left; None before there is one."""
        return None if self._watched is None else first_pane(self._watched)

    def places(self, state: ViewState) -> FloatArray:
        """Where the particles are when the sketch starts, as drawn, (n_particles, 3)."""
        assert state.sketch is not None
        assert state.prepared is not None
        return project(state.prepared.comparison.truth.positions[state.sketch.start], state.sketch.basis)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Draw with the left button."""
        kinds = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease)
        state = self._session.state
        if event.type() not in kinds or not isinstance(event, QMouseEvent):
            return False
        if state.sketch is None or state.sketch.revealed or state.prepared is None:
            return False
        pane = self.pane()
        if pane is None:
            return False
        ratio = self._watched.devicePixelRatioF()
        x, y = event.position().x() * ratio, (self._watched.height() - event.position().y()) * ratio
        if event.type() == QEvent.Type.MouseButtonPress:
            return event.button() == Qt.MouseButton.LeftButton and self._press(x, y, *pane)
        if self.particle is None:
            return False
        self.stroke.append(unprojected(x, y, self.places(state)[self.particle], *pane))
        self.paper.update()
        if event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            particle, stroke = self.particle, np.array(self.stroke)
            self.particle, self.stroke = None, []
            self._session.sketch.draw(particle, stroke)
        return True

    def _press(self, x: float, y: float, matrix: FloatArray, rectangle: Rectangle) -> bool:
        """Set the pen down: at a particle, for this one; elsewhere, for the last one."""
        left, bottom, width, height = rectangle
        if not (left <= x < left + width and bottom <= y < bottom + height):
            return False
        places = self.places(self._session.state)
        found = nearest_particle(x, y, places, matrix, rectangle)
        self._last = min(self._last if found is None else found, len(places) - 1)
        self.particle, self.stroke = self._last, []
        if found is None:  # a click where it will be; a press on the particle itself is only its start
            self.stroke.append(unprojected(x, y, places[self._last], matrix, rectangle))
        return True


class _Paper(QWidget):
    """Lies over the panes and lets the mouse through."""

    def __init__(self, host: QWidget, pen: SketchPen, session: Session) -> None:
        super().__init__(host)
        self._host, self._pen, self._session = host, pen, session
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the sketch of this state."""
        wanted = state.sketch is not None
        if wanted != self.isVisible():
            self.setVisible(wanted)
        if wanted:
            self.setGeometry(self._host.rect())
            self.raise_()
            self.update()

    def follow(self) -> None:
        """The camera may have moved."""
        if self.isVisible():
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """The paths, dashed, with a ring at their ends; the model's ends once the future is revealed."""
        state, pane = self._session.state, self._pen.pane()
        sketch = state.sketch
        if sketch is None or state.prepared is None or pane is None:
            return
        theme = THEMES[state.view.theme]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, bottom, width, height = (v / self.devicePixelRatioF() for v in pane[1])
        painter.setClipRect(QRectF(left, self.height() - bottom - height, width, height))
        paths = dict(sketch.paths)
        if self._pen.particle is not None and self._pen.stroke:
            here = self._pen.places(state)[self._pen.particle]
            paths[self._pen.particle] = np.concatenate([here[None], np.array(self._pen.stroke)])
        for path in paths.values():
            self._line(painter, path, theme.warning, dashed=True)
        if sketch.revealed:
            members = sorted(sketch.paths)
            ends = project(state.prepared.comparison.forecast.positions[sketch.end, members], sketch.basis)
            for end in ends:
                self._line(painter, end[None], theme.forecast, dashed=False)
        painter.end()

    def _line(self, painter: QPainter, points: FloatArray, colour: str, dashed: bool) -> None:
        pane = self._pen.pane()
        if pane is None:
            return
        pixels, depth, _ = on_screen(points, *pane)
        if not np.isfinite(depth).all():
            return
        ratio = self.devicePixelRatioF()
        corners = [QPointF(px / ratio, self.height() - py / ratio) for px, py in pixels]
        pen = QPen(QColor(colour), 2.0)
        if dashed:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(corners))
        painter.setPen(QPen(QColor(colour), 2.0))
        painter.drawEllipse(corners[-1], RING, RING)


class SketchCard(QFrame):
    """Says what to do, then who was right."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport.widget)
        self.setObjectName("offer")
        self._viewport, self._host = viewport, viewport.widget
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        self.text = QLabel()
        self.text.setWordWrap(True)
        column.addWidget(self.text)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self.cells = [[QLabel() for _ in range(4)] for _ in range(4)]
        for row, line in enumerate(self.cells):
            for place, label in enumerate(line):
                label.setObjectName("muted" if row == 0 or place == 0 else "value")
                if place:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._grid.addWidget(label, row, place)
        column.addLayout(self._grid)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        self.close_button, self.wipe, self.reveal = (
            QPushButton("Close"),
            QPushButton("Wipe"),
            QPushButton("Reveal"),
        )
        self.reveal.setObjectName("primary")
        self.reveal.setToolTip("Show what really happens (Shift+W)")
        self.close_button.setToolTip("Put the pen away (W)")
        self.close_button.clicked.connect(session.sketch.end)
        self.wipe.clicked.connect(session.sketch.wipe)
        self.reveal.clicked.connect(session.sketch.reveal)
        for button in (self.close_button, self.wipe, self.reveal):
            buttons.addWidget(button)
        column.addLayout(buttons)
        self._shown: object = None
        self._panes = 2
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the sketch's card."""
        sketch, prepared = state.sketch, state.prepared
        if sketch is self._shown:
            return
        self._shown = sketch
        self.setVisible(sketch is not None)
        if sketch is None or prepared is None:
            return
        self._panes = max(len(self._viewport.titles()), 2)
        count, comparison = len(sketch.paths), prepared.comparison
        rows = verdict(sketch, comparison) if sketch.revealed else []
        for k, line in enumerate(self.cells):
            for j, label in enumerate(line):
                label.setVisible(bool(rows))
                label.setText(rows[k][j] if rows else "")
        if rows:
            parts = [
                "Who was right? RMSE over the charges you drew; ratio: to x + v t, at the end. "
                f"Dashed: you. Green ring: {comparison.model_name}."
            ]
        else:
            n = comparison.truth.system.n_particles
            parts = [
                f"Where will the charges be in {comparison.horizon:g} time unit? In the left pane, drag from "
                f"a charge along its path, or click where it ends. {count} of {n} drawn."
            ]
        parts.append(shown_coordinates(comparison.truth.n_dims))
        self.text.setText(" ".join(filter(None, parts)))
        self.reveal.setEnabled(bool(count) and not sketch.revealed)
        self.place()

    def place(self) -> None:
        """At the foot of the panes, right of that of the truth."""
        self._column.activate()
        beside = self._host.width() * (self._panes - 1) // self._panes - 16  # the truth pane stays free to draw in
        wide = min(CARD_WIDTH, max(beside, CARD_LEAST))
        tall = self._column.heightForWidth(wide) + SPARE
        self.setGeometry(self._host.width() - wide - 12, self._host.height() - tall - 8, wide, tall)
        self.raise_()
