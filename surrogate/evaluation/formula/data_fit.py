"""Laws in closed form fitted to the windows of data, compared on others, and asked what is left to correct."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import BSpline

from physics.datasets.split import DataSplit
from physics.errors import InputError
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

MOST_WINDOWS, MOST_OF_NOISY = 1000, 1200
"""Windows that a law is fitted to."""
TRIAL = 2
"""Candidates are fitted to every second of them."""
HELD_OUT = 5
"""Every fifth trajectory compares them."""
ROUNDS, ROUNDS_OF_NOISY = 3, 2
"""Least rounds of a window for each of its frames."""
NOISY_FRAMES = 4
"""Frames of a window where the data are noisy, if there are as many; otherwise 1: the noise of a state then counts
less beside the way that the law leads."""
NOISY_SHARE = 5e-4
"""Data are noisy where a free correction of the learned law leaves errors of this share of the way that the force
leads: of clean data some 1e-6."""
SEEN = (0.01, 0.99)
"""The range of distances in which a law is fitted to the curve and tested: quantiles of those in the data."""
FORCE_FLOOR = 0.02
"""Forces count as at least this share of their root mean square over the pairs of the data."""
SIGNIFICANT = 4.0
"""Corrections above so many of their standard errors count."""
BENDS = 10
"""Knots of the free correction."""
MOST_AT_CENTRE = 4.0
"""Force over r at r = 0 as a multiple of that at 0.3 softenings of the model, where a form is singular."""
DIFFERENCE = 1e-5
"""Relative step of finite differences: small, because some windows are chaotic."""


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
    """A candidate with the parameters of all windows, (P,), and their covariance, (P, P)."""

    candidate: Candidate
    values: FloatArray
    covariance: FloatArray


class Search:
    """What a candidate is tried on, in the model's units.

    Parameters
    ----------
    model : Forecaster
        Of an integrator.
    split : DataSplit
    seen : (M,) float64 [length]
        Pair distances in the data.
    """

    def __init__(self, model: Forecaster, split: DataSplit, seen: FloatArray) -> None:
        self.model, self.split = model, split
        self.windows, self.finer = (law_windows(model, split, 1, MOST_WINDOWS, k * ROUNDS) for k in (1, 2))
        network, scales = self.windows.network, model.scales
        self.couplings = network.couplings
        law = network.law
        # everything is in the model's units: in those of the data numbers may be of any size
        unit = {"constant": 1.0, "charges": scales.charge**2, "masses": scales.mass**2}
        self.units = np.array([unit[c] for c in self.couplings])
        self.at_knots = np.maximum(knots(law), 0.3 * law.softening)
        seen = seen / scales.length
        low, high = np.quantile(seen, SEEN)
        inside = (self.at_knots >= max(low, self.at_knots[0])) & (self.at_knots <= high)
        self.r = np.unique(self.at_knots[inside])
        learned, learned_at_knots = (
            law.coefficients(torch.as_tensor(r)).numpy()[: len(self.couplings)] for r in (self.r, self.at_knots)
        )
        self.sizes = _coupling_sizes(split, self.couplings) / self.units[:, None]
        for coupling, size in zip(self.couplings, self.sizes[:, 0], strict=True):
            if size == 0:
                raise InputError(f"{split.source}: no pair has {coupling}, with which the model's force scales")
        counts = np.histogram(
            np.log(seen), np.concatenate([[-np.inf], 0.5 * np.log(self.r[1:] * self.r[:-1]), [np.inf]])
        )[0]
        self.share = counts / counts.sum()
        flat = np.sqrt(self.share)
        weights = self.sizes * self.r / self.strength(learned) * np.sqrt(flat / flat.sum())
        self.curve = Curve(self.r, learned, weights, self.couplings)
        self.noisy = self._noise(learned_at_knots) > NOISY_SHARE
        frames = (len(split.times) - split.first_state - 1) // 2
        if self.noisy and frames > 1:
            lengths = (min(k * NOISY_FRAMES, frames) for k in (1, 2))
            self.windows, self.finer = (
                law_windows(model, split, k, MOST_OF_NOISY, ROUNDS_OF_NOISY) for k in lengths
            )
        held = self.windows.group % HELD_OUT == HELD_OUT - 1
        trial = np.arange(len(held)) % TRIAL == 0
        self.fitted, self.held = self.windows.part(trial & ~held), self.windows.part(trial & held)

    def _noise(self, learned: FloatArray) -> float:
        """What a free correction of the learned law (C, G - 2) leaves, as a share of the way the force leads."""
        windows = self.windows.part(np.arange(len(self.windows)) % TRIAL == 0)
        left = self._corrected(learned, self.curve.radial, windows)[0]
        free = windows.errors(table_through(0 * learned))
        return _median_size(left[0]) / max(_median_size(free[0]), 1e-300)

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
        """The spline of a candidate."""
        return table_through(self.at_every_knot(candidate, values))

    def at_every_knot(self, candidate: Candidate, values: FloatArray) -> FloatArray:
        """Force over r of each channel at the knots, (C, G - 2); at r = 0 no more than MOST_AT_CENTRE."""
        found = candidate.coefficients(self.at_knots, values, self.couplings)
        centre = candidate.coefficients(1e-6 * self.at_knots[:1], values, self.couplings)[:, 0]
        most = MOST_AT_CENTRE * np.abs(found[:, 0])
        found[:, 0] = np.clip(np.nan_to_num(centre), -most, most)
        return found

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

    def in_units_of_data(self, candidate: Candidate, values: FloatArray) -> FloatArray:
        """The parameters as the data have them: lengths are scaled, strengths by what keeps the force the same."""
        scales, n = self.model.scales, candidate.n_strengths
        lengths = np.array([kind != "exponent" for kind in candidate.dimensions], dtype=bool)
        shapes = values[n:] * np.where(lengths, scales.length, 1.0)
        near = 0.5 * min(values[n:][lengths], default=1.0)  # where every form has a force
        here = candidate.columns(np.array([near]), values[n:])
        there = candidate.columns(np.array([near * scales.length]), shapes)
        ratios = np.array([float(a[0] / b[0]) for (_, a), (_, b) in zip(here, there, strict=True)])
        units = np.array([self.units[self.couplings.index(coupling)] for coupling, _ in here])
        return np.concatenate([values[:n] * ratios * (scales.mass / scales.time**2) / units, shapes])

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
        law = self.at_every_knot(fit.candidate, fit.values)
        _, found, shown = self._corrected(law, self.radial(fit), self.finer)
        n_channels, count = len(self.couplings), len(shown)
        wanted = found.values.reshape(n_channels, count) @ shown
        blocks = found.covariance.reshape(n_channels, count, n_channels, count)
        variance = np.stack([np.einsum("kr,kl,lr->r", shown, blocks[c, :, c], shown) for c in range(n_channels)])
        return wanted, np.sqrt(np.maximum(variance, 0.0))

    def _corrected(
        self, law: FloatArray, at: FloatArray, windows: LawWindows
    ) -> tuple[FloatArray, Fit, FloatArray]:
        """A law with a free correction: the errors it leaves, its fit, and its splines (B, R) at the distances r.

        The law is given at the knots (C, G - 2) and at the distances of the curve, (C, R).
        """
        u, ends = np.log(self.at_knots), np.log(self.r[[0, -1]])
        inner = np.linspace(ends[0], ends[1], BENDS)
        places = np.concatenate([[ends[0]] * 3, inner, [ends[1]] * 3])
        basis = BSpline.design_matrix(np.clip(u, *ends), places, 3).toarray().T
        strength = np.interp(u, np.log(self.r), np.log(self.strength(at)))
        shape = np.exp(strength) / self.at_knots

        def errors(c: FloatArray) -> FloatArray:
            more = (c.reshape(len(law), -1) @ basis) * shape / self.sizes
            return windows.errors(table_through(law + more))

        start = np.zeros(len(law) * len(basis))
        found = most_likely(errors, start, windows.group, np.full(len(start), DIFFERENCE), 2)
        shown = BSpline.design_matrix(np.log(self.r), places, 3).toarray().T
        return errors(found.values), found, shown


def _median_size(errors: FloatArray) -> float:
    """Of errors of particles, (..., n)."""
    return float(np.median(np.linalg.norm(errors, axis=-1)))


def _coupling_sizes(split: DataSplit, couplings: Sequence[str]) -> FloatArray:
    """Root mean square of k_i k_j over the pairs of the data for each channel: (C, 1)."""
    known = {"constant": np.ones_like(split.masses), "charges": split.charges, "masses": split.masses}
    first, second = np.triu_indices(split.n_particles, 1)
    values = (np.asarray(known[name], dtype=np.float64) for name in couplings)
    return np.array([[np.sqrt(np.mean((k[:, first] * k[:, second]) ** 2))] for k in values])
