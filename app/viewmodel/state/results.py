"""What the worker answers with: a comparison with what is measured beside it, and the preview of one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.viewmodel.state.setup import OwnSystem, Setup
from app.viewmodel.state.symmetry import Symmetry
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison


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
    growth : (n_frames,) float64
        How many times a 1e-6 perturbation of the truth before the turn has grown.
    truth_residual : (n_frames,) float64, or None
        |truth(R x) - R truth(x)| / radius at each frame; None without a rotation.
    own_dims, own_particles : int
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
    picture : int
        The same for the first answer and the whole one, which draw the same frames.
    drawn : bool
        Whether the scenario can be drawn with another N, n and seed.
    seed : int or None
    n_samples : int
        Of the data set that is browsed; 0 for a scenario.
    splits : tuple of str
        Of the data set; none where it is one split by itself.
    system : OwnSystem
        The system before the turn, for the editor.
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    contrast_note: str
    growth: FloatArray
    truth_residual: FloatArray | None
    advice: str
    seconds: float
    drawn: bool
    seed: int | None
    n_samples: int = 0
    splits: tuple[str, ...] = ()
    system: OwnSystem | None = None
    clamp_note: str = ""
    left_out: str = ""
    symmetry: Mapping[str, Symmetry] = field(default_factory=dict)
    energies: Mapping[str, FloatArray] = field(default_factory=dict)
    kinetic: float = 1.0
    measured: bool = True
    picture: int = field(default_factory=time.monotonic_ns)


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
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    first: int

    def holds(self, frame: int) -> bool:
        """Whether a frame of the whole comparison is in it."""
        return self.first <= frame < self.first + self.comparison.truth.n_frames
