"""The icons of resources/icons in the colours of the theme."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from resources import ICONS
from surrogate.render.theme import THEMES

SIZE = 20
SCALES = (1, 2)
"""Device pixels for each pixel that the icons are drawn for."""


@lru_cache(maxsize=256)
def themed_icon(name: str, theme: str) -> QIcon:
    """`resources/icons/NAME.svg`, its `currentColor` the text of the theme; muted when disabled."""
    palette = THEMES[theme]
    text = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, state, colour in (
        (QIcon.Mode.Normal, QIcon.State.Off, palette.text),
        (QIcon.Mode.Normal, QIcon.State.On, palette.background),  # on the accent of a checked button
        (QIcon.Mode.Disabled, QIcon.State.Off, palette.line),
    ):
        for scale in SCALES:
            icon.addPixmap(_drawn(text.replace("currentColor", colour), scale), mode, state)
    return icon


def _drawn(svg: str, scale: int) -> QPixmap:
    pixmap = QPixmap(SIZE * scale, SIZE * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, SIZE * scale, SIZE * scale))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
