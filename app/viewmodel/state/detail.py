"""How finely a comparison is shown and measured: large systems get less of both, unless more is asked for.

The time of a forecast grows with the square of the particle number, and the usual comparison asks for thousands.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """What is made.

    Attributes
    ----------
    frames_per_horizon : int
        Of one model horizon as shown.
    n_elements : int
        Random elements of O(n) for the equivariance error of all frames.
    sampled, double_sampled : int
        Frames at which each kind of symmetry is measured, in single and in double precision.
    engine : bool
        The engine's own errors, from four more simulations.
    measured : bool
        Symmetries, energies and the chained roll-out at all.
    """

    frames_per_horizon: int
    n_elements: int
    sampled: int
    double_sampled: int
    engine: bool
    measured: bool = True


FULL = Detail(frames_per_horizon=25, n_elements=8, sampled=60, double_sampled=8, engine=True)
"""Smooth at real-time speed."""

REDUCED = Detail(frames_per_horizon=8, n_elements=1, sampled=12, double_sampled=2, engine=False)

FORECASTS = Detail(frames_per_horizon=8, n_elements=0, sampled=0, double_sampled=0, engine=False, measured=False)
"""Nothing but the forecasts."""

MOST_IN_FULL, MOST_MEASURED = 50, 100
"""Particles up to which all is made, and up to which more than the forecasts of stored data."""


def detail_of(n_particles: int, in_full: bool, stored: bool = False) -> Detail:
    """What is made for so many particles; all of it where the user asked for that."""
    if in_full or n_particles <= MOST_IN_FULL:
        return FULL
    return FORECASTS if stored and n_particles > MOST_MEASURED else REDUCED


MOST_KNOTS, SHORTEST_TRAIL = 24_000, 4
"""Knots of all trails in a pane, and frames below which a trail is no trail."""


def trail_length(wanted: int, n_trails: int) -> int:
    """Frames that trails reach back: as wanted, shorter or none at all where there are very many of them."""
    most = MOST_KNOTS // max(n_trails, 1)
    return wanted if wanted <= most else (most if most >= SHORTEST_TRAIL else 0)


def left_out(detail: Detail, stored: bool) -> str:
    """What a comparison goes without, in a sentence without its full stop; empty for nothing.

    Parameters
    ----------
    stored : bool
        The truth is a stored trajectory: it has its own frames and no engine.
    """
    if detail == FULL:
        return ""
    if not detail.measured:
        return (
            f"more than {MOST_MEASURED} particles: no symmetries, energies, chained roll-out (Models > Measure in "
            "full makes all of it)"
        )
    symmetry = f"symmetries at {detail.sampled} frames rather than {FULL.sampled}"
    frames = f"{detail.frames_per_horizon} frames a horizon rather than {FULL.frames_per_horizon}"
    parts = [symmetry] if stored else [frames, symmetry, "no errors of the engine"]
    return f"more than {MOST_IN_FULL} particles: {', '.join(parts)} (Models > Measure in full makes all of it)"
