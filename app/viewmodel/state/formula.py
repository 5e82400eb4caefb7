"""The closed form of a model's pair law, as far as it was looked for in the window."""

from dataclasses import dataclass
from typing import Literal

from app.viewmodel.state.setup import Setup
from physics.types import FloatArray

Status = Literal["idle", "running", "done", "failed"]


@dataclass(frozen=True, eq=False)
class FormulaReport:
    """What was found.

    Attributes
    ----------
    form : str
        Name of the form; empty where none fits.
    formula : str
        As text.
    parameters : tuple of (str, float, float)
        Names, values, standard errors.
    remarks : tuple of str
        How good it is, what the data say.
    distances : (R,) float64 [length]
    curves : dict of str to (R,) float64 [force]
        "learned", and where there is one "formula", and where it is known "true": of the strongest pair.
    """

    form: str
    formula: str
    parameters: tuple[tuple[str, float, float], ...]
    remarks: tuple[str, ...]
    distances: FloatArray
    curves: dict[str, FloatArray]


@dataclass(frozen=True)
class FormulaSearch:
    """What the panel shows.

    Attributes
    ----------
    status : Status
    setup : Setup or None
        For which it was looked for.
    progress : float
        0 to 1 while it is looked for.
    doing : str
        What is done meanwhile.
    report : FormulaReport or None
    reason : str
        Why there is none.
    """

    status: Status = "idle"
    setup: Setup | None = None
    progress: float = 0.0
    doing: str = ""
    report: FormulaReport | None = None
    reason: str = ""
