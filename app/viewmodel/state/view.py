"""How a comparison is looked at, and what of it can be shown; changes no number."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from app.viewmodel.state.detail import MOST_MEASURED
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render import COLOURINGS
from surrogate.render.projection import axis_view_basis

MAX_PANES = 4
Rows = tuple[tuple[float, ...], ...]


TRAILS = (0, 15, 30, 60, 120, 240)


@dataclass(frozen=True)
class View:
    """How it is looked at; changes no number.

    Attributes
    ----------
    layout : "twin" or "overlay"
        Truth and forecast side by side, or one over the other.
    maximised : int or None
        The one pane that is shown, counted from the left; None shows all.
    colour_by : str
        A name of `surrogate.render.COLOURINGS`.
    colour_range : (float, float) or None
        Ends of the scale; None for the comparison's own.
    hidden_axis : int or None
        Which coordinate "coordinate" and the depth cue speak of; None for the one most hidden.
    trail : int
        Frames a trail reaches back.
    trail_fade : bool
        Trails fade with age.
    trail_of : "all" or "selected"
    ghosts : bool
        The truth and the error links in the forecast's pane.
    hud : bool
        Time, sizes, seed, errors over the panes.
    fields : bool
        Arrows of the electric and the magnetic field.
    fade_hidden : float
        0 to 1: how much what is off the drawn space fades.
    depth_by : "radius" or "axis"
        What is off the drawn space: the hidden radius, or the coordinate along `hidden_axis`.
    slice_thickness : float or None
        Show a slice of the hidden space [length].
    log_curves : bool
        Logarithmic axes of the curves.
    theme : "dark" or "light"
    axes : tuple of int, or None
        The three coordinate axes drawn; None shows all of them at once (the default oblique view).
    basis : tuple of tuples of float, or None
        View basis V as a tour or a drag left it, (n, 3), instead of axes.
    hidden_axis : int or None
        The axis that colours, depth, the radial tour and Alt+drag call hidden; None for the most hidden one.
    show_rollout : bool
    show_help : bool
        All keys, with an explanation.
    """

    layout: Literal["twin", "overlay"] = "twin"
    maximised: int | None = None
    colour_by: str = "charge"
    colour_range: tuple[float, float] | None = None
    hidden_axis: int | None = None
    trail: int = 60
    trail_fade: bool = True
    trail_of: Literal["all", "selected"] = "all"
    ghosts: bool = True
    hud: bool = True
    fields: bool = True
    fade_hidden: float = 0.0
    depth_by: Literal["radius", "axis"] = "radius"
    slice_thickness: float | None = None
    log_curves: bool = True
    theme: Literal["dark", "light"] = "dark"
    axes: tuple[int, int, int] | None = None
    basis: Rows | None = None
    show_rollout: bool = False
    show_help: bool = False


def chosen_basis(view: View, n_dims: int) -> FloatArray | None:
    """The view basis that was chosen for so many dimensions, (n, 3) float64; None for the default one."""
    if view.basis is not None and len(view.basis) == n_dims:
        return np.array(view.basis, dtype=np.float64)
    if view.axes is None or n_dims <= 3 or max(view.axes) >= n_dims:
        return None
    return axis_view_basis(n_dims, view.axes)


def energies_shown(comparison: Comparison) -> bool:
    """Whether the energies of particles are known, or quickly found: all pairs of many particles take too long."""
    few = comparison.truth.system.n_particles <= MOST_MEASURED
    return comparison.law_known and (few or "truth" in comparison.energy_shares)


def possible_colourings(energies: bool) -> tuple[str, ...]:
    """Names of the colourings that mean something, with energies or without them."""
    return tuple(name for name, row in COLOURINGS.items() if energies or not row.needs_law)


def fitting(view: View, comparison: Comparison) -> View:
    """The view without what this comparison cannot show: axes of more dimensions, colours of an unknown law."""
    view = fitting_dims(view, comparison.truth.n_dims)
    if view.colour_by not in possible_colourings(energies_shown(comparison)):
        view = replace(view, colour_by="charge", colour_range=None)
    return view


def fitting_dims(view: View, n: int) -> View:
    """The view without axes of more than n dimensions."""
    if view.axes is not None and (n <= 3 or max(view.axes) >= n):
        view = replace(view, axes=None)
    if view.basis is not None and len(view.basis) != n:
        view = replace(view, basis=None)
    if view.hidden_axis is not None and view.hidden_axis >= n:
        view = replace(view, hidden_axis=None)
    return view
