"""Time steppers on blocks of systems, one in each lane (:mod:`physics.sums.lanes`), and what each claims.

Each kernel advances a block of independent systems by `n_steps` equal steps in place. The tests fit the order,
reverse the time and compare energies for what a row of :data:`INTEGRATORS` claims. One small file a method; one
system's adaptive steps are in `adaptive_leapfrog` and `gauss_radau` (with `radau_polynomial`).
"""

from physics.integrators.adaptive_leapfrog import adaptive_leapfrog, adaptive_leapfrog_memory
from physics.integrators.base import Integrator
from physics.integrators.boris import boris
from physics.integrators.euler import symplectic_euler
from physics.integrators.gauss_radau import ias15, ias15_memory
from physics.integrators.leapfrog import leapfrog
from physics.integrators.runge_kutta import rk4
from physics.integrators.walls import leapfrog_in_box, symplectic_euler_in_box, yoshida4_in_box, yoshida6_in_box
from physics.integrators.yoshida import yoshida4, yoshida6

INTEGRATORS: dict[str, Integrator] = {
    "symplectic-euler": Integrator(
        symplectic_euler, order=1, symplectic=True, velocity_offset=-0.5, in_box=symplectic_euler_in_box
    ),
    "leapfrog": Integrator(leapfrog, order=2, symplectic=True, reversible=True, in_box=leapfrog_in_box),
    "yoshida4": Integrator(yoshida4, order=4, symplectic=True, reversible=True, in_box=yoshida4_in_box),
    "yoshida6": Integrator(yoshida6, order=6, symplectic=True, reversible=True, in_box=yoshida6_in_box),
    "boris": Integrator(boris, order=2, symplectic=True, reversible=True, takes_velocity_forces=True),
    "adaptive-leapfrog": Integrator(
        None, order=2, reversible=True, path=adaptive_leapfrog, memory_size=adaptive_leapfrog_memory
    ),
    "ias15": Integrator(
        None, order=15, reversible=True, takes_velocity_forces=True, path=ias15, memory_size=ias15_memory
    ),
    "rk4": Integrator(rk4, order=4, takes_velocity_forces=True),
}
