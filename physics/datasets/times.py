"""Times of frames as files have them: rounded to their dtype, shifted, sometimes uneven."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEP_SLACK = 1e-6
"""How far two times may be apart and mean the same, of the shortest spacing, whatever the dtype."""
EXPLAINED = 0.8
"""Share of the displacements' squares that velocities must explain before they say anything about times."""
CLOCK_SLACK = 0.05
"""How far a clock may seem off, beside three times what the unexplained share can make of it."""
SAMPLES_LOOKED_AT = 64


def time_tolerance(times: ArrayLike) -> float:
    """How far two times may be apart and yet mean the same [time].

    Parameters
    ----------
    times : (n_frames,) float
        Increasing. Numbers that float32 holds exactly are taken for rounded to it.

    Returns
    -------
    float
        Never above a quarter of the shortest spacing.
    """
    t = np.asarray(times, dtype=np.float64)
    if len(t) < 2:
        return 0.0
    rounded = bool((t == t.astype(np.float32)).all())
    resolution = float(np.finfo(np.float32 if rounded else np.float64).eps) * float(np.abs(t).max())
    shortest = float(np.diff(t).min())
    return min(max(STEP_SLACK * shortest, 2 * resolution), shortest / 4)


def even_times(times: ArrayLike) -> NDArray[np.float64]:
    """Equally spaced times between the first and the last of `times`, (n_frames,) [time]."""
    t = np.asarray(times, dtype=np.float64)
    return np.asarray(np.linspace(t[0], t[-1], len(t)), dtype=np.float64)


def first_uneven(times: ArrayLike) -> int | None:
    """The first frame that is not where equal spacing would have it; None where all are."""
    t = np.asarray(times, dtype=np.float64)
    away = np.abs(t - even_times(t)) > time_tolerance(t)
    return int(np.argmax(away)) if away.any() else None


def same_spacing(times: ArrayLike) -> bool:
    """Whether frames are equally spaced, as far as the dtype of their times can tell."""
    return first_uneven(times) is None


def frame_after(times: ArrayLike, frame: int, horizon: float) -> int | None:
    """The frame that is `horizon` after `frame` (before it where negative), or None.

    Parameters
    ----------
    times : (n_frames,) float
    frame : int
    horizon : float [time]
    """
    t = np.asarray(times, dtype=np.float64)
    wanted = t[frame] + horizon
    nearest = int(np.argmin(np.abs(t - wanted)))
    slack = 2 * time_tolerance(t) + STEP_SLACK * abs(horizon)
    return nearest if nearest != frame and abs(t[nearest] - wanted) <= slack else None


def later_frames(times: ArrayLike, horizon: float) -> NDArray[np.int64]:
    """For every frame the one that is `horizon` after it, as of :func:`frame_after`; -1 where there is none.

    Parameters
    ----------
    times : (n_frames,) float
    horizon : float [time]
        Positive.
    """
    t = np.asarray(times, dtype=np.float64)
    wanted = t + horizon
    above = np.searchsorted(t, wanted).clip(1, len(t) - 1)
    nearest = np.where(wanted - t[above - 1] <= t[above] - wanted, above - 1, above)
    slack = 2 * time_tolerance(t) + STEP_SLACK * horizon
    there = (np.abs(t[nearest] - wanted) <= slack) & (nearest > np.arange(len(t)))
    return np.asarray(np.where(there, nearest, -1), dtype=np.int64)


def clock_ratio(positions: NDArray[Any], velocities: NDArray[Any], times: NDArray[np.float64]) -> float | None:
    """By how much times must be multiplied to fit displacements and velocities; None where they fit.

    Parameters
    ----------
    positions, velocities : (n_samples, n_frames, n_particles, n_dims) float
    times : (n_frames,) float64
    """
    if len(times) < 2:
        return None
    x, v = (np.asarray(a[:SAMPLES_LOOKED_AT], dtype=np.float64) for a in (positions, velocities))
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.diff(x, axis=1).reshape(-1)
        expected = ((v[:, 1:] + v[:, :-1]) / 2 * np.diff(times)[:, None, None]).reshape(-1)
        own, total = float(np.linalg.norm(expected)), float(np.linalg.norm(moved))
        if not (0 < own < math.inf and 0 < total < math.inf):
            return None
        cosine = float((moved / total) @ (expected / own))
    if cosine <= 0 or cosine**2 <= EXPLAINED:
        return None
    ratio = cosine * total / own
    slack = CLOCK_SLACK + 3 * math.sqrt(max(1 / cosine**2 - 1, 0))
    return ratio if abs(math.log(ratio)) > slack else None
