"""The numbers beside the panes, in words: model error, lack of equivariance and chaos apart."""

import numpy as np

from app.viewmodel.presenters.read_out import ReadOut
from app.viewmodel.presenters.sample_readouts import sample_readouts
from app.viewmodel.presenters.verdicts import model_verdict, truth_verdict
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.symmetry import NAMES
from app.viewmodel.state.view_state import ViewState
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import short_number

MEANINGS = {
    "RMSE": "Root mean square of the position error over particles and coordinates, at this frame",
    "energy": "Energy of the forecast less that of the truth, as a share of the mean kinetic energy",
    "rotation": "How far the forecast of the turned world is from the turned forecast, relative to its size: "
    "under the world rotation, or a random one where there is none",
    "reflection": "The same for the world mirrored in a random direction",
    "translation": "The same for the world moved away by its own size",
    "permutation": "The same for the particles in another order",
    "engine": "The simulation itself, from the start of the run to this frame: its round-off, made large by chaos",
    "roll-out RMSE": "The same of the model fed with its own forecasts",
    "roll-out energy": "The same of the model fed with its own forecasts",
    "a 1e-6 perturbation has grown": "How fast the motion itself drives neighbouring states apart: chaos",
}
"""What the short names of the read-outs mean, for tool tips."""

NONE = "-"
"""Stands where a frame has no forecast."""

LAW_UNKNOWN = "the law of these data is unknown: no energies, no growth of perturbations"
"""What is not said of such data."""


def readouts(state: ViewState) -> ReadOut:
    """The read-outs at the shown frame, or of the sample."""
    result = state.result
    if state.sample is not None:
        return sample_readouts(state.sample.sample)
    if result is None:
        return ReadOut()
    comparison, contrast, frame = result.comparison, result.contrast, state.frame
    symmetry = result.symmetry
    sources = [("model", comparison.model_name)]
    there = result.has_forecast(frame)
    errors = [_rmse(comparison, None, frame) if there else NONE]
    drifts = [_energy_error(result, "forecast", frame)]
    if contrast is not None:
        sources.append(("contrast", contrast.model_name))
        at = min(frame, contrast.truth.n_frames - 1)
        second = result.contrast_made is None or result.contrast_made[at]
        errors.append(_rmse(contrast, None, at) if second else NONE)
        drifts.append(_energy_error(result, "second", frame))
    if "engine" in symmetry:
        sources.append(("engine", "engine"))
        errors.append("")
        drifts.append("")
    table = [("RMSE", tuple(errors))]
    if any(drifts):
        table.append(("energy", tuple(drifts)))
    for name in NAMES:
        values = tuple(_power(symmetry[key].at(name, frame)) if key in symmetry else "" for key, _ in sources)
        if any(values):
            table.append((name, values))
    lines = []
    if comparison.rollout is not None and there:
        lines.append(("roll-out RMSE", _rmse(comparison, comparison.rollout, frame)))
        drift = _energy_error(result, "rollout", frame)
        if drift:
            lines.append(("roll-out energy", drift))
    if result.growth is not None:
        lines.append(("a 1e-6 perturbation has grown", f"{short_number(float(result.growth[frame]))}×"))
    unknown = "" if comparison.law_known else LAW_UNKNOWN
    none = "" if there or not result.no_forecast else f"no forecast of this frame: {result.no_forecast}"
    coming = "" if result.measured else "forecasts are on their way"
    told = (none, coming, unknown, result.clamp_note, result.left_out)
    notes = [f"{n[:1].upper()}{n[1:]}." for n in told if n]
    said = (*notes, verdict(result))
    return ReadOut(tuple(name for _, name in sources), tuple(table), tuple(lines), " ".join(filter(None, said)))


def verdict(result: ComparisonResult) -> str:
    """Lack of equivariance, round-off and chaos apart: a sentence for each model, and one for the truth."""
    from physics.laws.names import law_claims  # Numba: loaded by now, but not when the window opens

    found, times, parts = result.symmetry, result.comparison.truth.times, list[str]()
    for key, comparison in (("model", result.comparison), ("contrast", result.contrast)):
        if key in found and comparison is not None:
            known = result.growth is not None
            parts.append(model_verdict(comparison.model_name, found[key], comparison.truth.times, known))
    if "engine" in found:
        system = result.comparison.truth.system
        isotropic, trapped = law_claims(system.law).isotropic, system.fields.trap != 0.0
        parts.append(truth_verdict(found["engine"], times, system.law, isotropic, trapped))
    return " ".join(parts)


def _power(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def _rmse(comparison: Comparison, trajectory: Trajectory | None, frame: int) -> str:
    seen = trajectory or comparison.forecast
    return short_number(float(np.sqrt(np.mean((seen.positions[frame] - comparison.truth.positions[frame]) ** 2))))


def energy_errors(result: ComparisonResult) -> dict[str, FloatArray]:
    """Energy of each source less that of the truth's first frame, as a share of its mean kinetic energy."""
    if "truth" not in result.energies:
        return {}
    start = result.energies["truth"][0]
    return {name: (values - start) / result.kinetic for name, values in result.energies.items()}


def _energy_error(result: ComparisonResult, source: str, frame: int) -> str:
    energies = result.energies
    if "truth" not in energies or source not in energies:
        return ""
    error = float(energies[source][frame] - energies["truth"][frame]) / result.kinetic
    return f"{error:+.2g}" if error == error else NONE
