"""The numbers beside the panes, in words: model error, lack of equivariance and chaos told apart."""

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state import ViewState
from physics.forces import FORCES
from surrogate.comparison import Comparison
from surrogate.render.captions import short_number

FloatArray = NDArray[np.float64]

ROUND_OFF = 1e-4
"""An equivariance error below this is round-off of float32 arithmetic."""


def readouts(state: ViewState) -> tuple[list[tuple[str, str]], str]:
    """Name and value of each read-out at the shown frame, and a sentence that reads them."""
    prepared = state.prepared
    if prepared is None:
        return [], ""
    comparison, frame = prepared.comparison, state.frame
    lines = [(f"RMSE, {comparison.model_name}", short_number(float(comparison.position_rmse()[frame])))]
    contrast = prepared.contrast
    if contrast is not None:
        at = min(frame, contrast.truth.n_frames - 1)
        lines.append((f"RMSE, {contrast.model_name}", short_number(float(contrast.position_rmse()[at]))))
    if comparison.rollout is not None:
        rolled = float(comparison.position_rmse(comparison.rollout)[frame])
        lines.append(("RMSE, chained roll-out", short_number(rolled)))
    lines.append((f"equivariance error, {comparison.model_name}", _optional(comparison.equivariance_error)))
    if contrast is not None:
        lines.append((f"equivariance error, {contrast.model_name}", _optional(contrast.equivariance_error)))
    if prepared.truth_residual is not None:
        lines.append(("the truth itself under this turn", short_number(float(prepared.truth_residual[frame]))))
    lines.append(("a 1e-6 perturbation has grown", f"{short_number(float(prepared.growth[frame]))}×"))
    if "truth" in prepared.energies:
        lines.append(("energy drift, forecast", _drift(state)))
    lines.append(("made in", f"{1000 * prepared.seconds:.0f} ms"))
    return lines, reading(comparison, contrast, prepared.truth_residual)


def reading(comparison: Comparison, contrast: Comparison | None, truth_residual: FloatArray | None) -> str:
    """What the numbers say, in a sentence."""
    parts = []
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


def _drift(state: ViewState) -> str:
    assert state.prepared is not None
    truth, forecast = state.prepared.energies["truth"], state.prepared.energies["forecast"]
    scale = max(float(np.abs(truth).mean()), 1e-12)
    return f"{100 * float(forecast[state.frame] - truth[state.frame]) / scale:+.2g} %"
