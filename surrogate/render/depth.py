"""What the drawn space hides: how far off it points lie, how they fade for it, how much of them is seen."""

import numpy as np

from physics.errors import InputError
from physics.types import FloatArray
from surrogate.render.options import ViewOptions
from surrogate.render.projection import Framing, hidden_radius, project

STRONGEST_FADE = 0.85
"""How far the depth cue fades what is a framing radius away, at `fade_hidden` 1."""

OUTSIDE_SLICE = 0.07
"""What is left of the colour outside a slice."""


def most_hidden_axis(basis: FloatArray) -> int:
    """The axis that the view basis shows shortest; the last one if several are alike."""
    shown = np.linalg.norm(basis, axis=1).round(9)
    return int(len(shown) - 1 - np.argmin(shown[::-1]))


def chosen_axis(options: ViewOptions, basis: FloatArray) -> int:
    """The axis of `options.hidden_axis`, checked; else the most hidden one."""
    n = len(basis)
    if options.hidden_axis is None:
        return most_hidden_axis(basis)
    if not 0 <= options.hidden_axis < n:
        raise InputError(f"hidden axis {options.hidden_axis} does not exist in {n} dimensions (0 to {n - 1})")
    return options.hidden_axis


def hidden_distance(
    positions: FloatArray, options: ViewOptions, basis: FloatArray, centre: FloatArray
) -> FloatArray:
    """How far off the drawn space points lie, as `options.depth_by` says, (...) float64 [length], never negative.

    Parameters
    ----------
    positions : (..., n_dims) float64 [length]
    """
    if options.depth_by == "radius":
        return hidden_radius(positions - centre, basis)
    axis = chosen_axis(options, basis)
    return np.asarray(np.abs(positions[..., axis] - centre[axis]))


def visibility(positions: FloatArray, options: ViewOptions, basis: FloatArray, frames: Framing) -> FloatArray:
    """How much of its colour each point keeps, (...) float64 in 0..1.

    The depth cue falls evenly with the distance off the drawn space; a slice keeps all up to its thickness,
    and nearly nothing beyond one and a half of it.
    """
    kept = np.ones(positions.shape[:-1])
    if options.fade_hidden <= 0 and options.slice_thickness is None:
        return kept
    off = hidden_distance(positions, options, basis, frames.centre)
    if options.fade_hidden > 0:
        cue = STRONGEST_FADE * min(options.fade_hidden, 1.0)
        kept -= cue * np.clip(off / frames.radius, 0.0, 1.0)
    if options.slice_thickness is not None:
        if not options.slice_thickness > 0:
            raise InputError(f"slice thickness must be above 0; got {options.slice_thickness}")
        beyond = np.clip((off / options.slice_thickness - 1.0) / 0.5, 0.0, 1.0)
        kept *= 1.0 - (1.0 - OUTSIDE_SLICE) * beyond
    return kept


def visible_fraction(positions: FloatArray, basis: FloatArray, centre: FloatArray) -> FloatArray:
    """Which part of the particles' distance from the centre is drawn, |V^T x| / |x| over all of them, (n_frames,).

    Parameters
    ----------
    positions : (n_frames, n_particles, n_dims) float64 [length]
    """
    away = positions - centre
    whole = (away**2).sum(axis=(1, 2))
    drawn = (project(away, basis) ** 2).sum(axis=(1, 2))
    return np.asarray(np.sqrt(np.divide(drawn, whole, out=np.ones_like(whole), where=whole > 0)))
