"""Steps of one large system, its receivers shared among threads: the bits of the kernels that step it alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from physics.integrators.base import Step
from physics.integrators.euler import symplectic_euler
from physics.integrators.leapfrog import leapfrog
from physics.kernels.parameters import Forces
from physics.sums.lanes import kick
from physics.sums.large_systems import RECEIVERS, receiver_accelerations
from physics.types import FloatArray

PIECES_PER_THREAD = 4
"""So that a thread that is held up does not keep the others waiting for long."""


@contextmanager
def shared_step(step: Step | None, workers: int) -> Iterator[Step | None]:
    """The same steps by `workers` threads, where `step` is one that can be shared; else None.

    The law alone must act. Threads meet after each evaluation.
    """
    if step not in (leapfrog, symplectic_euler):
        yield None
        return
    with ThreadPoolExecutor(workers) as pool:

        def shared(x: FloatArray, v: FloatArray, forces: Forces, a: FloatArray, dt: float, n_steps: int) -> None:
            n = len(x)
            groups = -(-n // RECEIVERS)
            piece = RECEIVERS * -(-groups // (workers * PIECES_PER_THREAD))

            def accelerate(first: int) -> None:
                receiver_accelerations(x, forces, a, first, min(first + piece, n))

            def accelerate_all() -> None:
                list(pool.map(accelerate, range(0, n, piece)))

            advance = _leapfrog if step is leapfrog else _symplectic_euler
            advance(accelerate_all, x, v, a, dt, n_steps)

        yield shared


def _leapfrog(
    accelerate: Callable[[], None], x: FloatArray, v: FloatArray, a: FloatArray, dt: float, n_steps: int
) -> None:
    accelerate()
    for _ in range(n_steps):
        kick(v, a, 0.5 * dt)
        kick(x, v, dt)
        accelerate()
        kick(v, a, 0.5 * dt)


def _symplectic_euler(
    accelerate: Callable[[], None], x: FloatArray, v: FloatArray, a: FloatArray, dt: float, n_steps: int
) -> None:
    for _ in range(n_steps):
        accelerate()
        kick(v, a, dt)
        kick(x, v, dt)
