"""The shared nouns of all three packages: System, State, Trajectory. Frozen, validated, NumPy only.

Reduced units, here and everywhere: length, time, mass and charge of order 1; the Coulomb constant is 1.
Shapes end in (n_particles, n_dims); the engine works in float64.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError
from physics.fields import NO_FIELDS, Fields
from physics.massless import inertial_masses, refuse_forces_on_massless

if TYPE_CHECKING:
    from physics.kernels.parameters import Forces

FloatArray = NDArray[np.float64]


def _finite(name: str, values: ArrayLike) -> FloatArray:
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers; got {type(values).__name__}") from error
    if given.dtype.kind not in "biuf":  # not text that looks like numbers, complex, or integers beyond float64
        raise InputError(f"{name} must be numbers; got {type(values).__name__} of dtype {given.dtype}")
    array = np.array(given, dtype=np.float64)
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        raise InputError(f"{name} must be finite; got {array[tuple(where)]} at index {tuple(map(int, where))}")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class System:
    """What interacts and how: charges, masses and the law.

    Parameters
    ----------
    charges : (n_particles,) float64 [charge]
    masses : (n_particles,) float64 [mass], or one number for all
        0 is a test particle: it feels gravity and exerts nothing; refused under any other force on it.
    law : str
        A name of :data:`physics.laws.LAWS`, or a sum of them: "gravity+coulomb".
    parameters : mapping
        The law's parameters, of a sum with their law in front ("gravity.G"); those left out take the law's
        defaults (see :mod:`physics.laws.names`).
    fields : Fields
        Electric and magnetic field, drag, trap (see :mod:`physics.fields`); none by default.
    boundary : Boundary
        A box that reflects or repeats (see :mod:`physics.boundaries`); open space by default.

    Raises
    ------
    InputError
        For shapes, values or names that do not fit.
    """

    charges: FloatArray
    masses: FloatArray = 1.0  # type: ignore[assignment]  # a scalar is broadcast below
    law: str = "coulomb"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fields: Fields = NO_FIELDS
    boundary: Boundary = OPEN

    if TYPE_CHECKING:  # what callers may pass; the fields always hold arrays

        def __init__(
            self,
            charges: ArrayLike,
            masses: ArrayLike = 1.0,
            law: str = "coulomb",
            parameters: Mapping[str, Any] = ...,
            fields: Fields = NO_FIELDS,
            boundary: Boundary = OPEN,
        ) -> None: ...

    def __post_init__(self) -> None:
        charges = _finite("charges", self.charges)
        if charges.ndim != 1 or charges.size < 1:
            raise InputError(f"charges must be (n_particles,) with n_particles >= 1; got shape {charges.shape}")
        masses = _finite("masses", self.masses)
        if masses.ndim == 0:
            masses = _finite("masses", np.full(charges.shape, float(masses)))
        if masses.shape != charges.shape:
            raise InputError(
                f"masses must be a number or (n_particles,) = {charges.shape}; got shape {masses.shape}"
            )
        object.__setattr__(self, "charges", charges)
        object.__setattr__(self, "masses", masses)
        if self.boundary.repeats and self.fields.trap:
            raise InputError("a trap has a middle and a periodic box has none; leave one out")
        from physics.laws.names import law_terms, resolve_parameters  # the kernels, and Numba with them

        object.__setattr__(self, "law", "+".join(law_terms(self.law)))
        object.__setattr__(self, "parameters", MappingProxyType(resolve_parameters(self.law, self.parameters)))
        refuse_forces_on_massless(self.law, self.parameters, self.fields, charges, masses)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickling, between our own processes only: a read-only mapping cannot be pickled as it is."""
        return System, (self.charges, self.masses, self.law, dict(self.parameters), self.fields, self.boundary)

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return int(self.charges.size)

    def forces(self, n_dims: int) -> "Forces":
        """What acts on it in `n_dims` dimensions, for kernels."""
        from physics.kernels.parameters import Forces  # Numba
        from physics.laws.packing import packed_parameters

        # copies: a read-only array is another type to Numba, and every integrator would be compiled twice
        q, m = (values[:, None].copy() for values in (self.charges, inertial_masses(self.masses)))
        packed = packed_parameters(self.law, self.parameters, n_dims, self.fields, self.boundary)
        return Forces(q, m, packed)

    def transformed(self, matrix: FloatArray) -> "System":
        """As seen after every position x became matrix @ x: its fields turn along, pair laws are the same."""
        return replace(self, fields=self.fields.transformed(matrix)) if self.fields.any else self


@dataclass(frozen=True, eq=False)
class State:
    """Where every particle is and how it moves at one time.

    Parameters
    ----------
    positions, velocities : (n_particles, n_dims) float64 [length], [length/time]
    time : float [time]
    memory : (any,) float64 or None
        What the integrator that made this state goes on from, so that two runs have the bits of one; None where
        it needs nothing.
    """

    positions: FloatArray
    velocities: FloatArray
    time: float = 0.0
    memory: FloatArray | None = None

    def __post_init__(self) -> None:
        positions = _finite("positions", self.positions)
        velocities = _finite("velocities", self.velocities)
        if positions.ndim != 2 or 0 in positions.shape:
            raise InputError(f"positions must be (n_particles, n_dims); got shape {positions.shape}")
        if velocities.shape != positions.shape:
            raise InputError(
                f"velocities must have the shape of positions {positions.shape}; got shape {velocities.shape}"
            )
        time = _finite("time", self.time)
        if time.ndim != 0:
            raise InputError(f"time must be one number; got shape {time.shape}")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "velocities", velocities)
        object.__setattr__(self, "time", float(time))

    @property
    def n_dims(self) -> int:
        """Number of space dimensions."""
        return int(self.positions.shape[1])


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A system's states at increasing (or, run backwards, decreasing) times.

    Parameters
    ----------
    times : (n_frames,) float64 [time]
    positions, velocities : (n_frames, n_particles, n_dims) float64 [length], [length/time]
    system : System
    velocity_offset : float [time]
        Velocities are those of time + velocity_offset; -dt/2 where the integrator stores the velocity that
        produced the position (see :mod:`physics.observables`).
    memory : (any,) float64 or None
        Of the last state, see :class:`State`.
    position_errors : (n_frames,) float64 or None [length]
        Estimated largest error of any particle's position at each frame, where it was asked for.
    """

    times: FloatArray
    positions: FloatArray
    velocities: FloatArray
    system: System
    velocity_offset: float = 0.0
    memory: FloatArray | None = None
    position_errors: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("times", "positions", "velocities"):
            object.__setattr__(self, name, _finite(name, getattr(self, name)))
        shape = self.positions.shape
        if len(shape) != 3 or shape[1] != self.system.n_particles:
            raise InputError(f"positions must be (n_frames, {self.system.n_particles}, n_dims); got shape {shape}")
        if self.velocities.shape != shape:
            raise InputError(f"velocities must have the shape of positions {shape}; got {self.velocities.shape}")
        steps = np.diff(self.times) if self.times.shape == shape[:1] else np.zeros(1)
        if not ((steps > 0).all() or (steps < 0).all()):
            raise InputError(f"times must be ({shape[0]},) and strictly monotonic; got shape {self.times.shape}")

    @property
    def n_frames(self) -> int:
        """Number of stored frames."""
        return int(self.times.size)

    @property
    def n_dims(self) -> int:
        """Number of space dimensions."""
        return int(self.positions.shape[2])

    def state(self, frame: int) -> State:
        """The state at one frame."""
        last = frame in (-1, self.n_frames - 1)
        memory = self.memory if last else None
        return State(self.positions[frame], self.velocities[frame], float(self.times[frame]), memory)

    def part(self, which: slice | NDArray[np.int64] | NDArray[np.bool_]) -> "Trajectory":
        """Some of the frames, without the integrator's memory."""
        errors = None if self.position_errors is None else self.position_errors[which]
        some = {name: getattr(self, name)[which] for name in ("times", "positions", "velocities")}
        return replace(self, **some, memory=None, position_errors=errors)

    def transformed(self, matrix: FloatArray) -> "Trajectory":
        """The same trajectory with every position and velocity x replaced by matrix @ x; fields turn along.

        Parameters
        ----------
        matrix : (n_dims, n_dims) float64
            An element of O(n).
        """
        x, v = self.positions @ matrix.T, self.velocities @ matrix.T
        return replace(self, positions=x, velocities=v, system=self.system.transformed(matrix), memory=None)
