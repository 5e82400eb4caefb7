"""Time steppers on lane blocks (see :mod:`physics.forces` for the layout), and what each claims.

Each kernel advances a block of independent systems by `n_steps` equal steps in place. The tests fit the order,
reverse the time and compare energies for what a row of :data:`INTEGRATORS` claims. One small file a method.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.integrators import adaptive_leapfrog as _adaptive_leapfrog
from physics.integrators import gauss_radau as _gauss_radau
from physics.integrators.adaptive_leapfrog import adaptive_leapfrog
from physics.integrators.boris import boris
from physics.integrators.euler import symplectic_euler
from physics.integrators.gauss_radau import ias15
from physics.integrators.leapfrog import leapfrog
from physics.integrators.runge_kutta import rk4
from physics.integrators.walls import leapfrog_in_box, symplectic_euler_in_box, yoshida4_in_box, yoshida6_in_box
from physics.integrators.yoshida import yoshida4, yoshida6

__all__ = [
    "INTEGRATORS",
    "Integrator",
    "adaptive_leapfrog",
    "boris",
    "ias15",
    "leapfrog",
    "rk4",
    "symplectic_euler",
    "yoshida4",
    "yoshida6",
]

FloatArray = NDArray[np.float64]
Step = Callable[[int, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, float, int], None]
Path = Callable[
    [
        int,
        FloatArray,
        FloatArray,
        FloatArray,
        FloatArray,
        FloatArray,
        FloatArray,
        float,
        FloatArray,
        FloatArray,
        FloatArray,
    ],
    int,
]


@dataclass(frozen=True)
class Integrator:
    """A stepper and what it claims.

    Attributes
    ----------
    step : callable or None
        The lane kernel of equal steps.
    order : int
        Global error falls as dt**order.
    symplectic : bool
        Energy error stays bounded for a conservative law.
    reversible : bool
        Running back with -dt returns to the start up to round-off.
    takes_velocity_forces : bool
        Whether it takes a magnetic field and drag.
    path : callable or None
        Of an integrator that chooses its own steps: the kernel that makes the states of one system at given
        times (see :func:`physics.integrators.gauss_radau.ias15`), with a memory that a later run goes on from.
    memory_size : callable or None
        Numbers in that memory for N particles in n dimensions.
    in_box : callable or None
        The lane kernel of equal steps between reflecting walls.
    velocity_offset : float
        Stored velocities belong to t + velocity_offset * dt.
    """

    step: Step | None
    order: int
    symplectic: bool
    reversible: bool
    velocity_offset: float
    takes_velocity_forces: bool = False
    path: Path | None = None
    memory_size: Callable[[int, int], int] | None = None
    in_box: Step | None = None

    @property
    def takes_walls(self) -> bool:
        """Whether it can be used in a reflecting box."""
        return self.in_box is not None

    @property
    def adaptive(self) -> bool:
        """Whether it chooses its own steps."""
        return self.path is not None


INTEGRATORS: dict[str, Integrator] = {
    "symplectic-euler": Integrator(
        symplectic_euler,
        order=1,
        symplectic=True,
        reversible=False,
        velocity_offset=-0.5,
        in_box=symplectic_euler_in_box,
    ),
    "leapfrog": Integrator(
        leapfrog, order=2, symplectic=True, reversible=True, velocity_offset=0.0, in_box=leapfrog_in_box
    ),
    "yoshida4": Integrator(
        yoshida4, order=4, symplectic=True, reversible=True, velocity_offset=0.0, in_box=yoshida4_in_box
    ),
    "yoshida6": Integrator(
        yoshida6, order=6, symplectic=True, reversible=True, velocity_offset=0.0, in_box=yoshida6_in_box
    ),
    "boris": Integrator(
        boris, order=2, symplectic=True, reversible=True, velocity_offset=0.0, takes_velocity_forces=True
    ),
    "adaptive-leapfrog": Integrator(
        None,
        order=2,
        symplectic=False,
        reversible=True,
        velocity_offset=0.0,
        path=adaptive_leapfrog,
        memory_size=_adaptive_leapfrog.memory_size,
    ),
    "ias15": Integrator(
        None,
        order=15,
        symplectic=False,
        reversible=True,
        velocity_offset=0.0,
        takes_velocity_forces=True,
        path=ias15,
        memory_size=_gauss_radau.memory_size,
    ),
    "rk4": Integrator(
        rk4, order=4, symplectic=False, reversible=False, velocity_offset=0.0, takes_velocity_forces=True
    ),
}
