"""The time line itself: a slider with times, horizon boundaries and the marks between which it plays."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider

from app.viewmodel.presenters.ruler import horizon_boundaries, ticks
from app.viewmodel.state.view_state import ViewState
from surrogate.render.theme import THEMES

MARGIN, GROOVE, LABELS, HEIGHT = 12.0, 10.0, 30.0, 34
"""Free at either side; the groove's middle and the labels' foot from the top; the whole [pixel]."""

LABEL_ROOM = 62.0
"""Between two times [pixel]."""


class Scrubber(QSlider):
    """A slider over the frames; drawn by itself, so that what it shows costs a paint and no widgets."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName("time")
        self._looks: tuple[object, ...] = ()
        self._times: tuple[float, float] = (0.0, 1.0)
        self._horizon: float | None = None
        self._marks: tuple[int | None, int | None] = (None, None)
        self._theme = THEMES["dark"]

    def show_state(self, state: ViewState) -> None:
        """Take what is drawn; repainted only if it differs (the slider itself sees to its value)."""
        result, playback = state.result, state.playback
        looks = (id(result), playback.mark_in, playback.mark_out, state.view.theme)
        if looks == self._looks:
            return
        self._looks = looks
        if result is not None:
            times = result.comparison.truth.times
            self._times, self._horizon = (float(times[0]), float(times[-1])), result.comparison.horizon
        self._marks, self._theme = (playback.mark_in, playback.mark_out), THEMES[state.view.theme]
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Wide."""
        return QSize(300, HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As high as its two lines."""
        return QSize(120, HEIGHT)

    def place_of(self, frame: float) -> float:
        """Where a frame is, from the left [pixel]."""
        span = max(self.maximum() - self.minimum(), 1)
        return MARGIN + (self.width() - 2 * MARGIN) * frame / span

    def frame_at(self, x: float) -> int:
        """The frame at a place [pixel]."""
        share = (x - MARGIN) / max(self.width() - 2 * MARGIN, 1.0)
        return round(min(max(share, 0.0), 1.0) * self.maximum())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Go there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Go along."""
        if self.isSliderDown():
            self.setValue(self.frame_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Stay."""
        self.setSliderDown(False)

    def _place_of_time(self, time: float) -> float:
        first, last = self._times
        return self.place_of((time - first) / (last - first) * self.maximum() if last > first else 0.0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Groove, what is played of it, boundaries, times, the handle."""
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, right = self.place_of(0), self.place_of(self.maximum())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawRoundedRect(QRectF(left, GROOVE - 2, right - left, 4), 2, 2)
        start, end = self._marks
        first = self.place_of(start or 0)
        last = right if end is None else self.place_of(min(end, self.maximum()))
        now = self.place_of(self.value())
        painter.setBrush(QColor(theme.forecast))
        painter.drawRect(QRectF(first, GROOVE - 2, max(min(now, last) - first, 0.0), 4))
        if self.maximum() > 0:
            self._draw_times(painter)
            self._draw_marks(painter)
        painter.setPen(QPen(QColor(theme.forecast), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.text))
        painter.drawEllipse(QPointF(now, GROOVE), 6.5, 6.5)
        painter.end()

    def _draw_times(self, painter: QPainter) -> None:
        theme, (first, last) = self._theme, self._times
        if self._horizon:
            painter.setPen(QPen(QColor(theme.muted), 1))
            for time in horizon_boundaries(first, last, self._horizon):
                x = self._place_of_time(time)
                painter.drawLine(QPointF(x, GROOVE - 6), QPointF(x, GROOVE + 6))
        painter.setPen(QPen(QColor(theme.muted), 1))
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        for time in ticks(first, last, int((self.width() - 2 * MARGIN) / LABEL_ROOM)).tolist():
            x = self._place_of_time(time)
            painter.drawLine(QPointF(x, GROOVE + 4), QPointF(x, GROOVE + 9))
            box = QRectF(x - 0.5 * LABEL_ROOM, LABELS - 12, LABEL_ROOM, 13)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, f"{time:g}")

    def _draw_marks(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(self._theme.warning), 2))
        for frame, side in ((self._marks[0], 1.0), (self._marks[1], -1.0)):
            if frame is not None:
                x = self.place_of(min(frame, self.maximum()))
                painter.drawPolyline(
                    [
                        QPointF(x + 5 * side, GROOVE - 8),
                        QPointF(x, GROOVE - 8),
                        QPointF(x, GROOVE + 8),
                        QPointF(x + 5 * side, GROOVE + 8),
                    ]
                )
