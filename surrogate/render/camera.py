"""Where the camera stands, relative to what it looks at: good for scenes and panes of any size."""

from dataclasses import dataclass

import numpy as np

Vector = tuple[float, float, float]

LEAST, MOST = 1e-3, 1e3
"""How near and how far a camera may be, in the distance of the view that a picture starts with."""


@dataclass(frozen=True)
class Camera:
    """A camera that was moved.

    Attributes
    ----------
    towards : (float, float, float)
        From what it looks at to the camera, unit vector of the drawn space.
    up : (float, float, float)
        What is up in the picture, unit vector of the drawn space.
    distance : float
        In that of the view that a picture starts with, which just holds all; in a flat scene the scale.
    shift : (float, float, float)
        What it looks at, from the scene's focus on, in radii of the scene.
    flat : bool
        Of a scene without depth; the two kinds say nothing of each other.
    """

    towards: Vector
    up: Vector
    distance: float
    shift: Vector
    flat: bool = False

    @property
    def trouble(self) -> str:
        """Why no camera can stand there; empty where one can."""
        towards, up = np.array(self.towards), np.array(self.up)
        if max(abs(np.linalg.norm(towards) - 1.0), abs(np.linalg.norm(up) - 1.0)) > 1e-3:
            return "towards and up must have length 1"
        if np.linalg.norm(np.cross(towards, up)) < 1e-3:
            return "up must not be towards the camera"
        if not LEAST <= self.distance <= MOST:
            return f"distance {self.distance:g}; expected {LEAST:g} to {MOST:g}"
        return "" if max(map(abs, self.shift)) <= MOST else f"shift; expected at most {MOST:g}"
