"""What stands over one pane, in pixels: titles, badge, read-out, legend, orientation axes. VTK, loaded when used.

The layout is redone just before each rendering (the renderer's StartEvent), so that it follows the size of
the pane and the camera, by whatever they were changed.
"""

from functools import partial
from typing import Any

import numpy as np

from surrogate.render.legend import LegendActors
from surrogate.render.orientation_axes import OrientationAxes
from surrogate.render.pixels import PixelMesh, text_actor
from surrogate.render.scene import Pane, Scene
from surrogate.render.text_wrapping import fitted, wrapped
from surrogate.render.theme import rgb

HEAD_LINES = (24.0, 22.0, 22.0)
"""Height of a line of title, subtitle and badge [pixel at scale 1]; the lines after the first are closer."""

MOST_LINES = 3


class Overlay:
    """What stands over one pane: titles, badge, read-out; orientation axes in the first, the legend in the last.

    Parameters
    ----------
    renderer : vtkRenderer
    scene : Scene
    index : int
        Which pane.
    scale : float
        Device pixels per layout pixel.
    """

    def __init__(self, renderer: Any, scene: Scene, index: int, scale: float) -> None:
        theme = scene.theme
        self._renderer, self._scale, self._first = renderer, scale, index == 0
        self._last = index == len(scene.panes) - 1
        accent = {"truth": theme.truth, "forecast": theme.forecast, "rollout": theme.rollout}
        colour = accent[scene.panes[index].source]
        self._title = text_actor(renderer, 17 * scale, colour, True, "Top", theme.background)
        self._subtitle = text_actor(renderer, 13 * scale, theme.muted, False, "Top", theme.background)
        self._badge = text_actor(renderer, 13 * scale, theme.warning, True, "Top", theme.background)
        self._footer = text_actor(renderer, 14 * scale, colour, True, "Bottom", theme.background)
        self._headline = text_actor(renderer, 13 * scale, theme.text, False, "Bottom", theme.background)
        self._texts = [self._title, self._subtitle, self._badge, self._footer, self._headline]
        self._legend: LegendActors | None = None
        self._legend_of: object = None
        self._edge = PixelMesh(renderer, 2, [(0, 1)], [], 1.0 * scale) if index else None
        if self._edge is not None:
            self._edge.mesh.cell_data["colour"][:] = rgb(theme.line)
        self._axes = OrientationAxes(renderer, scene, scale) if self._first else None
        self._observer = renderer.AddObserver("StartEvent", self._layout)
        self._head_actors = (self._title, self._subtitle, self._badge)
        self._words: tuple[str, ...] = ()
        self._fitted: tuple[object, ...] = ()
        self.update(scene, scene.panes[index])

    def update(self, scene: Scene, pane: Pane) -> None:
        """Change the words; VTK redraws a text only if it differs."""
        self._words = (pane.title, pane.subtitle, pane.badge)
        self._foot, self._head = pane.footer, scene.headline if self._first else ""
        if self._last and scene.legend != self._legend_of:
            if self._legend is not None:
                self._legend.remove()
            self._legend = LegendActors(self._renderer, scene.legend, scene.theme, self._scale)
            self._legend_of = scene.legend
        if self._axes is not None:
            self._axes.update(scene)

    def remove(self) -> None:
        """Take everything off the renderer."""
        self._renderer.RemoveObserver(self._observer)
        for actor in self._texts:
            self._renderer.RemoveViewProp(actor)
        for part in (self._axes, self._legend, self._edge):
            if part is not None:
                part.remove()

    def _layout(self, *_event: object) -> None:
        width, height = self._renderer.GetSize()
        s = self._scale
        margin = 16 * s if width > 260 * s else 9 * s
        # what is above the ball that the camera frames; the words there cover no particle
        self._fit(width - 1.5 * margin, 0.5 * (height - min(width, height)))
        top = height - 14 * s
        for actor, line in zip(self._head_actors, HEAD_LINES, strict=True):
            actor.SetPosition(margin, top)
            top -= _head_height(actor.GetInput(), line * s)
        used = self._place_foot(width, margin)
        right = width - margin
        # what stands at the right shares the foot with the words if there is room, else it stands on them
        corner = max(
            self._legend.width + 8 * s if self._legend is not None else 0.0, 110 * s if self._first else 0.0
        )
        raised = 14 * s if used[0] + corner + margin < width else 14 * s + used[1] + 6 * s
        # and only where it stays below the titles: a pane may be tiny
        for part in (self._legend, self._axes):
            if part is not None:
                fits = raised + part.height < top
                part.show(fits)
                if fits:
                    part.place(right, raised)
                    raised += part.height + 10 * s
        if self._edge is not None:
            self._edge.move(np.array([[0.5, 0.0], [0.5, height]]))

    def _place_foot(self, width: float, margin: float) -> tuple[float, float]:
        """Put the read-out at the foot, the scene's above the pane's own; its (width, height) [pixel]."""
        s = self._scale
        bottom, widest = 14 * s, 0.0
        # these words change with every frame: wrapped by count, not measured
        for actor, text, letter, line in (
            (self._footer, self._foot, 7.4 * s, 19 * s),
            (self._headline, self._head, 6.5 * s, 17.5 * s),
        ):
            words = wrapped(text, int((width - margin) / letter))
            actor.SetInput(words)
            actor.SetPosition(margin, bottom)
            if words:
                lines = words.split("\n")
                bottom += line * len(lines) + 3 * s
                widest = max(widest, letter * max(map(len, lines)))
        return margin + widest, bottom - 14 * s

    def _fit(self, width: float, room: float) -> None:
        """Wrap the words where the pane is narrow, and cut them where the room is low: a tool tip has them all.

        Measured only when they or the pane changed.
        """
        key = (width, room, *self._words)
        if key == self._fitted:
            return
        self._fitted = key
        for actor, text, line in zip(self._head_actors, self._words, HEAD_LINES, strict=True):
            # panes differ by their title: always two lines of it
            least = 2 if actor is self._title else 1
            n_lines = min(max(int(room / (0.8 * line * self._scale)), least), MOST_LINES)
            actor.SetInput(fitted(text, width, n_lines, partial(self._width, actor)))
            room -= _head_height(actor.GetInput(), line * self._scale)

    def _width(self, actor: Any, text: str) -> float:
        actor.SetInput(text)
        box = [0.0] * 4
        actor.GetBoundingBox(self._renderer, box)
        return box[1] - box[0]


def _head_height(words: str, line: float) -> float:
    """Room that words at the head take, a `line` high each [pixel]."""
    return line + words.count("\n") * 0.8 * line if words else 0.0
