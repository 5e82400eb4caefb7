"""Arrows of a picture: vectors at points of space, the electric and the magnetic field of a system. Pure NumPy.

A uniform field looks the same everywhere: a few arrows about the origin say so. A magnetic field is an
antisymmetric matrix. In three dimensions its arrows are those of the dual vector; in any other number of
dimensions it has none, and rings of arrows in the planes it turns show which way positive charges go round, the
ring of the strongest plane the widest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.fields import Fields
from physics.types import FloatArray
from surrogate.render.captions import short_number
from surrogate.render.options import FieldVectors
from surrogate.render.projection import project
from surrogate.render.theme import Theme, rgb

Singles = NDArray[np.float32]

ARROW_SIZE = 0.3
"""Length of the longest arrow of a field, as a share of the framing radius."""

REACH = 0.66
"""How far from the origin the arrows of a field stand, as a share of the framing radius."""

RING, RING_ARROWS = 0.82, 18
"""Radius of the widest ring, outside the other arrows, as a share of the framing radius; arrows of each ring."""

NOTHING = 1e-9
"""A plane that turns so much slower than the fastest one does not turn."""


@dataclass(frozen=True, eq=False)
class Arrows:
    """Vectors as drawn.

    Attributes
    ----------
    points : (n_arrows, 3) float32 [length]
        Their feet.
    spans : (n_arrows, 3) float32 [length]
        From foot to head.
    colours : (n_arrows, 3) uint8
    """

    points: Singles
    spans: Singles
    colours: NDArray[np.uint8]


def arrows(field: FieldVectors, basis: FloatArray, radius: float, colour: str) -> Arrows:
    """A field as drawn: `field.longest` becomes ARROW_SIZE of the framing radius, longer ones are cut to it."""
    if field.points.shape != field.values.shape or field.points.ndim != 2 or field.points.shape[1] != len(basis):
        raise InputError(
            f"vectors must have points and values (n_vectors, {len(basis)}); "
            f"got {field.points.shape} and {field.values.shape}"
        )
    if not field.longest > 0:
        raise InputError(f"the longest vector must be above 0; got {field.longest}")
    size = np.linalg.norm(field.values, axis=1, keepdims=True)
    fitting = np.minimum(1.0, np.divide(field.longest, size, out=np.ones_like(size), where=size > 0))
    spans = project(field.values * fitting, basis) * (ARROW_SIZE * radius / field.longest)
    colours = np.tile(rgb(colour).astype(np.uint8), (len(size), 1))
    return Arrows(project(field.points, basis).astype(np.float32), spans.astype(np.float32), colours)


def joined(parts: list[Arrows]) -> Arrows | None:
    """Some arrows as one; None without any."""
    if not parts:
        return None
    return Arrows(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.spans for part in parts]),
        np.concatenate([part.colours for part in parts]),
    )


def turning_planes(magnetic: FloatArray) -> list[tuple[float, FloatArray]]:
    """The planes an antisymmetric matrix turns, the fastest first: its rate, and (2, n) orthonormal axes.

    B u = rate w and B w = -rate u for the axes (u, w): a positive charge goes round from u to w.
    """
    largest = float(np.abs(magnetic).max(initial=0.0))
    if largest == 0.0:
        return []
    tidy = np.round(magnetic / largest, 12)  # equally fast planes can be chosen freely: not by round-off
    rates, vectors = np.linalg.eigh(1j * tidy)
    turning = [k for k in np.argsort(-rates) if rates[k] > NOTHING]
    return [
        (largest * float(rates[k]), np.sqrt(2.0) * np.stack([vectors[:, k].real, vectors[:, k].imag]))
        for k in turning
    ]


def field_vectors(fields: Fields, rotation: FloatArray, radius: float) -> dict[str, FieldVectors]:
    """The arrows of "electric" and "magnetic", as far as there are such fields, in lengths as drawn.

    Parameters
    ----------
    fields : Fields
        As the world is turned.
    rotation : (n, n) float64
        The world rotation: the arrows go round with the world, like the particles.
    radius : float [length]
        Of the framing ball.
    """
    n, made = len(rotation), dict[str, tuple[FloatArray, FloatArray]]()
    before = fields.transformed(rotation.T)
    longest = ARROW_SIZE * radius
    if before.electric.any():
        axes = REACH * radius * np.eye(n)
        centres = np.concatenate([axes, -axes])
        made["electric"] = centres, np.tile(longest * _unit(before.electric), (len(centres), 1))
    if before.magnetic.any() and n == 3:
        dual = np.array([before.magnetic[1, 2], before.magnetic[2, 0], before.magnetic[0, 1]])
        dual *= np.linalg.det(rotation)  # an axial vector: a reflection changes its sense
        corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * n), axis=-1).reshape(-1, n)
        centres = REACH * radius * n**-0.5 * corners
        made["magnetic"] = centres, np.tile(longest * _unit(dual), (len(centres), 1))
    elif before.magnetic.any():
        made["magnetic"] = _rings(before.magnetic, radius)
    return {
        name: FieldVectors((centres - 0.5 * values) @ rotation.T, values @ rotation.T, longest)
        for name, (centres, values) in made.items()
    }


def _rings(magnetic: FloatArray, radius: float) -> tuple[FloatArray, FloatArray]:
    """Centres and spans of the arrows of every ring."""
    planes = turning_planes(magnetic)
    angles = 2.0 * np.pi * np.arange(RING_ARROWS + 1) / RING_ARROWS
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    knots = [RING * radius * (rate / planes[0][0]) * circle @ axes for rate, axes in planes]
    feet, heads = (np.concatenate([k[part] for k in knots]) for part in (slice(None, -1), slice(1, None)))
    return 0.5 * (feet + heads), heads - feet


def field_key(fields: Fields, theme: Theme) -> tuple[tuple[str, str], ...]:
    """Word and colour of each field, with how strong it is, for the legend."""
    key = []
    if fields.electric.any():
        key.append((f"electric {short_number(float(np.linalg.norm(fields.electric)))}", theme.electric))
    if fields.magnetic.any():
        rates = [short_number(rate) for rate, _ in turning_planes(fields.magnetic)]
        words = ", ".join(rates) if len(rates) < 3 else f"up to {rates[0]}"
        turns = "" if len(fields.magnetic) == 3 else " (+ turns so)"
        key.append((f"magnetic {words}{turns}", theme.magnetic))
    return tuple(key)


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
