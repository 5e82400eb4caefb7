"""What stands around the particles: nothing, a box that reflects them, or a box that repeats itself.

A box has sides of its own length along every axis and its middle at the origin. Whatever the shape, its walls
point along the axes: with a box the world is no longer the same in every direction, and the rows say so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.errors import InputError, unknown_name
from physics.fields import FloatArray, finite_numbers

AnyFloats = NDArray[Any]
"""Floats of any precision; the answer has that of the positions given."""


@dataclass(frozen=True)
class BoundaryKind:
    """A kind of boundary and what it claims; the tests check every claim.

    Attributes
    ----------
    code : int
        How kernels know it.
    isotropic : bool
        It leaves every element of O(n) a symmetry. A cube keeps those that permute and flip the axes.
    keeps_momentum : bool
        It leaves the shifts a symmetry, so that pairs alone keep the total momentum.
    smooth : bool
        It leaves the motion smooth, so that an integrator keeps its order. At walls that forces press particles
        against, every one falls to 1.
    formula : str
        For people.
    """

    code: int
    isotropic: bool
    keeps_momentum: bool
    smooth: bool
    formula: str


BOUNDARIES: dict[str, BoundaryKind] = {
    "open": BoundaryKind(0, isotropic=True, keeps_momentum=True, smooth=True, formula="none"),
    "reflecting": BoundaryKind(
        1, isotropic=False, keeps_momentum=False, smooth=False, formula="|x_k| <= L_k / 2; a wall turns v_k round"
    ),
    "periodic": BoundaryKind(
        2,
        isotropic=False,
        keeps_momentum=True,
        smooth=True,
        formula="r_k <- r_k - L_k round(r_k / L_k); U(r) <- (U(r) - U(cutoff)) S(r), S from 1 at `onset` to 0",
    ),
}

ONSET = 0.7
"""Where the switch begins, as a fraction of the cut-off, by default."""


@dataclass(frozen=True, eq=False)
class Boundary:
    """A boundary.

    Attributes
    ----------
    kind : str
        A name of :data:`BOUNDARIES`.
    sides : float, or (n_dims,) float64 [length]
        Of the box; one number for all.
    cutoff : float [length]
        Of a periodic box: pairs farther apart do not feel each other. At most half the shortest side, its default.
    onset : float [length]
        Where the smooth switch begins: nearer pairs feel exactly the law. 0.7 times the cut-off by default.

    Raises
    ------
    InputError
        For names or numbers that do not fit.
    """

    kind: str = "open"
    sides: FloatArray = ()  # type: ignore[assignment]  # read by __post_init__
    cutoff: float | None = None
    onset: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in BOUNDARIES:
            raise unknown_name("boundary", self.kind, BOUNDARIES)
        sides = finite_numbers("sides of a boundary", self.sides)
        if sides.ndim > 1:
            raise InputError(f"sides of a boundary must be a number or (n_dims,); got shape {sides.shape}")
        if self.kind == "open" and sides.size:
            raise InputError("an open boundary has no sides")
        if self.kind != "open" and (not sides.size or (sides <= 0).any()):
            raise InputError(f"a {self.kind} boundary needs sides above 0; got {sides.tolist()}")
        object.__setattr__(self, "sides", sides)
        if self.kind != "periodic":
            for name in ("cutoff", "onset"):
                if getattr(self, name) is not None:
                    raise InputError(f"{name} is of a periodic boundary; this one is {self.kind}")
            return
        half = 0.5 * float(sides.min())
        cutoff = half if self.cutoff is None else float(finite_numbers("cutoff of a boundary", self.cutoff))
        if not 0 < cutoff <= half:
            raise InputError(
                f"cutoff must be above 0 and at most half the shortest side, {half:g}; got {cutoff:g}"
            )
        onset = ONSET * cutoff if self.onset is None else float(finite_numbers("onset of a boundary", self.onset))
        if not 0 < onset < cutoff:
            raise InputError(f"onset must be above 0 and below the cut-off {cutoff:g}; got {onset:g}")
        object.__setattr__(self, "cutoff", cutoff)
        object.__setattr__(self, "onset", onset)

    @property
    def claims(self) -> BoundaryKind:
        """What it claims."""
        return BOUNDARIES[self.kind]

    @property
    def reflects(self) -> bool:
        """Whether it has walls: not every integrator takes them."""
        return self.kind == "reflecting"

    @property
    def repeats(self) -> bool:
        """Whether pairs see the nearest image of each other."""
        return self.kind == "periodic"

    def lengths(self, n_dims: int) -> FloatArray:
        """The side along each axis, (n_dims,) [length].

        Raises
        ------
        InputError
            Where the box is for another dimension.
        """
        if self.sides.ndim and len(self.sides) != n_dims:
            raise InputError(f"the boundary's sides are for n = {len(self.sides)}; the state has n = {n_dims}")
        return np.broadcast_to(self.sides, (n_dims,)).astype(np.float64)

    def packed(self, n_dims: int) -> FloatArray:
        """What kernels read: code, onset, cut-off, the sides; nothing where it is open."""
        if self.kind == "open":
            return np.empty(0)
        return np.concatenate([[self.claims.code, self.onset or 0.0, self.cutoff or 0.0], self.lengths(n_dims)])

    def wrapped(self, positions: FloatArray) -> FloatArray:
        """Positions (..., n_dims) brought into a periodic box; as they are elsewhere.

        Trajectories keep the positions that run on, so that velocities stay their slopes.
        """
        return wrapped(positions, self.lengths(positions.shape[-1])) if self.repeats else positions

    def nearest_images(self, separations: FloatArray) -> FloatArray:
        """Separations (..., n_dims) of nearest images."""
        return self.wrapped(separations)

    def refuse_outside(self, positions: FloatArray) -> None:
        """Refuse positions (..., n_particles, n_dims) outside reflecting walls.

        Raises
        ------
        InputError
            Naming the particle.
        """
        if not self.reflects:
            return
        half = 0.5 * self.lengths(positions.shape[-1])
        outside = np.abs(positions) > half
        if outside.any():
            at = tuple(map(int, np.argwhere(outside)[0]))
            raise InputError(
                f"particle {at[-2]} is outside the reflecting box: |x| along axis {at[-1]} must be at most "
                f"{half[at[-1]]:g}; got {positions[at]:g}"
            )


OPEN = Boundary()


def wrapped(positions: AnyFloats, box: ArrayLike) -> AnyFloats:
    """Positions brought into a periodic box that has its middle at the origin: -L_k/2 <= x_k < L_k/2.

    Parameters
    ----------
    positions : (..., n_dims) float [length]
        Subtract the middle of a box that stands elsewhere, and add it afterwards.
    box : (n_dims,) float, or broadcastable to positions [length]
        Positive; infinite along a dimension that does not repeat.

    Returns
    -------
    (..., n_dims) of the dtype of positions
        Whole lengths away from what was given, to rounding.
    """
    lengths = np.asarray(box, dtype=np.result_type(positions, np.float32))
    return _without(np.floor(positions / lengths + 0.5), lengths, positions)


def minimum_image(displacements: AnyFloats, box: ArrayLike) -> AnyFloats:
    """Displacements (..., n_dims) to the nearest image in a periodic box; arguments as :func:`wrapped`."""
    return wrapped(displacements, box)


def unwrapped(positions: AnyFloats, box: ArrayLike) -> AnyFloats:
    """Trajectories that run on past the walls of a periodic box, of positions that were wrapped into it.

    Parameters
    ----------
    positions : (..., n_frames, n_particles, n_dims) float [length]
        No particle may move half a length or more from one frame to the next.
    box : (n_dims,) or (..., n_dims) float [length]
        One for all, or one for each trajectory.

    Returns
    -------
    (..., n_frames, n_particles, n_dims) of the dtype of positions
        The first frame as it was; what is unwrapped already comes back as it is.
    """
    lengths = np.asarray(box, dtype=np.result_type(positions, np.float32))[..., None, None, :]
    turns = np.zeros(positions.shape, lengths.dtype)
    steps = np.diff(positions, axis=-3)
    np.cumsum(np.floor(steps / lengths + 0.5), axis=-3, out=turns[..., 1:, :, :])
    return _without(turns, lengths, positions)


def _without(turns: AnyFloats, lengths: AnyFloats, positions: AnyFloats) -> AnyFloats:
    """Positions minus so many lengths; nothing where there are none, of infinite lengths too."""
    shifts = np.multiply(turns, lengths, where=turns != 0, out=np.zeros_like(turns))
    return np.asarray(positions - shifts)


JUMP = 0.75
"""Fraction of the range along an axis that a particle which leaves a box at one side and enters it at the other
jumps at least, and 1 minus the most that anyone else moves between two frames."""
TYPICAL_STEP = 0.125
"""Largest root-mean-square step between frames, over the range, for which jumps can be told from motion."""


def looks_wrapped(positions: AnyFloats) -> FloatArray | None:
    """Lengths of the periodic box into which a trajectory seems to have been wrapped.

    Parameters
    ----------
    positions : (n_frames, n_particles, n_dims) float [length]

    Returns
    -------
    (n_dims,) float64 [length] or None
        None where it does not look wrapped; infinite along an axis without jumps.

    Notes
    -----
    Along an axis of a wrapped trajectory steps are short or nearly as long as the range of all positions; a jump
    plus the motion of the frames around it is the length, nearly the same for all; and jumps go against the motion
    around them, where a fast passage goes along with it. There must be two jumps at least, of all axes together.
    A heuristic for a warning: positions alone cannot prove it, and with frames so far apart that particles cross a
    good part of the box in between nothing is said.
    """
    found = [_length_of_jumps(np.asarray(along, dtype=np.float64)) for along in np.moveaxis(positions, -1, 0)]
    if sum(count for _, count in found) < 2:
        return None
    return np.array([length for length, _ in found])


def _length_of_jumps(x: FloatArray) -> tuple[float, int]:
    """The length that jumps of (n_frames, n_particles) coordinates agree on and how many show it; inf, 0."""
    steps, extent = np.diff(x, axis=0), float(np.ptp(x)) if x.size else 0.0
    jumps = np.abs(steps) >= JUMP * extent
    others = steps[~jumps]
    if len(steps) < 2 or extent == 0.0 or not jumps.any() or not others.size:
        return np.inf, 0
    typical = float(np.sqrt(np.mean(others**2)))
    if np.abs(others).max() > (1.0 - JUMP) * extent or typical > TYPICAL_STEP * extent:
        return np.inf, 0
    padded = np.pad(np.where(jumps, np.nan, steps), ((1, 1), (0, 0)), constant_values=np.nan)
    around = np.stack([padded[:-2], padded[2:]])  # the steps before and after; NaN where a jump or nothing
    alone = jumps & ~np.isnan(around).all(axis=0) & ~(np.pad(jumps, ((1, 0), (0, 0)))[:-1])
    if not alone.any():
        return np.inf, 0
    motion, jump = np.nanmean(around[:, alone], axis=0), steps[alone]
    lengths = np.abs(jump - motion)
    length = float(np.median(lengths))
    agree = np.abs(lengths - length) <= np.maximum(3.0 * typical, 1e-3 * length)
    against = np.sign(jump) != np.sign(motion)
    if agree.mean() < 0.9 or against.mean() < 0.25:
        return np.inf, 0
    return length, int(alone.sum())
