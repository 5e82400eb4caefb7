"""The read-out over the panes: what a simulation program shows at a glance. Text only, cheap on every frame."""

from dataclasses import dataclass

from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import (
    GAP,
    law_words,
    moment,
    rotation_text,
    short_number,
    steady_number,
    with_unit,
)


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the read-out of one source shows, at all frames.

    Attributes
    ----------
    rmse : (n_frames,) float64 [length], or None for the truth
    energy_drift : (n_frames,) float64, or None where the law is unknown
        Relative to the truth's first frame.
    """

    rmse: FloatArray | None
    energy_drift: FloatArray | None


def sizes_line(comparison: Comparison) -> str:
    """What does not change with the frame: n, N, seed, law."""
    truth, recipe = comparison.truth, comparison.details.get("recipe")
    parts = [f"n = {truth.n_dims}", f"N = {truth.system.n_particles}"]
    seed = comparison.details.get("seed", recipe.get("seed") if isinstance(recipe, dict) else None)
    if isinstance(seed, int):
        parts.append(f"seed {seed}")
    parts.append(law_words(truth.system) if comparison.law_known else "law unknown")
    return GAP.join(parts)


def headline(
    comparison: Comparison, frame: int, visible: float | None = None, truth: Numbers | None = None
) -> str:
    """The read-out of the whole scene: rotation (if there is one), time, frame and its length, sizes.

    Parameters
    ----------
    visible : float or None
        Fraction of the norm that is drawn; shown where something is hidden.
    truth : Numbers or None
        Given where the truth has no pane of its own to show its energy drift.
    """
    times = comparison.truth.times
    now = with_unit(moment(float(times[frame]), times), comparison, "time")
    clock = [f"t = {now}", f"frame {frame + 1} of {len(times)}"]
    if len(times) > 1 and comparison.even:
        clock.append(f"dt = {short_number(float(times[1] - times[0]))}")
    if visible is not None and visible < 1.0 - 1e-9:
        clock.append(f"{100.0 * visible:.0f} % visible")
    lines = [rotation_text(comparison), GAP.join(clock), sizes_line(comparison)]
    if truth is not None and truth.energy_drift is not None:
        lines.append(f"energy drift of the truth {truth.energy_drift[frame]:.1e}")
    return "\n".join(line for line in lines if line)


def footer(numbers: Numbers, frame: int, unit: str = "") -> str:
    """The read-out of one source: its error on this frame (`unit` is its label), and its energy drift."""
    parts = []
    if numbers.rmse is not None:
        parts.append(f"RMSE {steady_number(float(numbers.rmse[frame]))} {unit}".rstrip())
    if numbers.energy_drift is not None:
        parts.append(f"energy drift {numbers.energy_drift[frame]:.1e}")
    return GAP.join(parts)
