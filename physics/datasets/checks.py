"""What is asked of a single array of a file, and how velocities are made where a file has none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import looks_wrapped, unwrapped
from physics.datasets.times import even_times, same_spacing
from physics.errors import InputError

QUANTITIES = ("length", "time", "charge", "mass")
"""What `units` may label."""
LABEL_LENGTH = 32
MOST_AXES = 3
"""Space has rarely more dimensions in files; so many particles or fewer are then more likely the dimensions."""
ROUNDED = 1.01
"""Of the spacing of float32: how far times of that kind may lie from even ones that they mean."""
LOOKED_AT = 16
"""Samples that are asked whether they look wrapped."""


def numbers(path: Path, name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The array as float32 or float64.

    Raises
    ------
    InputError
        For other things than numbers, and for the first that is not finite.
    """
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: {name} must be numbers; got dtype {array.dtype}")
    result = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        refuse_first(path, name, result, ~finite, "finite")
    return result


def refuse_where(
    path: Path, name: str, array: NDArray[Any] | None, wanted: str, wrong: Callable[[NDArray[Any]], NDArray[Any]]
) -> None:
    """Refuse an array (None passes) with an element that is `wrong`, naming the first."""
    if array is not None and (where := wrong(array)).any():
        refuse_first(path, name, array, where, wanted)


def refuse_first(path: Path, name: str, array: NDArray[Any], wrong: NDArray[Any], wanted: str) -> None:
    """Raise for the first element where `wrong` holds."""
    where = tuple(map(int, np.argwhere(wrong)[0]))
    raise InputError(f"{path}: {name} must be {wanted}; got {array[where]:g} at index {where}")


def checked_times(path: Path, times: NDArray[Any] | None, n_frames: int) -> NDArray[np.float64]:
    """Increasing times (frames,); those of a file may have a row for each sample where all are equal."""
    if times is None:
        raise InputError(f"{path}: no array 'times' ({n_frames},)")
    t = numbers(path, "times", times).astype(np.float64)
    if t.ndim == 2 and t.shape[1] == n_frames:
        if (t != t[0]).any():
            sample = int(np.argmax((t != t[0]).any(axis=1)))
            raise InputError(
                f"{path}: times of sample {sample} differ from those of sample 0; one file has the same times "
                f"({n_frames},) for all samples"
            )
        t = t[0]
    if t.shape != (n_frames,):
        raise InputError(f"{path}: times must be ({n_frames},), one a frame; got shape {t.shape}")
    if times.dtype == np.float32 and len(t) > 2 and not same_spacing(t):
        even = even_times(t)  # their own rounding, not a spacing that varies
        t = even if (np.abs(t - even) <= ROUNDED * np.spacing(np.abs(t).max().astype(np.float32))).all() else t
    steps = np.diff(t)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        how = "repeats" if t[at] == t[at - 1] else "is before"
        raise InputError(
            f"{path}: times must increase; times[{at}] = {t[at]:.9g} {how} times[{at - 1}] = {t[at - 1]:.9g}"
        )
    return t


def checked_units(path: Path, units: object) -> dict[str, str]:
    """Labels of units: short texts by quantity."""
    if units is None:
        return {}
    if not isinstance(units, dict):
        raise InputError(f"{path}: units must map {', '.join(QUANTITIES)} to labels; got {units!r:.60}")
    for quantity, label in units.items():
        if quantity not in QUANTITIES:
            raise InputError(f"{path}: units of {quantity!r:.40}; expected {', '.join(QUANTITIES)}")
        if not isinstance(label, str) or not 0 < len(label) <= LABEL_LENGTH or not label.isprintable():
            raise InputError(
                f"{path}: units: the label of {quantity} must be a text of at most {LABEL_LENGTH} characters; "
                f"got {label!r:.60}"
            )
    return dict(units)


def swapped_axes(positions: tuple[int, ...], one_a_particle: tuple[int, ...]) -> str:
    """The way out where an array with one number a particle tells that axes of positions are swapped."""
    n_samples, n_frames, _, n_dims = positions
    if one_a_particle == (n_samples, n_dims):
        return _turned("samples", "frames", "dims", "particles")
    if one_a_particle == (n_samples, n_frames):
        return _turned("samples", "particles", "frames", "dims")
    return ""


def _turned(*axes: str) -> str:
    """How data whose axes have this order are read right."""
    return f"; where the axes are ({', '.join(axes)}): python -m physics.convert IN --axes {','.join(axes)}"


def unlikely_axes(path: Path, n_particles: int, n_dims: int) -> list[str]:
    """A note where particles and dimensions look swapped and no array tells; refused where that is likely."""
    if n_particles >= n_dims:
        return []
    read_as = f"{n_particles} particles in {n_dims} dimensions"
    turned = _turned("samples", "frames", "dims", "particles")
    if n_particles <= MOST_AXES < n_dims:
        raise InputError(
            f"{path}: positions would be {read_as}, and no charges or masses tell{turned} (or "
            "samples,frames,particles,dims to keep them)"
        )
    return [f"read as {read_as}{turned}"]


def causal_velocities(positions: NDArray[Any], times: NDArray[np.float64]) -> NDArray[Any]:
    """Velocities by differences of a frame with those before it; NaN at frame 0.

    Parameters
    ----------
    positions : (n_samples, n_frames, n_particles, n_dims) float [length]
    times : (n_frames,) float64 [time]

    Returns
    -------
    array
        Like positions [length/time]. Frame 1 has the slope between frames 0 and 1; every later frame that of the
        parabola through it and the two before it, for steps h_1 (last) and h_0:
        s_1 + h_1 (s_1 - s_0) / (h_1 + h_0).
    """
    h = np.diff(times)[:, None, None].astype(positions.dtype)
    slopes = np.diff(positions, axis=1) / h
    velocities = np.full_like(positions, np.nan)
    velocities[:, 1] = slopes[:, 0]
    velocities[:, 2:] = slopes[:, 1:] + h[1:] * (slopes[:, 1:] - slopes[:, :-1]) / (h[1:] + h[:-1])
    return velocities


def continuous(positions: NDArray[Any], box: NDArray[Any] | None, guess: bool) -> tuple[NDArray[Any], list[str]]:
    """Positions that run on past the walls of their box, and what there is to be said of it.

    Parameters
    ----------
    positions : (n_samples, n_frames, n_particles, n_dims) float [length]
    box : (n_samples, n_dims) float or None [length]
    guess : bool
        Say where positions without a box look as if they had one.
    """
    if box is not None:
        along = unwrapped(positions, box)
        changed = bool((along != positions).any())
        return along, ["positions unwrapped through the periodic box"] if changed else []
    for sample in positions[:LOOKED_AT] if guess else ():
        if (lengths := looks_wrapped(sample)) is not None:
            axis = int(np.argmin(lengths))
            return positions, [
                f"positions jump by about {lengths[axis]:.3g} along axis {axis}, as if wrapped into a periodic "
                "box that the file does not give; if there is one, give it: python -m physics.convert IN --box"
            ]
    return positions, []
