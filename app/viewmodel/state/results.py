"""What the worker answers with: a comparison and what is measured on it, its forecasts in parts, a preview."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.framing import steady_framing
from app.viewmodel.state.playback import FRAMES_A_SECOND
from app.viewmodel.state.setup import OwnSystem, Setup
from app.viewmodel.state.symmetry import Symmetry
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import mean_spacing
from surrogate.render.projection import Framing


@dataclass(frozen=True, eq=False)
class ComparisonResult:
    """A finished comparison with what the read-outs show beside it.

    Attributes
    ----------
    setup : Setup
        What it was made for.
    comparison, contrast : Comparison, Comparison or None
    contrast_note : str
        Why there is no contrast although one was asked for.
    growth : (n_frames,) float64, or None
        How many times a 1e-6 perturbation of the truth before the turn has grown; None where the law is unknown
        or it was not simulated.
    truth_residual : (n_frames,) float64, or None
        |truth(R x) - R truth(x)| / radius at each frame; None without a rotation.
    advice : str
        What to run where the law was not learned; empty where it was.
    clamp_note : str
        That the clamped law never clamped, and which seed to try; empty where it did or is not used.
    left_out : str
        What is missing because the system is large; empty for nothing.
    symmetry : mapping of str to Symmetry
        Equivariance errors of "model", "contrast" and "engine", as far as there are any.
    energies : mapping of str to (n_frames,) float64
        Of truth, forecast, roll-out and second model, as far as there are any.
    kinetic : float
        Mean kinetic energy of the truth, the measure of energy errors (the total may be near zero).
    seconds : float
    measured : bool
        False in a first answer: the forecasts are there, the roll-out and the read-outs follow.
    framing : Framing or None
        What the picture frames where that was found out already: it takes a while for many particles.
    picture : int
        The same for the first answer and the whole one, which draw the same frames.
    drawn : bool
        Whether the scenario can be drawn with another N, n and seed.
    seed : int or None
    n_samples : int
        Of the data set that is browsed; 0 for a scenario.
    splits : tuple of str
        Of the data set; none where it is one split by itself.
    made, contrast_made : (n_frames,) bool, or None
        Frames that have a forecast of the model and of the second one; None for all. In the others the arrays of
        `comparison.forecast` repeat the truth, and are not shown.
    no_forecast : str
        Why the frames that are not made have none; empty while they may still come.
    notes : tuple of str
        What was filled in, guessed or left aside when the data were read.
    system : OwnSystem or None
        The system before the turn, for the editor; None where its law is unknown or it is too large for that.
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    contrast_note: str
    growth: FloatArray | None
    truth_residual: FloatArray | None
    advice: str
    seconds: float
    drawn: bool
    seed: int | None
    n_samples: int = 0
    splits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    made: NDArray[np.bool_] | None = None
    contrast_made: NDArray[np.bool_] | None = None
    no_forecast: str = ""
    system: OwnSystem | None = None
    clamp_note: str = ""
    left_out: str = ""
    symmetry: Mapping[str, Symmetry] = field(default_factory=dict)
    energies: Mapping[str, FloatArray] = field(default_factory=dict)
    kinetic: float = 1.0
    measured: bool = True
    framing: Framing | None = None
    picture: int = field(default_factory=time.monotonic_ns)

    @property
    def n_dims(self) -> int:
        """Space dimensions."""
        return self.comparison.truth.n_dims

    @property
    def rotation(self) -> FloatArray:
        """The world rotation it was made under, (n, n)."""
        return self.comparison.rotation

    def has_forecast(self, frame: int) -> bool:
        """Whether there is a forecast of a frame."""
        return self.made is None or bool(self.made[frame])

    @property
    def not_editable(self) -> str:
        """Why the scene editor does not take the system; empty where it does."""
        if self.system is not None:
            return ""
        return "too many particles to edit" if self.comparison.law_known else "their law is unknown"

    @property
    def frames(self) -> Framing:
        """What the picture frames."""
        return self.framing or steady_framing(self.comparison)

    @property
    def readable(self) -> bool:
        """Whether it can be read already: all is measured, or the forecasts of stored data come in parts."""
        return self.measured or self.made is not None

    @property
    def has_any_forecast(self) -> bool:
        """Whether there is a forecast of at least one frame."""
        return self.made is None or bool(self.made.any())

    def ended(self, reason: str) -> "ComparisonResult":
        """The same where no more forecasts come, and why."""
        return replace(self, no_forecast=reason, measured=True, picture=time.monotonic_ns())

    def where_made(self, values: FloatArray) -> FloatArray:
        """Numbers of each frame, (n_frames,) float64; not a number where there is no forecast."""
        return _where(self.made, values)

    def errors_of(self, trajectory: Trajectory) -> FloatArray:
        """RMSE of a trajectory at each frame, (n_frames,) float64; not a number where there is no forecast."""
        return self.where_made(self.comparison.position_rmse(trajectory))

    def errors(self) -> FloatArray:
        """The same of the forecast."""
        return self.errors_of(self.comparison.forecast)

    def contrast_errors(self) -> FloatArray:
        """The same of the second model, which there must be."""
        assert self.contrast is not None
        return _where(self.contrast_made, self.contrast.position_rmse())

    @property
    def clock_unit(self) -> float:
        """The time that is played in a second at speed 1: one unit of a scenario, FRAMES_A_SECOND of data."""
        times = self.comparison.truth.times
        if not self.n_samples or len(times) < 2:
            return 1.0
        return FRAMES_A_SECOND * mean_spacing(times)


def _where(made: NDArray[np.bool_] | None, values: FloatArray) -> FloatArray:
    return values if made is None else np.where(made, values, np.nan)


@dataclass(frozen=True, eq=False)
class Preview:
    """Some frames of the comparison that is still being made.

    Attributes
    ----------
    setup : Setup
        What it was made for.
    comparison, contrast : Comparison, Comparison or None
        Of the frames from `first` on; only their trajectories are of use.
    first : int
        Number of their first frame in the whole comparison.
    made : (n_frames,) bool, or None
        As of ComparisonResult.
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    first: int
    made: NDArray[np.bool_] | None = None

    def has_forecast(self, frame: int) -> bool:
        """Whether there is a forecast of a frame of the whole comparison."""
        return self.made is None or bool(self.made[frame - self.first])

    def holds(self, frame: int) -> bool:
        """Whether a frame of the whole comparison is in it."""
        return self.first <= frame < self.first + self.comparison.truth.n_frames


@dataclass(frozen=True, eq=False)
class ForecastPart:
    """Forecasts of some frames, for a comparison whose truth is shown already.

    Attributes
    ----------
    setup : Setup
        What they were made for.
    frames : (n_some,) int64
    positions, velocities : (n_some, n_particles, n_dims) float64 [length], [length/time]
    facts : mapping
        Fields of the Comparison that the model decides: its horizon, what is outside its training.
    notes : tuple of str
        On the horizon, where it is not the model's own.
    """

    setup: Setup
    frames: NDArray[np.int64]
    positions: FloatArray
    velocities: FloatArray
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def with_parts(result: ComparisonResult, parts: Sequence[ForecastPart]) -> ComparisonResult:
    """The comparison with some more of its forecasts."""
    comparison = result.comparison
    truth, forecast = comparison.truth, comparison.forecast
    assert result.made is not None
    made, notes = result.made.copy(), result.notes
    if forecast is truth:
        forecast = Trajectory(truth.times, truth.positions, truth.velocities, truth.system, truth.velocity_offset)
    for part in parts:
        for array, values in ((forecast.positions, part.positions), (forecast.velocities, part.velocities)):
            array.flags.writeable = True  # frames that no result so far has shown: no need to copy all others
            array[part.frames] = values
            array.flags.writeable = False
        made[part.frames] = True
        notes = (*notes, *(note for note in part.notes if note not in notes))
        comparison = replace(comparison, **part.facts)
    comparison = replace(comparison, forecast=forecast)
    return replace(result, comparison=comparison, made=made, notes=notes, picture=time.monotonic_ns())
