"""Drawing paths in the truth pane: mouse events become paths, shown dashed; a card says what to do."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.viewmodel.presenters.screen import Rectangle, nearest_particle, unprojected
from app.viewmodel.presenters.sketch import shown_coordinates, verdict
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.pane_tool import Pane, PaneTool
from app.views.viewport import Viewport
from physics.types import FloatArray
from surrogate.render.picking import on_screen
from surrogate.render.projection import project
from surrogate.render.theme import THEMES

CARD_WIDTH, CARD_LEAST, SPARE = 470, 270, 8
RING = 9.0
"""Radius of the ring at the end of a path [pixel]."""


class SketchPen(PaneTool):
    """Takes the left mouse button in the truth pane while a sketch is drawn; the others still move the camera."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport, session)
        self._last = 0
        self.particle: int | None = None
        self.stroke: list[FloatArray] = []
        self.card = SketchCard(viewport, session)

    def is_on(self, state: ViewState) -> bool:
        """While there is a sketch."""
        return state.sketch is not None

    def show_state(self, state: ViewState) -> None:
        """Draw the sketch and its card, and watch the mouse."""
        super().show_state(state)
        self.card.show_state(state)
        if state.sketch is None:
            self.particle, self.stroke = None, []

    def place(self) -> None:
        """Keep card and paths where they belong when the panes change their size."""
        super().place()
        if self.card.isVisible():
            self.card.place()

    def places(self, state: ViewState) -> FloatArray:
        """Where the particles are when the sketch starts, as drawn, (n_particles, 3)."""
        assert state.sketch is not None
        assert state.result is not None
        return project(state.result.comparison.truth.positions[state.sketch.start], state.sketch.basis)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Draw with the left button."""
        kinds = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease)
        state = self._session.state
        if event.type() not in kinds or not isinstance(event, QMouseEvent):
            return False
        if state.sketch is None or state.sketch.revealed or state.result is None:
            return False
        pane = self.pane()
        if pane is None:
            return False
        x, y = self.pixel(event.position())
        if event.type() == QEvent.Type.MouseButtonPress:
            return event.button() == Qt.MouseButton.LeftButton and self._press(x, y, *pane)
        if self.particle is None:
            return False
        self.stroke.append(unprojected(x, y, self.places(state)[self.particle], *pane))
        self.canvas.update()
        if event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            particle, stroke = self.particle, np.array(self.stroke)
            self.particle, self.stroke = None, []
            self._session.sketch.draw(particle, stroke)
        return True

    def _press(self, x: float, y: float, matrix: FloatArray, rectangle: Rectangle) -> bool:
        """Begin a path: at a particle, for this one; elsewhere, for the last one."""
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

    def paint(self, painter: QPainter, state: ViewState, pane: Pane) -> None:
        """The paths, dashed, with a ring at their ends; the model's ends once the future is revealed."""
        sketch = state.sketch
        if sketch is None or state.result is None:
            return
        theme = THEMES[state.view.theme]
        paths = dict(sketch.paths)
        if self.particle is not None and self.stroke:
            here = self.places(state)[self.particle]
            paths[self.particle] = np.concatenate([here[None], np.array(self.stroke)])
        for path in paths.values():
            self._line(painter, pane, path, QColor(theme.warning), dashed=True)
        if sketch.revealed:
            members = sorted(sketch.paths)
            ends = project(state.result.comparison.forecast.positions[sketch.end, members], sketch.basis)
            for end in ends:
                self._line(painter, pane, end[None], QColor(theme.forecast), dashed=False)

    def _line(self, painter: QPainter, pane: Pane, points: FloatArray, colour: QColor, dashed: bool) -> None:
        pixels, depth, _ = on_screen(points, *pane)
        if not np.isfinite(depth).all():
            return
        corners = self.canvas.points(pixels)
        pen = QPen(colour, 2.0)
        if dashed:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(corners))
        painter.setPen(QPen(colour, 2.0))
        painter.drawEllipse(corners[-1], RING, RING)


class SketchCard(QFrame):
    """Says what to do, then who was right."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport.widget)
        self.setObjectName("offer")
        self._viewport, self._host = viewport, viewport.widget
        self.text = ui.label(name="", wraps=True)
        grid = ui.grid(horizontal=10, vertical=2)
        self.cells = [
            [ui.label(name="value" if row and place else "muted") for place in range(4)] for row in range(4)
        ]
        for row, line in enumerate(self.cells):
            for place, label in enumerate(line):
                if place:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(label, row, place)
        pen = session.sketch
        self.close_button = ui.button("Close", "Put the pen away (W)", pen.end, small=False)
        self.wipe = ui.button("Wipe", "", pen.wipe, small=False)
        tip = "Show what really happens (Shift+W)"
        self.reveal = ui.button("Reveal", tip, pen.reveal, small=False, name="primary")
        buttons = ui.row(None, self.close_button, self.wipe, self.reveal)
        self._column = ui.filled(QVBoxLayout(self), self.text, grid, buttons, margins=(16, 12, 16, 12), spacing=8)
        self._shown: object = None
        self._panes = 2
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the sketch's card."""
        sketch, result = state.sketch, state.result
        if sketch is self._shown:
            return
        self._shown = sketch
        self.setVisible(sketch is not None)
        if sketch is None or result is None:
            return
        self._panes = max(len(self._viewport.titles()), 2)
        count, comparison = len(sketch.paths), result.comparison
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
