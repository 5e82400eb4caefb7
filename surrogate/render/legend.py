"""The legend of a picture in the corner of its last pane: a colour bar with its ends, or a key. VTK when used."""

from typing import Any

import numpy as np

from surrogate.render.captions import GAP
from surrogate.render.colourings import Legend
from surrogate.render.pixels import PixelMesh, arrow_mesh, text_actor
from surrogate.render.theme import Theme, ramp_colours, rgb

BAR_WIDTH, BAR_HEIGHT, LINE, LETTER = 128.0, 9.0, 16.0, 6.4
"""Sizes [pixel at scale 1]."""

STEPS = 32
CORNERS = 14


class LegendActors:
    """Draws a :class:`Legend`; made for one, its texts and colours do not change.

    Attributes
    ----------
    height : float [pixel]
    """

    def __init__(self, renderer: Any, legend: Legend, theme: Theme, scale: float) -> None:
        self._renderer, self._scale, self._legend = renderer, scale, legend
        self._bar = self._discs = None

        def text(words: str, side: str = "Left", strong: bool = False) -> Any:
            colour = theme.text if strong else theme.muted
            made = text_actor(renderer, 12 * scale, colour, False, "Bottom", theme.background)
            made.SetInput(words)
            getattr(made.GetTextProperty(), f"SetJustificationTo{side}")()
            self._texts.append(made)
            return made

        self._texts: list[Any] = []
        self._title = text(legend.title, strong=True)
        self._notes = text(GAP.join(legend.notes), "Right")
        self._words = [text(word) for word, _ in legend.key]
        self._ends = [text(legend.low), text(legend.high, "Right")] if legend.ramp else []
        if legend.ramp:
            boxes: list[tuple[int, ...]] = [(4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3) for k in range(STEPS)]
            self._bar = PixelMesh(renderer, 4 * STEPS, [], boxes)
            shades = ramp_colours(np.linspace(0.0, 1.0, STEPS), legend.ramp)
            self._bar.mesh.cell_data["colour"][:] = shades
        if legend.key:
            faces = [tuple(range(CORNERS * k, CORNERS * (k + 1))) for k in range(len(legend.key))]
            self._discs = PixelMesh(renderer, CORNERS * len(faces), [], faces)
            self._discs.mesh.cell_data["colour"][:] = np.stack([rgb(colour) for _, colour in legend.key])
        self._signs: PixelMesh | None = None
        self._arrows = [text(word) for word, _ in legend.arrows]
        if legend.arrows:
            self._signs = arrow_mesh(renderer, len(legend.arrows), scale)
            colours = np.stack([rgb(colour) for _, colour in legend.arrows])
            self._signs.mesh.cell_data["colour"][:] = np.concatenate([colours, colours])
        rows = 1.0 + len(legend.key) + (1.0 if legend.notes else 0.0) + (1.7 if legend.ramp else 0.0)
        rows += 0.1 + len(legend.arrows) if legend.arrows else 0.0
        self.height = rows * LINE * scale
        self.width = max(BAR_WIDTH, LETTER * len(GAP.join(legend.notes))) * scale

    def place(self, right: float, bottom: float) -> None:
        """Put its lower right corner at a point of the pane [pixel]."""
        s = self._scale
        left, line = right - BAR_WIDTH * s, LINE * s
        if self._legend.notes:
            self._notes.SetPosition(right, bottom)
            bottom += line
        if self._bar is not None:
            for actor, at in zip(self._ends, (left, right), strict=True):
                actor.SetPosition(at, bottom)
            bottom += line
            edges = np.linspace(left, right, STEPS + 1)
            low, high = edges[:-1], edges[1:]
            base, top = np.full(STEPS, bottom), np.full(STEPS, bottom + BAR_HEIGHT * s)
            corners = [(low, base), (high, base), (high, top), (low, top)]
            points = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
            self._bar.move(points.reshape(-1, 2))
            bottom += 0.7 * line
        if self._discs is not None:
            turn = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)
            disc = 4.5 * s * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            centres = []
            for word in reversed(self._words):
                word.SetPosition(left + 14 * s, bottom)
                centres.append((left + 5 * s, bottom + 7 * s))
                bottom += line
            self._discs.move(np.concatenate([disc + np.array(centre) for centre in reversed(centres)]))
        self._title.SetPosition(left, bottom)
        bottom += 1.1 * line
        if self._signs is not None:
            shape = s * np.array([[0, 0], [14, 0], [14, 0], [8, 3.2], [8, -3.2]])
            places = []
            longest = max(len(word) for word, _ in self._legend.arrows)
            foot = min(left, right - (20 + LETTER * longest) * s)
            for word in reversed(self._arrows):
                word.SetPosition(foot + 20 * s, bottom)
                places.append((foot, bottom + 7 * s))
                bottom += line
            self._signs.move(np.concatenate([shape + np.array(place) for place in reversed(places)]))

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        for actor in self._texts:
            actor.SetVisibility(visible)
        for part in (self._bar, self._discs, self._signs):
            if part is not None:
                part.show(visible)

    def remove(self) -> None:
        """Take everything off the renderer."""
        for actor in self._texts:
            self._renderer.RemoveViewProp(actor)
        for part in (self._bar, self._discs, self._signs):
            if part is not None:
                part.remove()
