"""Candidates fitted to the learned curve: where their parameters start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import least_squares

from physics.types import FloatArray
from surrogate.evaluation.formula.forms import Candidate

MOST_STARTS = 24
"""Combinations of shape parameters that are tried."""
REFINED = 4
"""The best of them are refined."""
EXPONENTS = (0.05, 8.0)
"""Exponents are looked for between these."""
START_EXPONENTS = (0.7, 1.5, 2.5, 4.0)
LENGTHS = (0.03, 3.0)
"""Lengths are looked for between these, as shares of the shortest and the longest distance of the curve;
softenings up to the geometric mean of the two."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What the model has learned, in the data's units.

    Attributes
    ----------
    r : (R,) float64 [length]
    radial : (C, R) float64
        Force over r in each channel, without couplings.
    weights : (C, R) float64
        Of its errors: the couplings' size over the size of the force, by how many pairs are at r.
    couplings : tuple of str
    """

    r: FloatArray
    radial: FloatArray
    weights: FloatArray
    couplings: tuple[str, ...]

    def error(self, radial: FloatArray) -> float:
        """Root of the mean squared relative difference from the learned curve."""
        return float(np.sqrt(np.sum((self.weights * (radial - self.radial)) ** 2)))


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A candidate with the parameters that fit the learned curve best."""

    candidate: Candidate
    values: FloatArray
    error: float


def curve_fit(candidate: Candidate, curve: Curve) -> CurveFit:
    """The best of fits from several starts; strengths are solved for, shapes searched."""
    couplings = list(curve.couplings)
    target = (curve.weights * curve.radial).ravel()

    def solved(shapes: Sequence[float] | FloatArray) -> tuple[FloatArray, FloatArray]:
        columns = np.zeros((candidate.n_strengths, *curve.radial.shape))
        for k, (coupling, column) in enumerate(candidate.columns(curve.r, shapes)):
            columns[k, couplings.index(coupling)] = column
        matrix = (curve.weights * columns).reshape(len(columns), -1).T
        matrix = np.clip(np.nan_to_num(matrix), -1e100, 1e100)
        size = np.clip(np.linalg.norm(matrix, axis=0), 1e-100, 1e100)
        matrix[:, size == 1e-100] = 0.0  # forms that vanish have no strength
        strengths = np.linalg.lstsq(matrix / size, target, rcond=1e-10)[0] / size
        return strengths, matrix @ strengths - target

    kinds = candidate.dimensions
    if not kinds:
        strengths, residual = solved(())
        return CurveFit(candidate, strengths, float(np.linalg.norm(residual)))
    near, far = float(curve.r[0]), float(curve.r[-1])
    low, high = bounds(kinds, near, far)
    start_lengths = np.geomspace(0.5 * near, far, 5)[:4]
    grid = list(product(*(START_EXPONENTS if kind == "exponent" else np.log(start_lengths) for kind in kinds)))
    if len(grid) > MOST_STARTS:
        chosen = np.random.default_rng(0).choice(len(grid), MOST_STARTS, replace=False)
        grid = [grid[i] for i in chosen]
    grid.sort(key=lambda inner: float(np.linalg.norm(solved(outer(inner, kinds))[1])))
    best: tuple[float, FloatArray] | None = None
    for inner in grid[:REFINED]:
        start = np.clip(inner, low + 1e-6, high - 1e-6)
        found = least_squares(
            lambda inner: solved(outer(inner, kinds))[1], start, bounds=(low, high), max_nfev=60, x_scale=0.1
        )
        if best is None or found.cost < best[0]:
            best = (float(found.cost), found.x)
    assert best is not None
    shapes = outer(best[1], kinds)
    strengths, residual = solved(shapes)
    return CurveFit(candidate, np.concatenate([strengths, shapes]), float(np.linalg.norm(residual)))


def outer(inner: Sequence[float] | FloatArray, kinds: Sequence[str]) -> FloatArray:
    """Shape parameters of what is searched: exponents, and logarithms of lengths."""
    return np.array(
        [np.exp(value) if kind != "exponent" else value for value, kind in zip(inner, kinds, strict=True)]
    )


def bounds(kinds: Sequence[str], near: float, far: float) -> tuple[FloatArray, FloatArray]:
    """Limits of what is searched."""
    least, most = np.log(LENGTHS[0] * near), np.log(LENGTHS[1] * far)
    limits = {"length": (least, most), "softening": (least, 0.5 * np.log(near * far)), "exponent": EXPONENTS}
    low, high = zip(*(limits[kind] for kind in kinds), strict=True)
    return np.array(low), np.array(high)
