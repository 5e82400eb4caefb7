"""From n dimensions to the three that can be drawn: the view basis V, what it hides, and a frame that keeps still.

The view basis is not the world rotation and not the camera: it changes no number, only the picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from physics.errors import InputError
from physics.types import FloatArray, Trajectory

VIEW_AZIMUTH = float(np.radians(-58.0))
"""Where the default camera stands, about the third drawn axis [radian]."""

RUNAWAY = 1.3
"""A forecast may widen the frame up to this multiple of the truth's radius; what flies further leaves it."""


def axis_view_basis(n_dims: int, axes: tuple[int, ...] = (0, 1, 2)) -> FloatArray:
    """A view along coordinate axes: axes[k] of space is drawn along display axis k, (n_dims, 3) float64.

    Columns without an axis (n_dims below 3) are zero.
    """
    basis = np.zeros((n_dims, 3))
    for column, axis in enumerate(axes[: min(n_dims, 3)]):
        if not 0 <= axis < n_dims:
            raise InputError(f"axis {axis} does not exist in {n_dims} dimensions (axes 0 to {n_dims - 1})")
        basis[axis, column] = 1.0
    return basis


def default_view_basis(n_dims: int) -> FloatArray:
    """The view a picture starts with, (n_dims, 3) float64 with orthonormal (or, below n = 3, zero) columns.

    Notes
    -----
    Up to n = 3 the coordinate axes themselves: a line, the plane, space. Above, the harmonic tight frame
    V_i = (sqrt(2/n) cos a_i, sqrt(2/n) sin a_i, 1 / sqrt(n)) with a_i = a_0 + 2 pi i / n: the n axes appear as
    the ribs of an umbrella, evenly spread and all of the same length sqrt(3/n), so that no direction in which
    a forecast can be wrong is hidden (the first three axes would hide n - 3 of them altogether). a_0 makes the
    default camera look between two ribs.
    """
    if n_dims < 1:
        raise InputError(f"n_dims must be at least 1; got {n_dims}")
    if n_dims <= 3:
        return axis_view_basis(n_dims)
    angle = VIEW_AZIMUTH + 2.0 * np.pi * (np.arange(n_dims) + 0.3) / n_dims
    ring = np.sqrt(2.0 / n_dims)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), np.full(n_dims, n_dims**-0.5)], axis=1)


def view_basis(values: ArrayLike, n_dims: int) -> FloatArray:
    """`values` checked as a view basis of n dimensions, (n_dims, 3) float64.

    Raises
    ------
    InputError
        If the shape is wrong or the non-zero columns are not orthonormal.
    """
    basis = np.asarray(values, dtype=np.float64)
    if basis.shape != (n_dims, 3):
        raise InputError(f"view basis must be ({n_dims}, 3); got shape {basis.shape}")
    gram = basis.T @ basis
    expected = np.diag((np.diag(gram) > 1e-12).astype(np.float64))
    if not np.abs(gram - expected).max() < 1e-6:
        raise InputError("view basis must have orthonormal (or zero) columns")
    return basis


def project(positions: FloatArray, basis: FloatArray) -> FloatArray:
    """Where points are drawn: positions @ basis.

    Parameters
    ----------
    positions : (..., n_dims) float64 [length]
    basis : (n_dims, 3) float64

    Returns
    -------
    (..., 3) float64 [length]
    """
    return np.asarray(positions @ basis)


def hidden_radius(positions: FloatArray, basis: FloatArray) -> FloatArray:
    """How far each point lies off the drawn space, |(I - V V^T) x|, (...) float64 [length]."""
    return np.asarray(np.linalg.norm(positions - positions @ basis @ basis.T, axis=-1))


def axis_labels(n_dims: int) -> tuple[str, ...]:
    """x0, x1, ... x{n-1}."""
    return tuple(f"x{i}" for i in range(n_dims))


def rounded_up(value: float) -> float:
    """The next number of two significant digits, a little above exact ones (so that 2.0 and 2.0000001 agree)."""
    if not value > 0:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step + 1e-6) * step


@dataclass(frozen=True, eq=False)
class Framing:
    """The ball a camera frames, in n dimensions: turning the world or the view basis does not change its size.

    Attributes
    ----------
    centre : (n_dims,) float64 [length]
        Mean of the truth over frames and particles.
    radius : float [length]
    error_limit : float [length]
        Upper end of the error colour scale, shared by all panes and frames.
    """

    centre: FloatArray
    radius: float
    error_limit: float


def framing(truth: Trajectory, *forecasts: Trajectory) -> Framing:
    """The ball that holds the whole truth, and the forecasts as far as they do not run away.

    Notes
    -----
    The forecasts' share is cut off at RUNAWAY times the truth's radius, so that a diverging particle leaves
    the picture instead of shrinking everything else to a dot. The error scale ends at the 98th percentile of
    all particle errors, or at the truth's radius if that is smaller.
    """
    centre = truth.positions.mean(axis=(0, 1))
    reach = float(np.linalg.norm(truth.positions - centre, axis=-1).max())
    radius = reach
    errors = [np.zeros(1)]
    for forecast in forecasts:
        furthest = float(np.linalg.norm(forecast.positions - centre, axis=-1).max())
        radius = max(radius, min(furthest, RUNAWAY * reach))
        errors.append(np.linalg.norm(forecast.positions - truth.positions, axis=-1).ravel())
    limit = min(float(np.percentile(np.concatenate(errors), 98.0)), reach)
    if not radius > 1e-9 * float(np.abs(centre).max()):  # particles at rest in one point still get a frame
        radius = 1.0
    return Framing(centre, radius, limit if limit > 0 else radius)
