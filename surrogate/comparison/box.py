"""The periodic box of a comparison, under its world rotation: where positions that run on are drawn."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from physics.boundaries import wrapped
from physics.types import FloatArray

MOST_DRAWN = 6
"""Dimensions up to which its edges are drawn: n * 2^(n-1) of them."""


@dataclass(frozen=True, eq=False)
class PeriodicBox:
    """A box that turns with the world.

    Attributes
    ----------
    corner : (n_dims,) float64 [length]
    edges : (n_dims, n_dims) float64 [length]
        Row a is the edge along the axis a of the unturned world; they are orthogonal.
    """

    corner: FloatArray
    edges: FloatArray

    @property
    def lengths(self) -> FloatArray:
        """Of the edges, (n_dims,) [length]."""
        return np.asarray(np.linalg.norm(self.edges, axis=1))

    @property
    def axes(self) -> FloatArray:
        """Unit vectors along the edges, (n_dims, n_dims); `axes @ x` is x in the unturned world."""
        return np.asarray(self.edges / self.lengths[:, None])

    @property
    def middle(self) -> FloatArray:
        """(n_dims,) [length]."""
        return np.asarray(self.corner + 0.5 * self.edges.sum(axis=0))

    @property
    def radius(self) -> float:
        """Of the ball around it [length]."""
        return 0.5 * float(np.linalg.norm(self.lengths))

    def edge_ends(self) -> FloatArray:
        """Both ends of every edge, (2, n_edges, n_dims); none beyond MOST_DRAWN dimensions [length]."""
        n = len(self.corner)
        if n > MOST_DRAWN:
            return np.empty((2, 0, n))
        corners = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
        ends = [(c, c + step) for c in corners for k, step in enumerate(np.eye(n)) if c[k] == 0]
        return np.asarray(self.corner + np.array(ends).swapaxes(0, 1) @ self.edges)

    def turned(self, rotation: FloatArray) -> "PeriodicBox":
        """The box after every position x became `rotation @ x`."""
        return PeriodicBox(rotation @ self.corner, self.edges @ rotation.T)

    def wrapped(self, positions: FloatArray) -> FloatArray:
        """Positions (..., n_dims) brought into the box."""
        axes, middle = self.axes, 0.5 * self.lengths
        along = (positions - self.corner) @ axes.T - middle
        return np.asarray(self.corner + (wrapped(along, self.lengths) + middle) @ axes)

    def nearest_to(self, positions: FloatArray, others: FloatArray) -> FloatArray:
        """Positions (..., n_dims) at their images that are nearest to `others`."""
        axes = self.axes
        return np.asarray(others + wrapped((positions - others) @ axes.T, self.lengths) @ axes)

    def beside(self, positions: FloatArray, truth: FloatArray) -> FloatArray:
        """Positions as they are; at their images nearest to the truth where only they stay in the box."""
        if self.holds(positions) and not self.holds(truth):
            return self.nearest_to(positions, truth)
        return positions

    def holds(self, positions: FloatArray) -> bool:
        """Whether all positions (..., n_dims) lie in it."""
        along = (positions - self.corner) @ self.axes.T / self.lengths
        return bool((along >= -1e-6).all() and (along <= 1 + 1e-6).all())


def periodic_box(lengths: ArrayLike, positions: FloatArray, rotation: FloatArray) -> PeriodicBox:
    """The box of these lengths, its corner or its middle at the origin, whichever holds more of the positions.

    Parameters
    ----------
    lengths : (n_dims,) [length]
    positions : (n_particles, n_dims) float64 [length]
        Before the world is turned.
    rotation : (n_dims, n_dims) float64
        The world rotation.
    """
    sides = np.asarray(lengths, dtype=np.float64)
    corners = (np.zeros_like(sides), -0.5 * sides)
    inside = [float(((positions >= c) & (positions <= c + sides)).mean()) for c in corners]
    corner = corners[int(np.argmax(inside))]
    return PeriodicBox(rotation @ corner, sides[:, None] * rotation.T)
