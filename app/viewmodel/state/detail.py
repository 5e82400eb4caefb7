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
    """

    frames_per_horizon: int
    n_elements: int
    sampled: int
    double_sampled: int
    engine: bool


FULL = Detail(frames_per_horizon=25, n_elements=8, sampled=60, double_sampled=8, engine=True)
"""Smooth at real-time speed."""

REDUCED = Detail(frames_per_horizon=8, n_elements=1, sampled=12, double_sampled=2, engine=False)

MOST_IN_FULL = 50
"""Particles up to which all is made."""


def detail_of(n_particles: int, in_full: bool) -> Detail:
    """What is made for so many particles; all of it where the user asked for that."""
    return FULL if in_full or n_particles <= MOST_IN_FULL else REDUCED


def left_out(detail: Detail, stored: bool) -> str:
    """What a comparison goes without, in a sentence without its full stop; empty for nothing.

    Parameters
    ----------
    stored : bool
        The truth is a stored trajectory: it has its own frames and no engine.
    """
    if detail == FULL:
        return ""
    symmetry = f"symmetries at {detail.sampled} frames rather than {FULL.sampled}"
    frames = f"{detail.frames_per_horizon} frames a horizon rather than {FULL.frames_per_horizon}"
    parts = [symmetry] if stored else [frames, symmetry, "no errors of the engine"]
    return f"more than {MOST_IN_FULL} particles: {', '.join(parts)} (Models > Measure in full makes all of it)"
