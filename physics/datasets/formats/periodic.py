"""Boxes as files have them, frame by frame and axis by axis: what becomes of them in a data set, which has one."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import unwrapped
from physics.datasets.formats.base import Arrays
from physics.errors import InputError

SAME = 1e-6
"""Lengths of a box that differ by less, relatively, are the same: files round them."""


def in_box(
    positions: NDArray[Any],
    lengths: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    images: NDArray[Any] | None = None,
    wrapped: bool = True,
) -> tuple[Arrays, tuple[str, ...]]:
    """Positions and box of a data set, of one trajectory in a rectangular box.

    Parameters
    ----------
    positions : (frames, particles, dims) float
    lengths : (frames, dims) float
        Of the box in each frame.
    periodic : (dims,) bool
    images : (frames, particles, dims) int, optional
        How many boxes away from the one a particle is stored in it is.
    wrapped : bool
        Whether positions without images may be wrapped.

    Returns
    -------
    arrays, notes
        `positions`, and `box` (dims,) where it is one: periodic along all axes, and of one size. Positions are
        unwrapped where the images are known, or where no box stays behind that tells readers to do it.
    """
    if not periodic.any():
        return {"positions": positions}, ()
    x = positions
    notes: tuple[str, ...] = ()
    if images is not None:
        x, wrapped = positions + images * np.where(periodic, lengths, 0.0)[:, None, :], False
        notes = ("positions unwrapped by the image counts of the file",) if images.any() else ()
    why = _no_box(x, lengths, periodic, wrapped)
    if why is None:
        return {"positions": x, "box": lengths[0]}, notes
    if wrapped:
        size = np.where(periodic, lengths, 1.0)[:, None, :]
        x = unwrapped(x / size, np.where(periodic, 1.0, np.inf)) * size
        notes = ("positions unwrapped through the periodic box",)
    return {"positions": x}, (*notes, f"the box is left aside: {why}")


def _no_box(
    x: NDArray[Any], lengths: NDArray[np.float64], periodic: NDArray[np.bool_], wrapped: bool
) -> str | None:
    """Why a data set cannot have this box; None where it can."""
    if not periodic.all():
        return f"it is periodic along coordinate {', '.join(map(str, np.flatnonzero(periodic)))} only"
    if (np.abs(lengths - lengths[0]) > SAME * lengths[0]).any():
        return "its size changes in time"
    if not wrapped and (unwrapped(x, lengths[0]) != x).any():
        return "particles move more than half of it from one frame to the next"
    return None


def rectangular(path: Path, cell: NDArray[Any], what: str = "box") -> NDArray[np.float64]:
    """The lengths of a box given by its edge vectors, (..., dims, dims); others than rectangular are refused."""
    lengths = np.diagonal(cell, axis1=-2, axis2=-1)
    rest = cell - lengths[..., None] * np.eye(cell.shape[-1])
    if (np.abs(rest) > SAME * np.abs(lengths).max(initial=0)).any():
        raise InputError(
            f"{path}: the {what} is not rectangular (triclinic); expected edges along the axes, or unwrapped "
            "positions without a box"
        )
    return np.asarray(lengths, dtype=np.float64)
