"""What determines a comparison: the system, the models, and the world rotation as a list of operations."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from physics.rotations import plane_rotation, random_rotation, reflection

FloatArray = NDArray[np.float64]


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


Operation = Turn | RandomTurn | Reflect


def rotation_matrix(operations: tuple[Operation, ...], n_dims: int) -> FloatArray:
    """The world rotation R: the operations applied left to right, (n, n) float64."""
    matrix = np.eye(n_dims)
    for operation in operations:
        matrix = operation.matrix(n_dims) @ matrix
    return matrix


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
class OwnScene:
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
    own : OwnScene or None
        A system of the user's own instead of both.
    dims, particles, seed : int or None
        None keeps the scenario's own.
    clamped : bool
        Replace the scenario's law by the published one, whose clamp is not isotropic.
    model, contrast : str
        Shipped names or paths: who forecasts, and the second model beside it; none when empty.
    effort, contrast_effort : Effort
        Of the two models.
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
    own: OwnScene | None = None
    operations: tuple[Operation, ...] = field(default=())

    @property
    def rotate_option(self) -> str:
        """The operations as options of `surrogate.compare`; empty without any."""
        if not self.operations:
            return ""
        if len(self.operations) == 1 and isinstance(self.operations[0], RandomTurn):
            return f"--random-rotation {self.operations[0].seed}"
        return '--rotate "' + ",".join(o.option for o in self.operations) + '"'


def planes(n_dims: int) -> list[tuple[int, int]]:
    """All n (n - 1) / 2 rotation planes."""
    return [(i, j) for i in range(n_dims) for j in range(i + 1, n_dims)]
