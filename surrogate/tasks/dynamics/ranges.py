"""What of its training states bounds a model's use: charges, masses, pair distances and speeds, by quantiles.

They are measured in the run's units, kept in the card as `ranges`, and compared with the states of a forecast by
:mod:`surrogate.inference.training_range`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.tasks.dynamics.windows import FIELDS, Windows

QUANTILES = (0.0, 0.01, 0.5, 0.99, 1.0)
MOST_STATES = 20_000
"""States of a data set that are measured, evenly chosen; of charges and masses, all."""
MOST_PAIRS = 4_000_000
"""Pair distances that are looked at, of all states of a data set together."""
MOST_RECEIVERS = 64
"""Particles of a state whose distances from all others are looked at, evenly chosen."""


class States(NamedTuple):
    """States of some systems, float64.

    Attributes
    ----------
    x, v : (samples, N, n) [length], [length/time]
    q : (samples, N) [charge]
    m : (samples, N) [mass] or None
        None where no masses are given.
    box : (samples, n) [length] or None
        Periodic lengths.
    given : mapping of str to (samples, ...), or None
        Fields that act on them, by the names of `DataSplit`; None where that is not known.
    """

    x: FloatArray
    v: FloatArray
    q: FloatArray
    m: FloatArray | None = None
    box: FloatArray | None = None
    given: Mapping[str, FloatArray] | None = None


def state_quantities(states: States) -> dict[str, FloatArray]:
    """Numbers of each state by name, (samples, as many as it has).

    Returns
    -------
    dict
        charges, masses, speeds: of each particle. distances: of pairs (see MOST_RECEIVERS); nearest: the least of
        them. rms_distance, rms_speed: over all pairs and particles, one a state.
    """
    found = {"charges": np.asarray(states.q), "speeds": np.linalg.norm(states.v, axis=-1)}
    if states.m is not None:
        found["masses"] = np.asarray(states.m)
    found["rms_speed"] = np.sqrt(np.mean(found["speeds"] ** 2, axis=1, keepdims=True))
    n = states.x.shape[1]
    if n > 1:
        centred = states.x - states.x.mean(axis=1, keepdims=True)
        # the mean of r_ij^2 over pairs is 2 N / (N - 1) times that of |x_i - centroid|^2
        squares = np.mean(np.sum(centred**2, axis=-1), axis=1, keepdims=True)
        found["rms_distance"] = np.sqrt(2 * n / (n - 1) * squares)
        most = min(MOST_RECEIVERS, max(4 * MOST_PAIRS // (len(centred) * n), 1))
        blocks = range(0, len(centred), max(MOST_PAIRS // (4 * n * min(n, most)), 1))
        parts = [_distances(centred[i : i + blocks.step], most) for i in blocks]
        found["distances"] = np.concatenate(parts)
        found["nearest"] = found["distances"].min(axis=1, keepdims=True)
    return found


def _distances(x: FloatArray, most: int) -> FloatArray:
    """Distances of at most so many particles of each state from all others, (samples, pairs)."""
    n = x.shape[1]
    if n <= most:
        i, j = np.triu_indices(n, 1)
    else:
        receivers = np.unique(np.linspace(0, n - 1, most).round().astype(int))
        i, j = (grid.ravel() for grid in np.meshgrid(receivers, np.arange(n), indexing="ij"))
        i, j = i[i != j], j[i != j]
    return np.asarray(np.linalg.norm(x[:, i] - x[:, j], axis=-1))


def input_states(s: Windows, most: int) -> States:
    """Input states of windows in the run's units, at most so many, evenly over samples and start frames."""
    count = len(s) * len(s.starts)
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))
    samples, starts = chosen % len(s), s.starts[chosen // len(s)]
    at = torch.as_tensor(samples), torch.as_tensor(starts)
    x, v = (np.asarray(t[at].cpu(), dtype=np.float64)[..., : s.n_dims] for t in (s.x, s.v))
    q, m = (np.asarray(t[at[0]].cpu(), dtype=np.float64) for t in (s.q, s.m))
    return States(x, v, q, m)


class Measured(NamedTuple):
    """Numbers of the input states of one data set.

    Attributes
    ----------
    n_dims : int
    independent : float
        As how many states its windows count: those of one trajectory overlap.
    values : dict of str to (count,) float64
        By names of :func:`state_quantities`; "box" where there is one.
    """

    n_dims: int
    independent: float
    values: dict[str, FloatArray]


def measured(s: Windows, box: FloatArray | None = None) -> Measured:
    """What the windows of one data set add to the ranges; `box` is in the run's units."""
    n = s.x.shape[2]
    most = min(MOST_STATES, max(MOST_PAIRS // (n * min(n, MOST_RECEIVERS)), 100))
    whole = {name: np.asarray(t.cpu(), dtype=np.float64) for name, t in (("charges", s.q), ("masses", s.m))}
    found = state_quantities(input_states(s, most)) | whole | ({} if box is None else {"box": box})
    values = {name: values.ravel() for name, values in found.items()}
    return Measured(s.n_dims, len(s) * math.sqrt(len(s.starts)), values)


def trained_ranges(sets: Sequence[Measured]) -> dict[str, Any]:
    """The card's `ranges` of a model trained on these data sets, in the run's units.

    Returns
    -------
    dict
        quantiles: their levels. by_dims: for each n (as text), where there are several, what follows of it alone.
        independent: see :class:`Measured`. box: the least and the largest periodic length, where all sets have
        some. And for each name of :func:`state_quantities` the values at the levels.
    """
    ranges = {"quantiles": list(QUANTILES), **_together(sets)}
    dims = sorted({s.n_dims for s in sets})
    if len(dims) > 1:
        ranges["by_dims"] = {str(n): _together([s for s in sets if s.n_dims == n]) for n in dims}
    return ranges


def _together(sets: Sequence[Measured]) -> dict[str, Any]:
    found: dict[str, Any] = {"independent": round(sum(s.independent for s in sets))}
    for name in set.intersection(*(set(s.values) for s in sets)):
        levels = (0.0, 1.0) if name == "box" else QUANTILES
        quantiles = np.quantile(np.concatenate([s.values[name] for s in sets]), levels)
        found[name] = [float(f"{value:.6g}") for value in quantiles]
    return found


def field_ranges(sets: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, list[float]]:
    """The card's `fields`: least and largest size of the fields that act in the data sets, in the data's units.

    The size of a vector is its norm, of an antisymmetric matrix the root of half its squares; of a data set
    without such a field it is 0.

    Parameters
    ----------
    sets : sequence of mapping of str to (samples, ...) arrays
        Those of each data set, by name.
    """
    found = {}
    for name in FIELDS:
        sizes = [field_sizes(name, one[name]) if name in one else np.zeros(1) for one in sets]
        least, most = min(float(s.min()) for s in sizes), max(float(s.max()) for s in sizes)
        if most > 0:
            found[name] = [float(f"{least:.6g}"), float(f"{most:.6g}")]
    return found


def field_sizes(name: str, values: NDArray[Any]) -> FloatArray:
    """Sizes of fields (samples, ...): see :func:`field_ranges`."""
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    return np.asarray(np.linalg.norm(flat, axis=1) * (math.sqrt(0.5) if name == "magnetic_field" else 1.0))
