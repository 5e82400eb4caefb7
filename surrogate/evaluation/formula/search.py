"""The closed form of a learned pair law: started on its curve, fitted to the data, chosen on held-out windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.evaluation.formula.curve_fit import CurveFit, curve_fit
from surrogate.evaluation.formula.data_fit import Refined, Search, Tried
from surrogate.evaluation.formula.forms import Candidate, candidates
from surrogate.inference.forecaster import Forecaster

ON_DATA = 4
"""The candidates nearest to the learned curve are fitted to the data."""
CURVE_DOUBT = 0.01
"""Relative error of the learned curve itself, about: of candidates within it those of few parameters are tried."""
PARAMETER_COST = 0.1
"""What a parameter more has to win of the difference from the curve, as a share."""
SAME = 0.01
"""Laws whose forces differ by less are the same law."""
TOLERANCE, TOLERANCE_OF_NOISY = 0.01, 0.03
"""A law from which the data ask for a larger correction than this is none."""
LEAST_ERROR = 1e-4
"""Least relative error of a parameter: about what splines do to softenings, and the steps that made the data."""
STEP = 1e-6
"""Relative step of the derivatives by which errors go from one system of units to another."""
Progress = Callable[[str, float], None]
"""What is being done, and which share of all is done."""


def silent(text: str, share: float) -> None:
    """No progress."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A pair law in closed form.

    Attributes
    ----------
    candidate : Candidate or None
        None where no simple form fits.
    values, errors : (P,) float64
        Its parameters and their standard errors, in the data's units.
    couplings : tuple of str
        Channels of the model.
    correction : float
        The largest share of the force by which the data significantly ask for another.
    tried : tuple of Tried
        The candidates that were fitted to the data; of those of one term, and of two, the chosen one first.
    """

    candidate: Candidate | None
    values: FloatArray
    errors: FloatArray
    couplings: tuple[str, ...]
    correction: float
    tried: tuple[Tried, ...]

    @property
    def form(self) -> str | None:
        """The candidate's name."""
        return None if self.candidate is None else self.candidate.name


def formula_of(model: Forecaster, split: DataSplit, seen: FloatArray, progress: Progress = silent) -> Formula:
    """The closed form of a model's pair law, or none.

    Of laws of one term, the one that forecasts held-out windows best; where the data ask for corrections of it, of
    laws of two.

    Parameters
    ----------
    model : Forecaster
        Of an integrator.
    split : DataSplit
    seen : (M,) float64 [length]
        Pair distances in the data.
    progress : Progress, optional

    Raises
    ------
    InputError
        Where there are too few windows.
    """
    progress("reading windows", 0.0)
    search = Search(model, split, seen)
    if len(np.unique(search.held.group)) < 2:
        raise InputError(f"{split.source}: too few windows to fit a formula to some and compare it on others")
    corrections, tried = [], list[Tried]()
    for n_terms in (1, 2):
        begin = 0.5 * (n_terms - 1)
        found = _best(search, n_terms, partial(_part, progress, begin, 0.35))
        tried += found
        progress(f"refining {found[0].candidate.name}", begin + 0.35)
        fit = _refined(search, found[0])
        progress(f"testing {found[0].candidate.name}", begin + 0.42)
        corrections.append(search.largest_correction(fit))
        fits = corrections[-1] <= (TOLERANCE_OF_NOISY if search.noisy else TOLERANCE)
        if fits and not search.at_limit(fit):
            progress("done", 1.0)
            return _formula(search, fit, corrections[-1], tried)
    progress("done", 1.0)
    return _formula(search, None, min(corrections), tried)


def _part(progress: Progress, begin: float, width: float, text: str, share: float) -> None:
    progress(text, begin + width * share)


def _best(search: Search, n_terms: int, progress: Progress) -> list[Tried]:
    """Laws of so many terms on the data, the chosen one first.

    Chosen is the one of fewest parameters that forecasts as well as the best: within twice the scatter of the
    groups' differences, or with the same forces.
    """
    choices = candidates(search.couplings, n_terms)
    on_curve = []
    for k, candidate in enumerate(choices):
        progress(f"fitting the learned curve: {candidate.name}", 0.3 * k / len(choices))
        on_curve.append(curve_fit(candidate, search.curve))
    starts, tried = _nearest(on_curve), list[Tried]()
    for k, start in enumerate(starts):
        progress(f"fitting the data: {start.candidate.name}", 0.3 + 0.4 * k / len(starts))
        tried.append(_on_data(search, start))
    # a form that stopped on its way begins again on what the best one has found
    found = replace(search.curve, radial=search.radial(max(tried, key=lambda t: t.logs.sum())))
    for k, one in enumerate(tried):
        progress(f"fitting the data: {one.candidate.name}", 0.7 + 0.3 * k / len(starts))
        again = replace(curve_fit(one.candidate, found), error=one.curve_error)
        tried[k] = max(one, _on_data(search, again), key=lambda t: t.logs.sum())
    penalty = 0.5 * np.log(len(search.held))
    within = [t for t in tried if not search.at_limit(t)] or tried
    within.sort(key=lambda t: penalty * len(t.values) - t.logs.sum())
    best = within[0]

    def as_good(other: Tried) -> bool:
        gaps = best.logs - other.logs
        lost = gaps.sum() + penalty * (len(other.values) - len(best.values))
        return bool(lost <= 2 * np.std(gaps) * np.sqrt(len(gaps)) or search.difference(best, other) < SAME)

    chosen = min(filter(as_good, within), key=lambda t: len(t.values))
    return [chosen, *(t for t in tried if t is not chosen)]


def _on_data(search: Search, start: CurveFit) -> Tried:
    """A candidate fitted to the data from its fit to a curve."""
    fit = search.fit(start.candidate, start.values, search.fitted)
    return Tried(start.candidate, fit.values, search.held_out(start.candidate, fit), start.error)


def _nearest(fits: Sequence[CurveFit]) -> list[CurveFit]:
    """The fits to the data that are tried: those nearest to the learned curve, of each choice of channels some."""
    by_channels: dict[tuple[str, ...], list[CurveFit]] = {}
    for fit in sorted(fits, key=lambda fit: (fit.error + CURVE_DOUBT) * (1 + PARAMETER_COST * len(fit.values))):
        by_channels.setdefault(tuple(term.coupling for term in fit.candidate.terms), []).append(fit)
    return [fit for group in by_channels.values() for fit in group[: max(ON_DATA // len(by_channels), 2)]]


def _refined(search: Search, found: Tried) -> Refined:
    """Fitted to all windows in finer rounds (noisy: longer ones); what that changed counts as an error, too."""
    coarse = search.fit(found.candidate, found.values, search.windows)
    fine = search.fit(found.candidate, coarse.values, search.finer)
    changed, floor = fine.values - coarse.values, (LEAST_ERROR * fine.values) ** 2
    return Refined(found.candidate, fine.values, fine.covariance + np.outer(changed, changed) + np.diag(floor))


def _formula(search: Search, fit: Refined | None, correction: float, tried: Sequence[Tried]) -> Formula:
    """What was found, in the units of the data."""
    shown = tuple(replace(t, values=search.in_units_of_data(t.candidate, t.values)) for t in tried)
    if fit is None:
        return Formula(None, np.empty(0), np.empty(0), search.couplings, correction, shown)
    values = search.in_units_of_data(fit.candidate, fit.values)
    steps = np.diag(STEP * np.where(fit.values, fit.values, 1.0))
    slopes = [(search.in_units_of_data(fit.candidate, fit.values + h) - values) / h.sum() for h in steps]
    errors = np.sqrt(np.einsum("pi,pq,qi->i", slopes, fit.covariance, slopes))
    return Formula(fit.candidate, values, errors, search.couplings, correction, shown)
