"""Lengths as a graphics card takes them: a scene far from length 1 is drawn in units of its radius.

Cards compute in float32, where squares of lengths below 1e-19 are 0 and those above 1e19 infinite.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from physics.types import FloatArray
from surrogate.render.arrows import Singles
from surrogate.render.scene import Pane, Scene

Lengths = TypeVar("Lengths", FloatArray, Singles, Singles | None)

SMALLEST, LARGEST = 1e-4, 1e6
"""Radii of scenes that are drawn as they are [length]."""


def drawn_unit(radius: float) -> float:
    """The length that is drawn as 1, for a scene of this radius: 1, or the radius where it is far from that."""
    return 1.0 if SMALLEST <= radius <= LARGEST else radius


def in_units_of(scene: Scene, unit: float) -> Scene:
    """The scene with all its lengths in another unit."""
    if unit == 1.0:
        return scene

    def scaled(lengths: Lengths) -> Lengths:
        if lengths is None:
            return lengths
        return np.asarray(lengths.astype(np.float64) / unit).astype(lengths.dtype)

    def pane(p: Pane) -> Pane:
        names = ("points", "radii", "trails", "ghosts", "link_ends")
        return replace(p, **{name: scaled(getattr(p, name)) for name in names})

    vectors, box = scene.vectors, scene.box
    if vectors is not None:
        vectors = replace(vectors, points=scaled(vectors.points), spans=scaled(vectors.spans))
    return replace(
        scene,
        panes=tuple(pane(p) for p in scene.panes),
        centre=scaled(scene.centre),
        radius=scene.radius / unit,
        focus=scaled(scene.focus),
        vectors=vectors,
        box=None if box is None else scaled(box),
    )
