"""How a comparison is looked at: every choice of the picture, as one frozen value."""

from dataclasses import dataclass, field
from typing import Literal

from physics.types import FloatArray
from surrogate.render.captions import Source
from surrogate.render.theme import DARK, Theme

Layout = Literal["twin", "overlay"]
LAYOUTS: tuple[Layout, ...] = ("twin", "overlay")


@dataclass(frozen=True, eq=False)
class FieldVectors:
    """Vectors at points of space, such as an external field; drawn as arrows in every pane.

    Attributes
    ----------
    points : (n_vectors, n_dims) float64 [length]
    values : (n_vectors, n_dims) float64
        In any unit.
    longest : float
        The size that is drawn as the longest arrow; keep it over the frames, or arrows seem to grow.
    """

    points: FloatArray
    values: FloatArray
    longest: float


@dataclass(frozen=True, eq=False)
class ViewOptions:
    """How a comparison is looked at; it changes no number.

    Attributes
    ----------
    basis : (n_dims, 3) float64 or None
        View basis V; None for :func:`surrogate.render.projection.default_view_basis`.
    layout : {"twin", "overlay"}
        Side by side; or the forecast solid with the truth half transparent in one pane (a second one for the
        roll-out).
    colour_by : str
        A name of :data:`surrogate.render.colourings.COLOURINGS`.
    hidden_axis : int or None
        The axis that colour "coordinate" and depth "axis" speak of; None for the one most hidden by V.
    colour_range : (float, float) or None
        Ends of the scale; None for the comparison's own. Give it to show several comparisons on one scale.
    trail_length : int
        Frames a trail reaches back; 0 for none.
    trail_fade : bool
        Trails fade with age.
    trail_of : {"all", "selected"}
    ghosts : bool
        Show the truth in the other panes, linked to the forecast particles.
    fade_hidden : float
        0 to 1: how much particles off the drawn space fade into the background.
    depth_by : {"radius", "axis"}
        What is off the drawn space: the hidden radius |(I - V V^T) x|, or the coordinate along `hidden_axis`;
        both from the centre of the frame.
    slice_thickness : float or None
        Show a slice: what is further off the drawn space than this fades nearly away [length].
    selected : tuple of int
        Particles with a halo, in all panes.
    follow : int or None
        The camera stays on this particle of the truth.
    hud : bool
        Show the read-out: time, sizes, seed, energy drift, error.
    drift : bool
        The energy drift, too; off for frames cut out of a longer run, which have another start.
    vectors : FieldVectors or None
        Drawn beside the system's own fields.
    fields : bool
        Show the electric and the magnetic field, where there are any.
    theme : Theme
    panes : tuple of {"truth", "forecast", "rollout"}, or None
        None shows all there are.
    """

    basis: FloatArray | None = None
    layout: Layout = "twin"
    colour_by: str = "charge"
    hidden_axis: int | None = None
    colour_range: tuple[float, float] | None = None
    trail_length: int = 60
    trail_fade: bool = True
    trail_of: Literal["all", "selected"] = "all"
    ghosts: bool = True
    fade_hidden: float = 0.0
    depth_by: Literal["radius", "axis"] = "radius"
    slice_thickness: float | None = None
    selected: tuple[int, ...] = ()
    follow: int | None = None
    hud: bool = True
    drift: bool = True
    vectors: FieldVectors | None = None
    fields: bool = True
    theme: Theme = field(default=DARK)
    panes: tuple[Source, ...] | None = None
