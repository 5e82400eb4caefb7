"""What the pictures of one comparison share: positions as drawn and colours of its frames, ranges.

A frame of an :class:`Animation` is slices of its arrays, no copies; that is what keeps a picture of many particles
with long trails cheap. Each frame is made when it is drawn first, so that the first picture of a long trajectory
of many particles does not wait for all the others.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.comparison.box import PeriodicBox
from surrogate.comparison.comparison import Comparison
from surrogate.render.arrows import Arrows, Singles, arrows, field_key, field_vectors, joined
from surrogate.render.captions import Source, sources, unit_of
from surrogate.render.colourings import (
    Legend,
    Look,
    colouring_of,
    legend_of,
    measured_range,
    value_colours,
    values_of,
)
from surrogate.render.depth import chosen_axis, visibility, visible_fraction
from surrogate.render.hud import Numbers
from surrogate.render.options import ViewOptions
from surrogate.render.projection import Framing, default_view_basis, framing, project, view_basis
from surrogate.render.theme import blended

Bytes = NDArray[np.uint8]

PARTICLE_SIZE = 0.062
"""Radius of one of five particles, as a share of the framing radius."""

TRAIL_STRENGTH = 0.9
"""Opacity of the newest part of a trail."""

KEPT = 6
"""Animations remembered for a comparison; going back and forth between two looks makes none anew."""


Part = tuple[FloatArray, FloatArray | Bytes, FloatArray, NDArray[np.bool_] | None]
"""Points, hues, visibility and unbroken knots of some frames, as of :class:`Track`."""


@dataclass(frozen=True, eq=False)
class Track:
    """One source as drawn; a frame is in the arrays once it was asked for.

    Attributes
    ----------
    points : (lead + n_frames, n_particles, 3) float32 [length]
        The first frame is repeated `lead` times, so that a trail is one slice at every frame.
    hues : (lead + n_frames, n_particles, 3) uint8
    kept : (lead + n_frames, n_particles) float32
        How much of its colour each keeps after the depth cue, 0 to 1.
    lead : int
        Frames of a trail.
    weights : (lead + 1, 1) float32
        Opacity of a trail's knots, 0 to 255, oldest first.
    background : str
    whole : (lead + n_frames, n_particles) bool, or None
        False at knots beside a jump through a wall, where a trail is cut; None where there is none.
    part : callable
        Makes some frames.
    missing : (n_frames,) bool
        Frames that are not made.
    """

    points: Singles
    hues: Bytes
    kept: Singles
    lead: int
    weights: Singles
    background: str
    part: Callable[[slice], Part]
    missing: NDArray[np.bool_]
    whole: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        shape: tuple[int, int],
        lead: int,
        weights: Singles,
        background: str,
        part: Callable[[slice], Part],
        walls: bool,
    ) -> Self:
        """A track of (n_frames, n_particles) without a frame yet; with `walls` its trails may be cut."""
        n_frames, n = shape
        rows = (lead + n_frames, n)
        points, hues = np.empty((*rows, 3), dtype=np.float32), np.empty((*rows, 3), dtype=np.uint8)
        kept = np.empty(rows, dtype=np.float32)
        whole = np.ones(rows, dtype=np.bool_) if walls else None
        return cls(points, hues, kept, lead, weights, background, part, np.ones(n_frames, dtype=np.bool_), whole)

    def _make(self, first: int, last: int) -> None:
        """See that frames from `first` to `last` are there."""
        missing = np.flatnonzero(self.missing[first : last + 1])
        if not len(missing):
            return
        frames = slice(first + int(missing[0]), first + int(missing[-1]) + 1)
        arrays: tuple[NDArray[Any] | None, ...] = (self.points, self.hues, self.kept, self.whole)
        for array, values in zip(arrays, self.part(frames), strict=True):
            if array is None or values is None:
                continue
            array[self.lead + frames.start : self.lead + frames.stop] = values
            if frames.start == 0:
                array[: self.lead] = array[self.lead]
        self.missing[frames] = False

    def now(self, frame: int) -> Singles:
        """Where the particles are, (n_particles, 3)."""
        self._make(frame, frame)
        return np.asarray(self.points[self.lead + frame])

    def colours(self, frame: int, strength: float = 1.0) -> Bytes:
        """Their colours, (n_particles, 3), mixed into the background for a strength below 1."""
        self._make(frame, frame)
        at = self.lead + frame
        return blended(self.hues[at], self.background, strength * self.kept[at])

    def seen(self, frame: int) -> Singles:
        """How much of their colour they keep, (n_particles,)."""
        self._make(frame, frame)
        return np.asarray(self.kept[self.lead + frame])

    def trail(self, frame: int, members: NDArray[np.int64] | None, strength: float = 1.0) -> tuple[Singles, Bytes]:
        """Knots up to this frame, (lead + 1, n_members, 3), and their RGBA (..., 4); all particles for None."""
        self._make(max(frame - self.lead, 0), frame)
        window = slice(frame, frame + self.lead + 1)
        points, hues, kept = self.points[window], self.hues[window], self.kept[window]
        if self.whole is not None:
            kept = kept * self.whole[window]
        if members is not None:
            points, hues, kept = points[:, members], hues[:, members], kept[:, members]
        colours = np.empty((*kept.shape, 4), dtype=np.uint8)
        colours[..., :3] = hues
        np.multiply(kept, np.float32(strength) * self.weights, out=colours[..., 3], casting="unsafe")
        return points, colours


@dataclass(frozen=True, eq=False)
class Animation:
    """A comparison as drawn, all its frames.

    Attributes
    ----------
    basis : (n_dims, 3) float64
    frames : Framing
    tracks, numbers : mapping
        By source.
    radii : (n_particles,) float32 [length]
    visible : (n_frames,) float64
        Fraction of the truth's norm that is drawn.
    legend : Legend
        Without notes.
    ends : (float, float)
        Of the colour scale.
    fields : Arrows or None
        Of the electric and the magnetic field.
    box : (2, n_edges, 3) float32 [length], or None
        Ends of the edges of a periodic box.
    reach : float or None [length]
        In a periodic box, half its shortest edge: what is farther apart is seen across a wall.
    """

    basis: FloatArray
    frames: Framing
    tracks: Mapping[Source, Track]
    numbers: Mapping[Source, Numbers]
    radii: Singles
    visible: FloatArray
    legend: Legend
    ends: tuple[float, float]
    fields: Arrows | None = None
    box: Singles | None = None
    reach: float | None = None


_animations: WeakKeyDictionary[Comparison, OrderedDict[tuple[object, ...], Animation]] = WeakKeyDictionary()
_drifts: WeakKeyDictionary[Comparison, dict[Source, FloatArray | None]] = WeakKeyDictionary()


def animation_of(comparison: Comparison, options: ViewOptions, frames: Framing | None) -> Animation:
    """The animation of a comparison under these options, made when asked for the first time and remembered."""
    made = _animations.setdefault(comparison, OrderedDict())
    key = _key(options, frames)
    if key in made:
        made.move_to_end(key)
        return made[key]
    animation = made[key] = _made(comparison, options, frames or comparison_framing(comparison))
    if len(made) > KEPT:
        made.popitem(last=False)
    return animation


def _key(options: ViewOptions, frames: Framing | None) -> tuple[object, ...]:
    basis = None if options.basis is None else np.asarray(options.basis, dtype=np.float64).tobytes()
    framed = None if frames is None else (frames.centre.tobytes(), frames.radius, frames.error_limit)
    chosen = (options.colour_by, options.hidden_axis, options.colour_range, options.trail_length)
    faded = (options.trail_fade, options.fade_hidden, options.depth_by, options.slice_thickness)
    return basis, framed, *chosen, *faded, options.hud, options.drift, options.fields, options.theme


def _made(comparison: Comparison, options: ViewOptions, frames: Framing) -> Animation:
    truth, theme = comparison.truth, options.theme
    n = truth.n_dims
    V = default_view_basis(n) if options.basis is None else view_basis(options.basis, n)
    hides = not np.allclose(V @ V.T, np.eye(n), atol=1e-12)
    axis = chosen_axis(options, V)
    colouring = colouring_of(options.colour_by, comparison)
    look = Look(truth, V, axis, frames, comparison.shares_of, comparison.drawn_positions)
    values = values_of(colouring, comparison, look)
    ends = options.colour_range or measured_range(colouring, values, frames)
    lead = max(options.trail_length, 0)
    age = np.linspace(0.0, 1.0, lead + 1) if options.trail_fade and lead else np.ones(lead + 1)
    tracks, numbers = dict[Source, Track](), dict[Source, Numbers]()
    box = comparison.box
    weights = (255.0 * TRAIL_STRENGTH * age).astype(np.float32)[:, None]
    for source in sources(comparison):
        trajectory = getattr(comparison, source)

        def part(which: slice, x: FloatArray = trajectory.positions, numbers: FloatArray = values[source]) -> Part:
            hues = value_colours(colouring, numbers[which], ends, theme)
            drawn = x[which] if box is None else box.wrapped(x[which])
            whole = None if box is None else _unbroken(box, x, which)
            return project(drawn, V), hues, visibility(drawn, options, V, frames), whole

        part(slice(0, 1))  # refuses options that do not fit
        shape = trajectory.positions.shape[:2]
        tracks[source] = Track.of(shape, lead, weights, theme.background, part, walls=box is not None)
        rmse = None if source == "truth" else comparison.position_rmse(trajectory)
        drift = _energy_drift(comparison, source) if options.hud and options.drift else None
        numbers[source] = Numbers(rmse, drift)
    labelled = replace(colouring, unit=unit_of(comparison, colouring.unit) or colouring.unit)
    legend, drawn = legend_of(labelled, ends, axis, theme, truth.system.charges), None
    if options.fields:
        fields = truth.system.fields
        legend = replace(legend, arrows=field_key(fields, theme))
        vectors = field_vectors(fields, comparison.rotation, frames.radius)
        colours = {"electric": theme.electric, "magnetic": theme.magnetic}
        drawn = joined([arrows(field, V, frames.radius, colours[name]) for name, field in vectors.items()])
    return Animation(
        basis=V,
        frames=frames,
        tracks=tracks,
        numbers=numbers,
        radii=particle_radii(truth.system.masses, frames.radius),
        visible=visible_fraction(comparison.drawn_positions(truth), V, frames.centre)
        if hides
        else np.ones(truth.n_frames),
        legend=legend,
        ends=ends,
        fields=drawn,
        box=None if comparison.box is None else project(comparison.box.edge_ends(), V).astype(np.float32),
        reach=None if comparison.box is None else 0.5 * float(comparison.box.lengths.min()),
    )


def _unbroken(box: PeriodicBox, x: FloatArray, which: slice) -> NDArray[np.bool_]:
    """See `Track.whole`: of some frames of positions that run on."""
    wide = slice(max(which.start - 1, 0), which.stop + 1)
    along = box.wrapped(x[wide]) @ box.axes.T
    jumps = (np.abs(np.diff(along, axis=0)) > 0.5 * box.lengths).any(axis=-1)
    whole = np.ones(along.shape[:2], dtype=np.bool_)
    whole[1:] &= ~jumps
    whole[:-1] &= ~jumps
    first = which.start - wide.start
    return whole[first : first + which.stop - which.start]


def _energy_drift(comparison: Comparison, source: Source) -> FloatArray | None:
    """Made once for a comparison: no look changes it, and all pairs on all frames take their time."""
    made = _drifts.setdefault(comparison, {})
    if source not in made:
        made[source] = comparison.energy_drift(getattr(comparison, source))
    return made[source]


def particle_radii(masses: FloatArray, scale: float) -> Singles:
    """Radii as drawn, (n_particles,) float32 [length]: smaller where there are many, larger for the heavier."""
    count = min(1.0, (5.0 / masses.size) ** (1.0 / 3.0))
    some = masses[masses > 0]
    middle = float(np.median(some)) if some.size else 1.0
    weight = np.clip((masses / middle) ** (1.0 / 3.0), 0.6, 1.8)
    return np.asarray(PARTICLE_SIZE * scale * count * weight, dtype=np.float32)


def comparison_framing(comparison: Comparison) -> Framing:
    """The framing of all there is to show in a comparison; independent of rotation and view."""
    others = [t for t in (comparison.forecast, comparison.rollout) if t is not None]
    frames, box = framing(comparison.truth, *others), comparison.box
    return frames if box is None else replace(frames, centre=box.middle, radius=box.radius)
