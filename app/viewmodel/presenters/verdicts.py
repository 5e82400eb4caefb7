"""What measured equivariance errors mean, in sentences.

Three things make a turned forecast differ from the forecast of the turned world: a model (or a law) that is not
equivariant, round-off, and chaos, which makes round-off large. Measurements distinguish them: what a model
lacks in equivariance is the same in double precision, what is round-off is smaller by the precision gained.
"""

import numpy as np

from app.viewmodel.state.symmetry import ROUND_OFF, Symmetry
from physics.types import FloatArray
from surrogate.render.captions import moment

FAR_ABOVE = 100.0
"""An error so many times that of exact symmetries at the same time is not round-off made large."""


def model_verdict(name: str, found: Symmetry, times: FloatArray, chaos_known: bool = True) -> str:
    """What the errors of a model mean, in a sentence; chaos is named only where its growth was simulated."""
    broken = found.broken()
    if broken:
        worst = max(found.double[kind] for kind in broken)
        return f"{name} is not equivariant ({', '.join(broken)}): {worst:.1g} off, in double precision too."
    frame = found.first_large()
    if frame is None:
        return f"{name} is equivariant to round-off."
    cause = "chaos" if chaos_known else "round-off of single precision"
    return f"{name} is equivariant; the difference is {cause} after t = {_brief(times, frame)}."


def _brief(times: FloatArray, frame: int) -> str:
    """A time in a sentence: a digit less than beside the clock where that has two decimals."""
    text = moment(float(times[frame]), times)
    return text[:-1] if text[-3:-2] == "." else text


def truth_verdict(found: Symmetry, times: FloatArray, law: str, isotropic: bool, trapped: bool = False) -> str:
    """What the errors of the engine mean, in a sentence.

    Translations and permutations are symmetries of every law here, so that their errors show what chaos has made
    of round-off by then: a law that is not isotropic is to blame for what is far above that. A trap is about the
    origin, which leaves no symmetry under translations.
    """
    still = [name for name in ("translation", "permutation") if not (trapped and name == "translation")]
    note = " A translation is no symmetry of it: the trap is about the origin." if trapped else ""
    large = np.maximum(found.errors["rotation"], found.errors["reflection"]) > ROUND_OFF
    if not isotropic and large.any():
        first = int(np.argmax(large))
        turned = max(found.errors[name][first] for name in ("rotation", "reflection"))
        floor = max(found.errors[name][first] for name in still)
        if turned > FAR_ABOVE * floor:
            when = _brief(times, int(found.frames[first]))
            start = f"The truth itself is not equivariant (from t = {when} on)"
            return f"{start}: the {law} law is not isotropic.{note}"
    frame = found.first_large(("rotation", "reflection", *still))
    if frame is None:
        return f"The truth is equivariant to round-off.{note}"
    return f"The truth is equivariant; the difference is chaos after t = {_brief(times, frame)}.{note}"
