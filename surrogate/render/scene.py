"""What is drawn on one frame, as plain arrays: the step between a comparison and a painter. Pure NumPy.

`build_scene` is called once per frame (export) or per tick (app) and must stay cheap; everything that does not
depend on the frame is in :class:`surrogate.render.animation.Animation`, made once.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError, unknown_name
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render.animation import Animation, Bytes, animation_of
from surrogate.render.arrows import Arrows, Singles, arrows, joined
from surrogate.render.captions import Source, pane_badge, pane_title, sources, unit_of
from surrogate.render.colourings import Legend
from surrogate.render.hud import footer, headline
from surrogate.render.options import LAYOUTS, ViewOptions
from surrogate.render.projection import Framing, axis_labels, project
from surrogate.render.theme import Theme

GHOST_STRENGTH = 0.75
"""How much of its colour a ring of the truth has."""

GHOST_TRAIL = 0.35
"""Opacity of the truth's trails in an overlay, as a share of the forecast's."""


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
        Bottom left: the read-out of this source and frame.
    points : (n_particles, 3) float32 [length]
    colours : (n_particles, 3) uint8
    radii : (n_particles,) float32 [length]
    signs : (n_particles,) int8
        Sign of the charge.
    seen : (n_particles,) float32
        How much of its colour each particle keeps after the depth cue, 0 to 1.
    trails : (n_knots, n_trails, 3) float32 [length]
        Oldest knot first, the present one last. The shape does not change with the frame: before the trail is
        full its oldest knot is repeated.
    trail_colours : (n_knots, n_trails, 4) uint8
        Red, green, blue, opacity: the oldest knot is not seen. Overlaid, the truth's trails follow, fainter.
    ghosts : (n_particles, 3) float32 [length], or None
        Where the truth is.
    ghost_colours : (n_particles, 3) uint8, or None
    ghost_style : {"ring", "glass"}
        Rings around the truth's place, or half transparent balls.
    link_ends : (n_particles, 3) float32 [length], or None
        Where the links from ghosts end that are not drawn across a periodic box; None for the ghosts' places.
    """

    source: Source
    title: str
    subtitle: str
    badge: str
    footer: str
    points: Singles
    colours: Bytes
    radii: Singles
    signs: NDArray[np.int8]
    seen: Singles
    trails: Singles
    trail_colours: Bytes
    ghosts: Singles | None = None
    ghost_colours: Bytes | None = None
    ghost_style: Literal["ring", "glass"] = "ring"
    link_ends: Singles | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that is drawn on one frame.

    Attributes
    ----------
    panes : tuple of Pane
        Left to right, under one camera.
    headline : str
        Rotation, time, sizes, seed, law; empty without read-out.
    centre : (3,) float64 [length]
    radius : float [length]
        The ball the camera frames; it does not change with the frame, the rotation or the view basis.
    focus : (3,) float64 [length]
        What the camera looks at: the centre, or the particle that is followed.
    axes : (n_dims, 3) float64
        Where each unit vector points in the drawn space: rows of the view basis.
    labels : tuple of str
        One per axis.
    legend : Legend
        What colours, rings and ghosts mean.
    colour_range : (float, float)
        Ends of the colour scale; hand them to another comparison's ViewOptions to share the scale.
    selected : tuple of int
        Particles with a halo.
    visible_fraction : float
        How much of the particles' distance from the centre is drawn, 1 up to three dimensions.
    vectors : Arrows or None
        Of fields, in every pane.
    box : (2, n_edges, 3) float32 [length], or None
        Ends of the edges of a periodic box.
    """

    panes: tuple[Pane, ...]
    headline: str
    centre: FloatArray
    radius: float
    focus: FloatArray
    axes: FloatArray
    labels: tuple[str, ...]
    legend: Legend
    theme: Theme
    colour_range: tuple[float, float]
    selected: tuple[int, ...] = ()
    visible_fraction: float = 1.0
    vectors: Arrows | None = None
    box: Singles | None = None

    @property
    def flat(self) -> bool:
        """Whether there is no third dimension to look into."""
        return len(self.labels) < 3


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
        From :func:`comparison_framing`, which is used when left out.

    Returns
    -------
    Scene
        With the same shapes for every frame, so that a painter updates in place.
    """
    options = options or ViewOptions()
    truth = comparison.truth
    if not 0 <= frame < truth.n_frames:
        raise InputError(f"frame must be 0 to {truth.n_frames - 1}; got {frame}")
    shown = shown_sources(comparison, options)
    _refuse_strangers(options, truth.system.n_particles)
    animation = animation_of(comparison, options, frames)
    frames = animation.frames
    centre = project(frames.centre, animation.basis)
    followed = options.follow
    focus = centre if followed is None else animation.tracks["truth"].now(frame)[followed].astype(np.float64)
    visible = float(animation.visible[frame])
    unshown = None if "truth" in shown else animation.numbers["truth"]
    return Scene(
        panes=tuple(_pane(comparison, source, frame, options, animation) for source in shown),
        headline=headline(comparison, frame, visible, unshown) if options.hud else "",
        centre=centre,
        radius=frames.radius,
        focus=focus,
        axes=animation.basis,
        labels=axis_labels(truth.n_dims),
        legend=replace(animation.legend, notes=_notes(options, shown)),
        theme=options.theme,
        colour_range=animation.ends,
        selected=options.selected,
        visible_fraction=visible,
        vectors=_arrows(options, animation),
        box=animation.box,
    )


def shown_sources(comparison: Comparison, options: ViewOptions) -> tuple[Source, ...]:
    """The source of each pane, left to right; overlaid, the truth has no pane of its own unless it is alone.

    Raises
    ------
    InputError
        For a source the comparison does not have, or an unknown layout.
    """
    shown = sources(comparison) if options.panes is None else options.panes
    for source in shown:
        if source not in sources(comparison):
            raise InputError(f"this comparison has no {source} to show")
    if options.layout not in LAYOUTS:
        raise unknown_name("layout", options.layout, LAYOUTS)
    if options.layout == "twin":
        return shown
    return tuple(source for source in shown if source != "truth") or shown


def _refuse_strangers(options: ViewOptions, n_particles: int) -> None:
    asked = options.selected if options.follow is None else (*options.selected, options.follow)
    for particle in asked:
        if not 0 <= particle < n_particles:
            raise InputError(
                f"particle {particle} does not exist; there are {n_particles} (0 to {n_particles - 1})"
            )


def _pane(comparison: Comparison, source: Source, frame: int, options: ViewOptions, animation: Animation) -> Pane:
    system = comparison.truth.system
    track, of_truth = animation.tracks[source], animation.tracks["truth"]
    members = np.array(options.selected, dtype=np.int64) if options.trail_of == "selected" else None
    trails, trail_colours = track.trail(frame, members)
    title, subtitle = pane_title(comparison, source)
    overlaid = options.layout == "overlay" and source != "truth"
    ghosts = source != "truth" and (options.ghosts or overlaid)
    if overlaid:
        behind, behind_colours = of_truth.trail(frame, members, GHOST_TRAIL)
        trails = np.concatenate([trails, behind], axis=1)
        trail_colours = np.concatenate([trail_colours, behind_colours], axis=1)
    crossing = None
    if ghosts and animation.reach is not None:  # the truth and its forecast are at opposite sides of the box
        far = np.linalg.norm(track.now(frame) - of_truth.now(frame), axis=1, keepdims=True) > animation.reach
        crossing = np.where(far, track.now(frame), of_truth.now(frame))
    return Pane(
        source=source,
        title=title,
        subtitle=subtitle,
        badge=pane_badge(comparison, source),
        footer=footer(animation.numbers[source], frame, unit_of(comparison, "length")) if options.hud else "",
        points=track.now(frame),
        colours=track.colours(frame),
        radii=animation.radii,
        signs=np.sign(system.charges).astype(np.int8),
        seen=track.seen(frame),
        trails=trails,
        trail_colours=trail_colours,
        ghosts=of_truth.now(frame) if ghosts else None,
        ghost_colours=of_truth.colours(frame, 1.0 if overlaid else GHOST_STRENGTH) if ghosts else None,
        ghost_style="glass" if overlaid else "ring",
        link_ends=crossing,
    )


def _arrows(options: ViewOptions, animation: Animation) -> Arrows | None:
    """The fields of the system, and the vectors that were given."""
    if options.vectors is None:
        return animation.fields
    given = arrows(options.vectors, animation.basis, animation.frames.radius, options.theme.muted)
    return given if animation.fields is None else joined([animation.fields, given])


def _notes(options: ViewOptions, shown: tuple[Source, ...]) -> tuple[str, ...]:
    if shown == ("truth",):
        return ()
    if options.layout == "overlay":
        return ("solid: forecast", "glass: truth", "red: error")
    return ("rings: truth",) if options.ghosts else ()
