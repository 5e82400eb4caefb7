"""By what particles can be coloured: the registry COLOURINGS, the one range of all panes, the legend's content.

To add one: a function of a :class:`Look` that gives a number per frame and particle, and a row in COLOURINGS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError, unknown_name
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import short_number, sources
from surrogate.render.projection import RUNAWAY, Framing, hidden_radius, rounded_up
from surrogate.render.theme import Theme, ramp_colours, rgb

Palette = Literal["signs", "sequential", "two-sided"]


@dataclass(frozen=True, eq=False)
class Look:
    """What a colouring may depend on beside the trajectory.

    Attributes
    ----------
    truth : Trajectory
    basis : (n_dims, 3) float64
    axis : int
        The chosen hidden axis.
    frames : Framing
    energies : callable
        What each particle has of the energy of a trajectory, (n_frames, n_particles) float64.
    positions : callable
        Where a trajectory is drawn: in the periodic box, where there is one.
    """

    truth: Trajectory
    basis: FloatArray
    axis: int
    frames: Framing
    energies: Callable[[Trajectory], FloatArray]
    positions: Callable[[Trajectory], FloatArray]


def _charge(trajectory: Trajectory, look: Look) -> FloatArray:
    return np.broadcast_to(trajectory.system.charges, trajectory.positions.shape[:2])


def _mass(trajectory: Trajectory, look: Look) -> FloatArray:
    return np.broadcast_to(trajectory.system.masses, trajectory.positions.shape[:2])


def _speed(trajectory: Trajectory, look: Look) -> FloatArray:
    return np.asarray(np.linalg.norm(trajectory.velocities, axis=-1))


def _error(trajectory: Trajectory, look: Look) -> FloatArray:
    return np.asarray(np.linalg.norm(trajectory.positions - look.truth.positions, axis=-1))


def _energy(trajectory: Trajectory, look: Look) -> FloatArray:
    return look.energies(trajectory)


def _coordinate(trajectory: Trajectory, look: Look) -> FloatArray:
    return look.positions(trajectory)[..., look.axis]


def _hidden_radius(trajectory: Trajectory, look: Look) -> FloatArray:
    return hidden_radius(look.positions(trajectory) - look.frames.centre, look.basis)


@dataclass(frozen=True)
class Colouring:
    """One way to colour particles.

    Attributes
    ----------
    name : str
    label : str
        For menus and the legend; "{axis}" stands for the chosen hidden axis.
    unit : str
        Empty for none.
    values : callable
        (trajectory, look) -> (n_frames, n_particles) float64; row f holds the values of frame f.
    palette : {"signs", "sequential", "two-sided"}
        "signs" colours by the sign alone and has a key instead of a scale.
    from_zero : bool
        A sequential scale begins at 0, not at the least value.
    needs_law : bool
        Means nothing where the law is unknown.
    """

    name: str
    label: str
    unit: str
    values: Callable[[Trajectory, Look], FloatArray]
    palette: Palette
    from_zero: bool = True
    needs_law: bool = False


COLOURINGS: Mapping[str, Colouring] = MappingProxyType(
    {
        row.name: row
        for row in (
            Colouring("charge", "charge", "", _charge, "signs"),
            Colouring("mass", "mass", "mass", _mass, "sequential", from_zero=False),
            Colouring("speed", "speed", "length/time", _speed, "sequential"),
            Colouring("error", "error", "length", _error, "sequential"),
            Colouring("energy", "energy share", "energy", _energy, "two-sided", needs_law=True),
            Colouring("coordinate", "coordinate x{axis}", "length", _coordinate, "two-sided"),
            Colouring("hidden", "hidden radius", "length", _hidden_radius, "sequential"),
        )
    }
)
"""By name. The energy share is the particle's kinetic energy and half the energy of each of its pairs."""


@dataclass(frozen=True)
class Legend:
    """What the colours mean, in words and colours.

    Attributes
    ----------
    title : str
        The quantity and its unit.
    ramp : tuple of str
        Colours of the bar from `low` to `high`; empty where there is a key instead.
    low, high : str
        The numbers at the ends of the bar.
    key : tuple of (str, str)
        Word and colour of each kind.
    notes : tuple of str
        What rings, ghosts and links are.
    arrows : tuple of (str, str)
        Word and colour of each field that is drawn.
    """

    title: str
    ramp: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    key: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    arrows: tuple[tuple[str, str], ...] = ()


def colouring_of(name: str, comparison: Comparison) -> Colouring:
    """The row of COLOURINGS, checked against the comparison.

    Raises
    ------
    InputError
        For an unknown name, or where the colouring needs a law that is not known.
    """
    if name not in COLOURINGS:
        raise unknown_name("colouring", name, COLOURINGS)
    colouring = COLOURINGS[name]
    if colouring.needs_law and not comparison.law_known:
        raise InputError(f"colouring {name!r} needs a known law; the law of this data is not known")
    if colouring.needs_law and not comparison.has_energies:
        raise InputError(f"colouring {name!r} needs energies, which are left out; --in-full makes them")
    return colouring


def measured_range(colouring: Colouring, values: Mapping[str, FloatArray], frames: Framing) -> tuple[float, float]:
    """Ends of the scale over a whole comparison, one for all panes and frames.

    Parameters
    ----------
    values : mapping
        (n_frames, n_particles) of each source; "truth" is among them.

    Notes
    -----
    The far end is the 98th percentile over all sources, but not further than RUNAWAY times the truth's, and is
    rounded up to two digits: a runaway forecast does not press all others into one colour, and round-off in a
    turned world does not move the scale. Errors take the framing's limit.
    """
    if colouring.palette == "signs":
        return -1.0, 1.0
    if colouring.name == "error":
        return 0.0, frames.error_limit
    if not colouring.from_zero:
        everything = np.concatenate([v.ravel() for v in values.values()])
        return float(everything.min()), float(everything.max())
    far = float(np.percentile(np.abs(np.concatenate([v.ravel() for v in values.values()])), 98.0))
    of_truth = float(np.abs(values["truth"]).max())
    end = rounded_up(min(far, RUNAWAY * of_truth) if of_truth > 0 else far)
    return (-end if colouring.palette == "two-sided" else 0.0), end


def charge_colours(charges: FloatArray, theme: Theme) -> FloatArray:
    """Colour of each particle by the sign of its charge, (..., 3) float64 in 0..255."""
    palette = np.stack([rgb(theme.negative), rgb(theme.neutral), rgb(theme.positive)])
    return np.asarray(palette[np.sign(charges).astype(int) + 1])


def palette_ramp(palette: Palette, theme: Theme) -> tuple[str, ...]:
    """The colours of a palette from its low to its high end."""
    if palette == "signs":
        return theme.negative, theme.neutral, theme.positive
    return theme.two_sided if palette == "two-sided" else theme.error_ramp


def value_colours(
    colouring: Colouring, values: FloatArray, ends: tuple[float, float], theme: Theme
) -> NDArray[np.float64]:
    """Colours of values on a scale, (..., 3) float64 in 0..255; the middle one where the scale has no width."""
    if colouring.palette == "signs":
        return charge_colours(values, theme)
    low, high = ends
    share = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    return ramp_colours(share, palette_ramp(colouring.palette, theme)).astype(np.float64)


def legend_of(
    colouring: Colouring, ends: tuple[float, float], axis: int, theme: Theme, charges: FloatArray
) -> Legend:
    """The legend without its notes; the key of charges names only those there are."""
    title = colouring.label.format(axis=axis)
    if colouring.palette == "signs":
        kinds = ((1, "positive", theme.positive), (0, "neutral", theme.neutral), (-1, "negative", theme.negative))
        return Legend(title, key=tuple((word, colour) for sign, word, colour in kinds if sign in np.sign(charges)))
    if colouring.unit:
        title = f"{title} [{colouring.unit}]"
    low, high = ends
    if not high > low:
        return Legend(title, key=((f"all {short_number(low)}", palette_ramp(colouring.palette, theme)[2]),))
    return Legend(title, palette_ramp(colouring.palette, theme), short_number(low), short_number(high))


def values_of(colouring: Colouring, comparison: Comparison, look: Look) -> dict[str, FloatArray]:
    """The numbers behind the colours of every source there is, (n_frames, n_particles) each."""
    return {source: colouring.values(getattr(comparison, source), look) for source in sources(comparison)}
