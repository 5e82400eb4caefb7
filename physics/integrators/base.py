"""What an integrator is, and what it claims."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.kernels.parameters import Forces

FloatArray = NDArray[np.float64]

Step = Callable[[FloatArray, FloatArray, Forces, FloatArray, float, int], None]
"""(x, v, forces, a, dt, n_steps): see :func:`physics.integrators.euler.symplectic_euler`."""
Path = Callable[[FloatArray, FloatArray, Forces, FloatArray, float, FloatArray, FloatArray, FloatArray], int]
"""(x, v, forces, times, dt, memory, x_out, v_out): see :func:`physics.integrators.gauss_radau.ias15`."""

HEAD = 5
"""Of an adaptive integrator's memory: a flag, t, dt and two numbers of its own stand in front of x and v."""


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
    symplectic: bool = False
    reversible: bool = False
    velocity_offset: float = 0.0
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
