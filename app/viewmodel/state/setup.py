"""What determines a comparison: the system, the models, and the world rotation as a list of operations."""

from dataclasses import dataclass, field, replace

import numpy as np

from app.viewmodel.state.matrices import as_option
from app.viewmodel.state.tours import TOURS, Course, orthonormal, rotation_along
from physics.errors import InputError
from physics.rotations import plane_rotation, random_rotation, reflection
from physics.types import FloatArray
from surrogate.tasks import DEFAULT

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Turn:
    """Turn axis e_i toward e_j by some degrees."""

    i: int
    j: int
    degrees: float

    def matrix(self, n_dims: int) -> FloatArray:
        """(n, n) float64."""
        return plane_rotation(n_dims, self.i, self.j, float(np.radians(self.degrees)))

    @property
    def option(self) -> str:
        """As `--rotate` of `surrogate.compare` takes it."""
        return f"{self.i}-{self.j}:{self.degrees:.12g}"

    def __str__(self) -> str:
        return f"{self.i}-{self.j} by {self.degrees:g}°"


@dataclass(frozen=True)
class RandomTurn:
    """A Haar-random rotation with its seed."""

    seed: int

    def matrix(self, n_dims: int) -> FloatArray:
        """(n, n) float64, in SO(n)."""
        return random_rotation(n_dims, np.random.default_rng(self.seed))

    @property
    def option(self) -> str:
        """As `--rotate` of `surrogate.compare` takes it."""
        return f"random:{self.seed}"

    def __str__(self) -> str:
        return f"random {self.seed}"


@dataclass(frozen=True)
class Reflect:
    """Change the sign of one coordinate."""

    axis: int

    def matrix(self, n_dims: int) -> FloatArray:
        """(n, n) float64, determinant -1."""
        return reflection(n_dims, self.axis)

    @property
    def option(self) -> str:
        """As `--rotate` of `surrogate.compare` takes it."""
        return f"reflect:{self.axis}"

    def __str__(self) -> str:
        return f"reflect x{self.axis}"


@dataclass(frozen=True)
class Given:
    """A matrix of O(n): pasted, or made by dragging.

    Attributes
    ----------
    rows : tuple of tuples of float
        (n, n).
    origin : str
        What the list of operations calls it.
    """

    rows: tuple[tuple[float, ...], ...]
    origin: str = "pasted matrix"

    def matrix(self, n_dims: int) -> FloatArray:
        """(n, n) float64, made orthogonal to round-off; in more dimensions it leaves the new axes alone."""
        matrix = np.eye(n_dims)
        matrix[: len(self.rows), : len(self.rows)] = orthonormal(np.array(self.rows))
        return matrix

    @property
    def option(self) -> str:
        """As `--rotate` of `surrogate.compare` takes it: taken apart into turns in planes of two axes."""
        return as_option(self.matrix(len(self.rows)))

    def __str__(self) -> str:
        return self.origin


@dataclass(frozen=True)
class TourTurn:
    """Where a tour of the world is on its path.

    Attributes
    ----------
    course : Course
    degrees : float
        The length of the path so far.
    """

    course: Course
    degrees: float

    def matrix(self, n_dims: int) -> FloatArray:
        """(n, n) float64, in SO(n); in more dimensions than the tour's it leaves the new axes alone."""
        n = self.course.n_dims
        matrix = np.eye(n_dims)
        matrix[:n, :n] = rotation_along(self.course, float(np.radians(self.degrees)))
        return matrix

    @property
    def option(self) -> str:
        """As `--rotate` of `surrogate.compare` takes it: taken apart into turns in planes of two axes."""
        return as_option(self.matrix(self.course.n_dims))

    def __str__(self) -> str:
        return f"{TOURS[self.course.tour].title.lower()} {self.degrees:.0f}°"


Operation = Turn | RandomTurn | Reflect | Given | TourTurn

MENDED_EVERY = 16
"""So many products of matrices are made before the result is made orthogonal again."""


def rotation_matrix(operations: tuple[Operation, ...], n_dims: int) -> FloatArray:
    """The world rotation R: the operations applied left to right, (n, n) float64, orthogonal to round-off.

    Raises
    ------
    InputError
        One line, for an operation of more dimensions.
    """
    matrix = np.eye(n_dims)
    for number, operation in enumerate(operations, 1):
        if not fits(operation, n_dims):
            raise InputError(f"rotation {number} ({operation}) does not exist in {n_dims} dimensions")
        matrix = operation.matrix(n_dims) @ matrix
        if number % MENDED_EVERY == 0:
            matrix = orthonormal(matrix)
    return matrix


def fits(operation: Operation, n_dims: int) -> bool:
    """Whether an operation exists in so many dimensions."""
    if isinstance(operation, Turn):
        return max(operation.i, operation.j) < n_dims
    if isinstance(operation, Reflect):
        return operation.axis < n_dims
    if isinstance(operation, Given):
        return len(operation.rows) <= n_dims
    return not isinstance(operation, TourTurn) or operation.course.n_dims <= n_dims


def fitting_operations(operations: tuple[Operation, ...], n_dims: int) -> tuple[Operation, ...]:
    """Those of some operations that exist in n dimensions."""
    return tuple(o for o in operations if fits(o, n_dims))


def with_turn(operations: tuple[Operation, ...], turn: Turn) -> tuple[Operation, ...]:
    """The operations with a turn added; a turn in the same plane as the last one adds to it."""
    if operations and isinstance(operations[-1], Turn):
        last = operations[-1]
        if (last.i, last.j) == (turn.i, turn.j):
            total = 180.0 - (180.0 - last.degrees - turn.degrees) % 360.0  # in (-180, 180]
            kept = operations[:-1]
            return kept if abs(total) < 1e-9 else (*kept, replace(last, degrees=total))
    return (*operations, turn) if turn.degrees else operations


def active_degrees(operations: tuple[Operation, ...], i: int, j: int) -> float:
    """The angle of the last operation if it is a turn in plane i-j, else 0."""
    if operations and isinstance(operations[-1], Turn) and (operations[-1].i, operations[-1].j) == (i, j):
        return operations[-1].degrees
    return 0.0


@dataclass(frozen=True)
class OwnSystem:
    """A system that the user set up, and how long to watch it; what a scenario file holds.

    Attributes
    ----------
    title, law : str
    parameters : tuple of (str, float or str)
        Of the law, by name.
    charges, masses : tuple of float
    positions, velocities : tuple of tuples of float
        A row a particle.
    duration, frame_interval, start : float [time]
        `start` is the time of the state.
    dt : float or None [time]
    electric : tuple of float
        (n,), or empty for none.
    magnetic : tuple of float
        B_ij of each plane in the order of :func:`planes`, or empty for none.
    drag, trap : float
    """

    title: str = "Own scene"
    law: str = "coulomb"
    parameters: tuple[tuple[str, float | str], ...] = ()
    charges: tuple[float, ...] = ()
    masses: tuple[float, ...] = ()
    positions: tuple[tuple[float, ...], ...] = ()
    velocities: tuple[tuple[float, ...], ...] = ()
    duration: float = 12.0
    frame_interval: float = 0.05
    start: float = 0.0
    dt: float | None = None
    electric: tuple[float, ...] = ()
    magnetic: tuple[float, ...] = ()
    drag: float = 0.0
    trap: float = 0.0

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return len(self.charges)

    @property
    def n_dims(self) -> int:
        """Number of space dimensions."""
        return len(self.positions[0]) if self.positions else 0


@dataclass(frozen=True)
class Effort:
    """What a model that chooses spends on a forecast; its usual rounds where both are None.

    Attributes
    ----------
    evaluations : int or None
        Rounds per horizon.
    tolerance : float or None [length]
        Each window chooses its own number of rounds.
    """

    evaluations: int | None = None
    tolerance: float | None = None

    def __str__(self) -> str:
        rounds = "" if self.evaluations is None else f"{self.evaluations} rounds"
        limit = "" if self.tolerance is None else f"tolerance {self.tolerance:g}"
        return ", ".join(filter(None, (rounds, limit)))

    @property
    def options(self) -> list[str]:
        """As `surrogate.compare` takes them."""
        rounds = [] if self.evaluations is None else [f"--evaluations {self.evaluations}"]
        return rounds if self.tolerance is None else [*rounds, f"--tolerance {self.tolerance!r}"]


@dataclass(frozen=True)
class Setup:
    """Everything that determines what is compared.

    Attributes
    ----------
    scenario : str
        A shipped name or the path of a TOML file; empty when `data` is shown.
    data, split, index : str, str, int
        A stored trajectory instead of a scenario.
    own : OwnSystem or None
        A system of the user's own instead of both.
    dims, particles, seed : int or None
        None keeps the scenario's own.
    clamped : bool
        Replace the scenario's law by the published one, whose clamp is not isotropic.
    model, contrast : str
        Shipped names or paths: who forecasts, and the second model beside it; none when empty.
    effort, contrast_effort : Effort
        Of the two models.
    in_full : bool
        Make everything for a large system, too (`app.viewmodel.state.detail`).
    task : str
        What is shown: a comparison ("dynamics"), or a sample of `data` with a model of another task.
    task_model : str
        That model; a shipped name or a path. `seed` is then that of the noise it draws, 0 for None.
    operations : tuple of Operation
        The world rotation.
    """

    scenario: str = "bound"
    data: str = ""
    split: str = "test"
    index: int = 0
    dims: int | None = None
    particles: int | None = None
    seed: int | None = None
    clamped: bool = False
    model: str = ""
    contrast: str = ""
    effort: Effort = Effort()
    contrast_effort: Effort = Effort()
    own: OwnSystem | None = None
    in_full: bool = False
    task: str = DEFAULT
    task_model: str = ""
    operations: tuple[Operation, ...] = field(default=())

    @property
    def forecasts(self) -> bool:
        """Whether it is a comparison of forecasts, and no sample of another task."""
        return self.task == DEFAULT

    @property
    def known_dims(self) -> int | None:
        """Number of space dimensions, where that does not stand in a file."""
        return self.own.n_dims if self.own is not None else (None if self.data else self.dims)

    @property
    def rotate_option(self) -> str:
        """The operations as options of `surrogate.compare`; empty without any."""
        if not self.operations:
            return ""
        if len(self.operations) == 1 and isinstance(self.operations[0], RandomTurn):
            return f"--random-rotation {self.operations[0].seed}"
        options = ",".join(o.option for o in self.operations if o.option)
        return f'--rotate "{options}"' if options else ""


def planes(n_dims: int) -> list[tuple[int, int]]:
    """All n (n - 1) / 2 rotation planes."""
    return [(i, j) for i in range(n_dims) for j in range(i + 1, n_dims)]
