"""Scenes of points joined by lines: graphs with their nodes in n dimensions, molecules with their bonds. NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.render.animation import Bytes
from surrogate.render.colourings import Legend
from surrogate.render.projection import axis_labels, default_view_basis, project, rounded_up
from surrogate.render.scene import Pane, Scene
from surrogate.render.theme import DARK, Theme


@dataclass(frozen=True, eq=False)
class LinkedPoints:
    """What one pane shows.

    Attributes
    ----------
    points : (N, n) float64 array
    colours : (N, 3) uint8 array
    radii : (N,) float64 array, in units of the points
    links : (E, 2) int array
        Which points are joined.
    link_colours : (E, 3) uint8 array
    title, subtitle, footer, badge : str
    """

    points: FloatArray
    colours: Bytes
    radii: FloatArray
    links: NDArray[np.int64]
    link_colours: Bytes
    title: str
    subtitle: str = ""
    footer: str = ""
    badge: str = ""


def linked_scene(
    shown: Sequence[LinkedPoints],
    legend: Legend,
    *,
    headline: str = "",
    basis: FloatArray | None = None,
    theme: Theme = DARK,
) -> Scene:
    """Panes side by side, under one camera and one scale.

    Parameters
    ----------
    shown : sequence of LinkedPoints
        Of equal n.
    basis : (n, 3) float64 array, optional
        The view; the default one of n dimensions when left out.
    """
    n = shown[0].points.shape[1]
    view = default_view_basis(n) if basis is None else basis
    every = np.concatenate([one.points for one in shown])
    centre = every.mean(0)
    radius = rounded_up(float(np.linalg.norm(every - centre, axis=1).max()))
    focus = project(centre, view)
    return Scene(
        panes=tuple(_pane(one, view, index) for index, one in enumerate(shown)),
        headline=headline,
        centre=focus,
        radius=radius,
        focus=focus,
        axes=view,
        labels=axis_labels(n),
        legend=legend,
        theme=theme,
        colour_range=(0.0, 1.0),
    )


def _pane(one: LinkedPoints, view: FloatArray, index: int) -> Pane:
    points = project(one.points, view).astype(np.float32)
    ends = points[one.links].swapaxes(0, 1) if len(one.links) else np.zeros((2, 0, 3), dtype=np.float32)
    opaque = np.full((2, len(one.links), 1), 255, dtype=np.uint8)
    shades = np.broadcast_to(one.link_colours, (2, len(one.links), 3)).astype(np.uint8)
    return Pane(
        source="truth" if index == 0 else "forecast",
        title=one.title,
        subtitle=one.subtitle,
        badge=one.badge,
        footer=one.footer,
        points=points,
        colours=one.colours,
        radii=one.radii.astype(np.float32),
        signs=np.zeros(len(points), dtype=np.int8),
        seen=np.ones(len(points), dtype=np.float32),
        trails=ends,
        trail_colours=np.concatenate([shades, opaque], axis=2),
    )
