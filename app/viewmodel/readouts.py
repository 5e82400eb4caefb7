"""The numbers beside the panes, in words: model error, lack of equivariance and chaos told apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state import ViewState
from app.viewmodel.work import Prepared
from physics.types import Trajectory
from surrogate.comparison import Comparison
from surrogate.render.captions import short_number

FloatArray = NDArray[np.float64]

MEANINGS = {
    "RMSE": "Root mean square of the position error over particles and coordinates, at this frame",
    "equivariance": "How far the forecast of the turned world is from the turned forecast, relative to its size",
    "energy": "Energy of the forecast less that of the truth, as a share of the mean kinetic energy",
    "roll-out": "The model fed with its own forecasts",
}
"""What the short names of the read-outs mean, for tool tips."""

ROUND_OFF = 1e-4
"""An equivariance error below this is round-off of float32 arithmetic."""


@dataclass(frozen=True)
class ReadOut:
    """The numbers of one frame.

    Attributes
    ----------
    sources : tuple of str
        Column heads: the model, the contrast model, the chained roll-out, as far as there are any.
    table : tuple of (str, tuple of str)
        A quantity and its value for each source; empty where it has none.
    lines : tuple of (str, str)
        What belongs to the truth alone.
    explanation : str
        A sentence that reads them.
    """

    sources: tuple[str, ...] = ()
    table: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    explanation: str = ""


def readouts(state: ViewState) -> ReadOut:
    """The read-outs at the shown frame."""
    prepared = state.prepared
    if prepared is None:
        return ReadOut()
    comparison, contrast, frame = prepared.comparison, prepared.contrast, state.frame
    columns = [(comparison.model_name, _rmse(comparison, None, frame), _optional(comparison.equivariance_error))]
    drifts = [_energy_error(prepared, "forecast", frame)]
    if contrast is not None:
        at = min(frame, contrast.truth.n_frames - 1)
        columns.append((contrast.model_name, _rmse(contrast, None, at), _optional(contrast.equivariance_error)))
        drifts.append(_energy_error(prepared, "second", frame))
    if comparison.rollout is not None:
        columns.append(("roll-out", _rmse(comparison, comparison.rollout, frame), ""))
        drifts.append(_energy_error(prepared, "rollout", frame))
    sources, errors, equivariance = zip(*columns, strict=True)
    table = [("RMSE", errors), ("equivariance", equivariance)]
    if any(drifts):
        table.append(("energy", tuple(drifts)))
    lines = []
    if prepared.truth_residual is not None:
        lines.append(("the truth itself under this turn", short_number(float(prepared.truth_residual[frame]))))
    lines.append(("a 1e-6 perturbation has grown", f"{short_number(float(prepared.growth[frame]))}×"))
    text = reading(comparison, contrast, prepared.truth_residual)
    note = prepared.clamp_note
    explanation = " ".join(part for part in (f"{note[:1].upper()}{note[1:]}." if note else "", text) if part)
    return ReadOut(sources, tuple(table), tuple(lines), explanation)


def reading(comparison: Comparison, contrast: Comparison | None, truth_residual: FloatArray | None) -> str:
    """What the numbers say, in a sentence."""
    parts = []
    from physics.forces import FORCES  # Numba: loaded by now, but not when the window opens

    law = FORCES.get(comparison.truth.system.law)
    # chaos makes round-off large in time, so that a large residual alone does not convict an isotropic law
    if truth_residual is not None and law is not None and not law.isotropic and truth_residual.max() > ROUND_OFF:
        parts.append(
            f"The {comparison.truth.system.law} law does not turn with the world: the truth itself breaks."
        )
    error = comparison.equivariance_error
    if error is not None:
        verdict = "turns rigidly with the world" if error < ROUND_OFF else "does not turn with the world"
        parts.append(f"{comparison.model_name} {verdict}.")
    if (
        contrast is not None
        and contrast.equivariance_error is not None
        and contrast.equivariance_error > ROUND_OFF
    ):
        parts.append(f"{contrast.model_name} does not: turn the world and watch it swing.")
    return " ".join(parts)


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def _rmse(comparison: Comparison, trajectory: Trajectory | None, frame: int) -> str:
    seen = trajectory or comparison.forecast
    return short_number(float(np.sqrt(np.mean((seen.positions[frame] - comparison.truth.positions[frame]) ** 2))))


def energy_errors(prepared: Prepared) -> dict[str, FloatArray]:
    """Energy of each source less that of the truth's first frame, as a share of its mean kinetic energy."""
    if "truth" not in prepared.energies:
        return {}
    start = prepared.energies["truth"][0]
    return {name: (values - start) / prepared.kinetic for name, values in prepared.energies.items()}


def _energy_error(prepared: Prepared, source: str, frame: int) -> str:
    energies = prepared.energies
    if "truth" not in energies or source not in energies:
        return ""
    return f"{float(energies[source][frame] - energies['truth'][frame]) / prepared.kinetic:+.2g}"
