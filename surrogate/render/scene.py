"""What is drawn on one frame, as plain arrays: the step between a comparison and a painter. Pure NumPy.

`build_scene` is called once per frame (export) or per tick (app) and must stay cheap; everything that does not
depend on the frame is in :class:`surrogate.render.projection.Framing`, made once.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.types import Trajectory
from surrogate.comparison import Comparison
from surrogate.render.captions import (
    Source,
    headline,
    pane_badge,
    pane_title,
    short_number,
    sources,
    steady_number,
)
from surrogate.render.projection import (
    Framing,
    axis_labels,
    axis_vectors,
    default_view_basis,
    framing,
    hidden_radius,
    project,
    view_basis,
)
from surrogate.render.theme import DARK, Theme, blended, ramp_colours, rgb

FloatArray = NDArray[np.float64]
Bytes = NDArray[np.uint8]

PARTICLE_SIZE = 0.062
"""Radius of one of five particles, as a share of the framing radius."""


@dataclass(frozen=True, eq=False)
class ViewOptions:
    """How a comparison is looked at.

    Attributes
    ----------
    basis : (n_dims, 3) float64 or None
        View basis V; None for :func:`surrogate.render.projection.default_view_basis`.
    colour_by : {"charge", "error"}
        Error uses one scale for all panes and frames.
    trail_length : int
        Frames a trail reaches back; 0 for none.
    ghosts : bool
        Show the truth as rings in the other panes, linked to the forecast particles.
    fade_hidden : float
        0 to 1: how much particles off the drawn space fade into the background.
    panes : tuple of {"truth", "forecast", "rollout"}, or None
        None shows all there are.
    """

    basis: FloatArray | None = None
    colour_by: Literal["charge", "error"] = "charge"
    trail_length: int = 60
    ghosts: bool = True
    fade_hidden: float = 0.0
    theme: Theme = field(default=DARK)
    panes: tuple[Source, ...] | None = None


@dataclass(frozen=True, eq=False)
class Pane:
    """One picture of the scene.

    Attributes
    ----------
    source : {"truth", "forecast", "rollout"}
    title, subtitle : str
        Top left.
    badge : str
        A warning, top left below the titles; empty for none.
    footer : str
        Bottom left: the read-out of this frame.
    points : (n_particles, 3) float32 [length]
    colours : (n_particles, 3) uint8
    radii : (n_particles,) float32 [length]
    signs : (n_particles,) int8
        Sign of the charge.
    trails : (n_particles, n_knots, 3) float32 [length]
        Oldest knot first, the present one last. The shape does not change with the frame: before the trail is
        full its oldest knot is repeated.
    trail_colours : (n_particles, n_knots, 3) uint8
        Faded by age into the background.
    ghosts : (n_particles, 3) float32 [length], or None
        Where the truth is.
    ghost_colours : (n_particles, 3) uint8, or None
    """

    source: Source
    title: str
    subtitle: str
    badge: str
    footer: str
    points: NDArray[np.float32]
    colours: Bytes
    radii: NDArray[np.float32]
    signs: NDArray[np.int8]
    trails: NDArray[np.float32]
    trail_colours: Bytes
    ghosts: NDArray[np.float32] | None = None
    ghost_colours: Bytes | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that is drawn on one frame.

    Attributes
    ----------
    panes : tuple of Pane
        Left to right, under one camera.
    headline : str
        Time, dimension, number of particles, law, rotation.
    centre : (3,) float64 [length]
    radius : float [length]
        The ball the camera frames; it does not change with the frame, the rotation or the view basis.
    axes : (n_dims, 3) float64
        Where each unit vector points in the drawn space.
    labels : tuple of str
        One per axis.
    legend : str
        What colours, rings and links mean.
    colour_limit : float [length], or None
        Upper end of the error scale; None when coloured by charge.
    """

    panes: tuple[Pane, ...]
    headline: str
    centre: FloatArray
    radius: float
    axes: FloatArray
    labels: tuple[str, ...]
    legend: str
    colour_limit: float | None
    theme: Theme

    @property
    def flat(self) -> bool:
        """Whether there is no third dimension to look into."""
        return len(self.labels) < 3


def charge_colours(charges: FloatArray, theme: Theme) -> FloatArray:
    """Colour of each particle by the sign of its charge, (n_particles, 3) float64 in 0..255."""
    palette = np.stack([rgb(theme.negative), rgb(theme.neutral), rgb(theme.positive)])
    return np.asarray(palette[np.sign(charges).astype(int) + 1])


def particle_radii(masses: FloatArray, scale: float) -> NDArray[np.float32]:
    """Radii as drawn, (n_particles,) float32 [length]: smaller in a crowd, larger for the heavier."""
    crowd = min(1.0, (5.0 / masses.size) ** (1.0 / 3.0))
    weight = np.clip((masses / np.median(masses)) ** (1.0 / 3.0), 0.6, 1.8)
    return np.asarray(PARTICLE_SIZE * scale * crowd * weight, dtype=np.float32)


def trail_frames(frame: int, length: int) -> NDArray[np.int64]:
    """Frames of a trail's knots, (length + 1,) int64, the oldest repeated until the trail is full."""
    return np.maximum(np.arange(frame - length, frame + 1), 0)


def _pane(
    comparison: Comparison, source: Source, frame: int, options: ViewOptions, V: FloatArray, frames: Framing
) -> Pane:
    truth, theme = comparison.truth, options.theme
    trajectory: Trajectory | None = getattr(comparison, source)
    if trajectory is None:
        raise InputError(f"this comparison has no {source} to show")
    system = truth.system
    position = trajectory.positions[frame]
    by_charge = charge_colours(system.charges, theme)
    errors = np.linalg.norm(position - truth.positions[frame], axis=-1)
    colours = by_charge
    if options.colour_by == "error":
        colours = ramp_colours(errors / frames.error_limit, theme.error_ramp).astype(np.float64)
    visible = np.ones(system.n_particles)
    if options.fade_hidden > 0:
        off = hidden_radius(position - frames.centre, V) / frames.radius
        visible = 1.0 - 0.85 * min(options.fade_hidden, 1.0) * np.clip(off, 0.0, 1.0)
    knots = trail_frames(frame, options.trail_length)
    trails = project(trajectory.positions[knots], V).swapaxes(0, 1)  # (N, K, 3)
    age = np.linspace(0.0, 1.0, len(knots)) if len(knots) > 1 else np.ones(1)
    title, subtitle = pane_title(comparison, source)
    is_truth = source == "truth"
    show_ghosts = options.ghosts and not is_truth
    rmse = float(np.sqrt(np.mean((position - truth.positions[frame]) ** 2)))
    return Pane(
        source=source,
        title=title,
        subtitle=subtitle,
        badge=pane_badge(comparison, source),
        footer="" if is_truth else f"RMSE {steady_number(rmse)}",
        points=project(position, V).astype(np.float32),
        colours=blended(colours, theme.background, visible),
        radii=particle_radii(system.masses, frames.radius),
        signs=np.sign(system.charges).astype(np.int8),
        trails=trails.astype(np.float32),
        trail_colours=blended(colours[:, None, :], theme.background, 0.9 * age * visible[:, None]),
        ghosts=project(truth.positions[frame], V).astype(np.float32) if show_ghosts else None,
        ghost_colours=blended(by_charge, theme.background, 0.75 * visible) if show_ghosts else None,
    )


def build_scene(
    comparison: Comparison, frame: int, options: ViewOptions | None = None, frames: Framing | None = None
) -> Scene:
    """What is drawn on one frame of a comparison.

    Parameters
    ----------
    comparison : Comparison
    frame : int
        0 <= frame < n_frames.
    options : ViewOptions, optional
    frames : Framing, optional
        From :func:`comparison_framing`; made here when left out (one pass over all frames).

    Returns
    -------
    Scene
        With the same shapes for every frame, so that a painter updates in place.
    """
    options = options or ViewOptions()
    truth = comparison.truth
    if not 0 <= frame < truth.n_frames:
        raise InputError(f"frame must be 0 to {truth.n_frames - 1}; got {frame}")
    n = truth.n_dims
    V = default_view_basis(n) if options.basis is None else view_basis(options.basis, n)
    frames = frames or comparison_framing(comparison)
    shown = sources(comparison) if options.panes is None else options.panes
    by_error = options.colour_by == "error"
    return Scene(
        panes=tuple(_pane(comparison, source, frame, options, V, frames) for source in shown),
        headline=headline(comparison, frame),
        centre=project(frames.centre, V),
        radius=frames.radius,
        axes=axis_vectors(V),
        labels=axis_labels(n),
        legend=_legend(options, frames),
        colour_limit=frames.error_limit if by_error else None,
        theme=options.theme,
    )


def _legend(options: ViewOptions, frames: Framing) -> str:
    rings = "rings: truth" if options.ghosts else ""
    scale = f"error 0 to {short_number(frames.error_limit)}" if options.colour_by == "error" else ""
    return "     ".join(part for part in (rings, scale) if part)


def comparison_framing(comparison: Comparison) -> Framing:
    """The framing of all there is to show in a comparison; independent of rotation and view."""
    others = [t for t in (comparison.forecast, comparison.rollout) if t is not None]
    return framing(comparison.truth, *others)
