"""Tours: paths through the rotations of n dimensions, at constant speed. Pure functions of the length so far.

The same paths turn the world (then everything is simulated and forecast anew) or the view basis (then only the
projection changes). A path is a chain of legs; a leg is a geodesic of SO(n), taken at unit speed, where the speed
of a rotation with the generator A is |A| / sqrt(2): for a turn in one plane, its angle per time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from physics.rotations import plane_rotation, random_rotation
from physics.types import FloatArray


@dataclass(frozen=True)
class Course:
    """Which path is taken.

    Attributes
    ----------
    tour : str
        A name of TOURS.
    n_dims : int
    plane : (int, int)
        Of the sweep.
    hidden : int
        The axis that the radial tour brings in and out.
    seed : int
        Of the grand tour's targets.
    """

    tour: str
    n_dims: int
    plane: tuple[int, int] = (0, 1)
    hidden: int = 0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Leg:
    """A geodesic from the identity: the rotation by `length` about what `at` turns about."""

    length: float
    at: Callable[[float], FloatArray]


def _plane_leg(n_dims: int, i: int, j: int, angle: float) -> Leg:
    sign = math.copysign(1.0, angle)
    return Leg(abs(angle), lambda way: plane_rotation(n_dims, i, j, sign * way))


def geodesic(rotation: FloatArray) -> Leg:
    """The shortest way from the identity to a rotation, (n, n) float64, without a half turn in it.

    Notes
    -----
    A rotation is U diag(e^{i theta}) U*; on the way the angles theta grow evenly. |log| / sqrt(2) is the root of
    the sum of the squared angles of its planes.
    """
    values, vectors = np.linalg.eig(rotation)
    angles = np.angle(values)
    inverse = np.linalg.inv(vectors)
    length = float(np.linalg.norm(angles) / math.sqrt(2.0))

    def at(way: float) -> FloatArray:
        phases = np.exp(1j * angles * (way / length if length else 0.0))
        return orthonormal(np.real((vectors * phases) @ inverse))

    return Leg(length, at)


def orthonormal(matrix: FloatArray) -> FloatArray:
    """The nearest matrix with orthonormal columns, of the same shape (its polar factor), float64."""
    u, _, vt = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(u @ vt)


def _grand(course: Course, number: int) -> Leg:
    """To a Haar-random rotation away from where the last leg ended, which is a Haar-random target again."""
    n = course.n_dims
    rng = np.random.default_rng([course.seed, number])
    if n == 2:
        return _plane_leg(2, 0, 1, float(rng.uniform(-math.pi, math.pi)))
    return geodesic(random_rotation(n, rng))


def _little(course: Course, number: int) -> Leg:
    """A quarter turn in each plane of two axes, one after the other: axis-parallel again after each."""
    n = course.n_dims
    planes = [(i, j) for i in range(n) for j in range(i + 1, n)]
    # first the planes that mix what is drawn with what is hidden, so that something new is seen from the start
    planes.sort(key=lambda plane: not (plane[0] < 3 <= plane[1]))
    return _plane_leg(n, *planes[number % len(planes)], math.pi / 2)


def _sweep(course: Course, number: int) -> Leg:
    """Once round in the selected plane, and again."""
    return _plane_leg(course.n_dims, *course.plane, 2.0 * math.pi)


def _radial(course: Course, number: int) -> Leg:
    """The hidden axis a quarter turn into each of the other axes and out again."""
    others = [k for k in range(course.n_dims) if k != course.hidden]
    angle = math.pi / 2 if number % 2 == 0 else -math.pi / 2
    return _plane_leg(course.n_dims, others[(number // 2) % len(others)], course.hidden, angle)


@dataclass(frozen=True)
class Tour:
    """A kind of tour.

    Attributes
    ----------
    title, help : str
    leg : callable
        The leg of a number, counted from 0.
    """

    title: str
    help: str
    leg: Callable[[Course, int], Leg]


TOURS: dict[str, Tour] = {
    "sweep": Tour("Plane sweep", "0 to 360 degrees in the selected plane, again and again", _sweep),
    "grand": Tour("Grand tour", "Geodesics to one Haar-random target after the other", _grand),
    "little": Tour("Little tour", "A quarter turn in every plane of two axes, one after the other", _little),
    "radial": Tour("Radial tour", "The hidden axis into each of the others and out again", _radial),
}


@lru_cache(maxsize=4096)
def _leg(course: Course, number: int) -> Leg:
    return TOURS[course.tour].leg(course, number)


@lru_cache(maxsize=4096)
def _before(course: Course, number: int) -> FloatArray:
    """The rotation at the start of a leg."""
    if number == 0:
        return np.eye(course.n_dims)
    last = _leg(course, number - 1)
    return orthonormal(last.at(last.length) @ _before(course, number - 1))


def rotation_along(course: Course, way: float) -> FloatArray:
    """Where a tour is after some way.

    Parameters
    ----------
    way : float [radian]
        From the start, 0 or more.

    Returns
    -------
    (n_dims, n_dims) float64
        In SO(n); the identity at the start and in one dimension.
    """
    if course.n_dims < 2:
        return np.eye(course.n_dims)
    number = 0
    while True:
        leg = _leg(course, number)
        if way <= leg.length:
            return leg.at(way) @ _before(course, number)
        way -= leg.length
        number += 1


@dataclass(frozen=True)
class Touring:
    """The tours that are under way.

    Attributes
    ----------
    world, view : str
        Names of TOURS, of the world rotation and of the view basis; empty for none. At most one is set.
    speed : float [degree/second]
    backwards : bool
    seed : int
        Of the grand tour.
    """

    world: str = ""
    view: str = ""
    speed: float = 30.0
    backwards: bool = False
    seed: int = 0

    @property
    def signed_speed(self) -> float:
        """Below 0 when it goes backwards [degree/second]."""
        return -self.speed if self.backwards else self.speed
