"""Laws in closed form fitted to the windows of data, compared on others, and asked what is left to correct."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.interpolate import BSpline

from physics.datasets.split import DataSplit
from physics.types import FloatArray
from surrogate.evaluation.formula.curve_fit import Curve, bounds, outer
from surrogate.evaluation.formula.forms import Candidate
from surrogate.evaluation.formula.law_windows import (
    Fit,
    LawWindows,
    knots,
    law_windows,
    likelihood,
    most_likely,
    table_through,
)
from surrogate.inference.forecaster import Forecaster

MOST_WINDOWS = 2000
"""Windows that a law is fitted to."""
TRIAL = 2
"""Candidates are fitted to every second of them."""
HELD_OUT = 5
"""Every fifth trajectory compares them."""
ROUNDS, ROUNDS_OF_NOISY = 6, 3
"""Least rounds of a window for each of its frames."""
NOISY_FRAMES = 4
"""Frames of a window where the data are noisy, if there are as many; otherwise 1: the noise of a state then counts
less beside the way that the law leads."""
NOISY_SHARE = 0.5
"""Data are noisy where twice the rounds leave more than this share of the large errors (the 90 % quantile)."""
SEEN = (0.01, 0.99)
"""The range of distances in which a law is fitted to the curve and tested: quantiles of those in the data."""
FORCE_FLOOR = 0.02
"""Forces count as at least this share of their root mean square over the pairs of the data."""
SIGNIFICANT = 4.0
"""Corrections above so many of their standard errors count."""
BENDS = 10
"""Knots of the free correction."""
DIFFERENCE = 1e-3
"""Relative step of finite differences."""


@dataclass(frozen=True, eq=False)
class Tried:
    """A candidate that was fitted to the data.

    Attributes
    ----------
    candidate : Candidate
    values : (P,) float64
    logs : (groups,) float64
        Logarithm of the likelihood of each group of held-out windows.
    curve_error : float
        Of its fit to the learned curve.
    """

    candidate: Candidate
    values: FloatArray
    logs: FloatArray
    curve_error: float


@dataclass(frozen=True, eq=False)
class Refined:
    """A candidate with the parameters of all windows, and their standard errors."""

    candidate: Candidate
    values: FloatArray
    errors: FloatArray


class Search:
    """What a candidate is tried on.

    Parameters
    ----------
    model : Forecaster
        Of an integrator.
    split : DataSplit
    seen : (M,) float64 [length]
        Pair distances in the data.
    """

    def __init__(self, model: Forecaster, split: DataSplit, seen: FloatArray) -> None:
        self.model, self.split, self.noisy = model, split, False
        self.windows = law_windows(model, split, 1, MOST_WINDOWS, ROUNDS)
        network, scales = self.windows.network, model.scales
        self.couplings = network.couplings
        law = network.law
        unit = {"constant": 1.0, "charges": scales.charge**2, "masses": scales.mass**2}
        self.unit = np.array([[unit[c]] for c in self.couplings]) * (scales.time**2 / scales.mass)
        self.at_knots = np.maximum(knots(law), 0.3 * law.softening) * scales.length
        low, high = np.quantile(seen, SEEN)
        inside = (self.at_knots >= max(low, self.at_knots[0])) & (self.at_knots <= high)
        self.r = np.unique(self.at_knots[inside])
        self.table = law.table().numpy()
        learned = law.coefficients(torch.as_tensor(self.r / scales.length)).numpy() / self.unit
        self.sizes = _coupling_sizes(split, self.couplings)
        counts = np.histogram(
            np.log(seen), np.concatenate([[-np.inf], 0.5 * np.log(self.r[1:] * self.r[:-1]), [np.inf]])
        )[0]
        self.share = counts / counts.sum()
        flat = np.sqrt(self.share)
        weights = self.sizes * self.r / self.strength(learned) * np.sqrt(flat / flat.sum())
        self.curve = Curve(self.r, learned, weights, self.couplings)
        held = self.windows.group % HELD_OUT == HELD_OUT - 1
        trial = np.arange(len(held)) % TRIAL == 0
        self.fitted, self.held = self.windows.part(trial & ~held), self.windows.part(trial & held)

    @property
    def finer(self) -> LawWindows:
        """The windows in twice the rounds."""
        return replace(self.windows, rounds=2 * self.windows.rounds)

    def lengthen_if_noisy(self, law: Tried | Refined) -> bool:
        """Where finer rounds leave the errors as they are, data are noisy: take longer windows, say so."""
        table = self.law_table(law.candidate, law.values)
        found = (likelihood(w.errors(table)).squares[1] for w in (self.windows, self.finer))
        large, of_finer = (float(np.quantile(squares, 0.9)) for squares in found)
        self.noisy = bool(of_finer > NOISY_SHARE**2 * large)
        frames = min(NOISY_FRAMES, (len(self.split.times) - self.split.first_state - 1) // 2)
        if self.noisy and frames > 1:
            self.windows = law_windows(self.model, self.split, frames, MOST_WINDOWS, ROUNDS_OF_NOISY)
        return self.noisy

    def strength(self, radial: FloatArray) -> FloatArray:
        """Size of the force between typical pairs at the distances of the curve, (R,)."""
        force = np.sqrt(np.sum((self.sizes * radial * self.r) ** 2, axis=0))
        return np.asarray(np.hypot(force, FORCE_FLOOR * np.sqrt(np.sum(self.share * force**2))))

    def radial(self, law: Tried | Refined) -> FloatArray:
        """Force over r of each channel at the distances of the curve, (C, R)."""
        return law.candidate.coefficients(self.r, law.values, self.couplings)

    def difference(self, one: Tried, other: Tried) -> float:
        """Largest difference of two laws, as a share of the first one's force."""
        gaps = self.sizes * (self.radial(one) - self.radial(other)) * self.r
        return float(np.max(np.sqrt(np.sum(gaps**2, axis=0)) / self.strength(self.radial(one))))

    def law_table(self, candidate: Candidate, values: FloatArray) -> FloatArray:
        """The spline of a candidate, in the model's units."""
        return table_through(candidate.coefficients(self.at_knots, values, self.couplings) * self.unit)

    def fit(self, candidate: Candidate, values: FloatArray, windows: LawWindows, iterations: int = 8) -> Fit:
        """The most likely values from those given on; the covariance is theirs."""
        kinds = candidate.dimensions
        strengths = candidate.n_strengths
        low, high = bounds(kinds, self.r[0], self.r[-1]) if kinds else (np.empty(0), np.empty(0))

        def outside(inner: FloatArray) -> FloatArray:
            return np.concatenate([inner[:strengths], outer(np.clip(inner[strengths:], low, high), kinds)])

        lengths = np.array([kind != "exponent" for kind in kinds], dtype=bool)
        shapes = values[strengths:]
        inner = np.concatenate([values[:strengths], np.where(lengths, np.log(np.maximum(shapes, 1e-300)), shapes)])
        steps = DIFFERENCE * np.concatenate([np.abs(values[:strengths]) + 1e-12, np.ones(len(kinds))])
        fit = most_likely(
            lambda inner: windows.errors(self.law_table(candidate, outside(inner))),
            inner,
            windows.group,
            steps,
            iterations,
        )
        found = outside(fit.values)
        slope = np.concatenate([np.ones(strengths), np.where(lengths, found[strengths:], 1.0)])
        return Fit(found, fit.covariance * np.outer(slope, slope), fit.scales, fit.log)

    def at_limit(self, law: Tried | Refined) -> bool:
        """Whether a shape parameter is as far as it may go: the form imitates another one."""
        kinds = law.candidate.dimensions
        if not kinds:
            return False
        shapes = law.values[law.candidate.n_strengths :]
        inner = np.where([kind != "exponent" for kind in kinds], np.log(np.maximum(shapes, 1e-300)), shapes)
        low, high = bounds(kinds, self.r[0], self.r[-1])
        return bool((inner > high - 0.01).any() or ((inner < low + 0.01) & (np.array(kinds) != "softening")).any())

    def held_out(self, candidate: Candidate, fit: Fit) -> FloatArray:
        """Logarithm of the likelihood of each group of held-out windows, (groups,)."""
        log = likelihood(self.held.errors(self.law_table(candidate, fit.values))).log(fit.scales)
        groups = np.unique(self.held.group, return_inverse=True)[1]
        return np.asarray(np.bincount(groups, log), dtype=np.float64)

    def largest_correction(self, law: Refined) -> float:
        """The largest share of the force by which the data significantly ask for another."""
        wanted, doubts = self.correction(law)
        return float(np.max(np.where(np.abs(wanted) > SIGNIFICANT * doubts, np.abs(wanted), 0.0)))

    def correction(self, fit: Refined) -> tuple[FloatArray, FloatArray]:
        """What the data ask for beyond a law, as shares of its force, and their standard errors: (C, R) each."""
        law, at = fit.candidate.coefficients(self.at_knots, fit.values, self.couplings), self.radial(fit)
        u, ends = np.log(self.at_knots), np.log(self.r[[0, -1]])
        inner = np.linspace(ends[0], ends[1], BENDS)
        places = np.concatenate([[ends[0]] * 3, inner, [ends[1]] * 3])
        basis = BSpline.design_matrix(np.clip(u, *ends), places, 3).toarray().T
        strength = np.interp(u, np.log(self.r), np.log(self.strength(at)))
        shape = np.exp(strength) / self.at_knots
        n_channels, count = len(self.couplings), len(basis)

        def errors(c: FloatArray) -> FloatArray:
            more = (c.reshape(n_channels, count) @ basis) * shape / self.sizes
            return windows.errors(table_through((law + more) * self.unit))

        windows = self.windows if self.noisy else self.finer
        start = np.zeros(n_channels * count)
        found = most_likely(errors, start, windows.group, np.full(len(start), DIFFERENCE), 2)
        shown = BSpline.design_matrix(np.log(self.r), places, 3).toarray().T
        wanted = found.values.reshape(n_channels, count) @ shown
        blocks = found.covariance.reshape(n_channels, count, n_channels, count)
        variance = np.stack([np.einsum("kr,kl,lr->r", shown, blocks[c, :, c], shown) for c in range(n_channels)])
        return wanted, np.sqrt(np.maximum(variance, 0.0))


def _coupling_sizes(split: DataSplit, couplings: Sequence[str]) -> FloatArray:
    """Root mean square of k_i k_j over the pairs of the data for each channel: (C, 1)."""
    known = {"constant": np.ones_like(split.masses), "charges": split.charges, "masses": split.masses}
    first, second = np.triu_indices(split.n_particles, 1)
    values = (np.asarray(known[name], dtype=np.float64) for name in couplings)
    return np.array([[np.sqrt(np.mean((k[:, first] * k[:, second]) ** 2))] for k in values])
