"""Leapfrog composed with itself to fourth and sixth order."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces
from physics.sums.accelerations import total_acceleration

FloatArray = NDArray[np.float64]

_OUTER = 1.0 / (2.0 - 2.0 ** (1.0 / 3.0))
FOURTH = np.array([_OUTER, 1.0 - 2.0 * _OUTER, _OUTER])
"""Step sizes of the fourth-order composition, as fractions of the whole (Yoshida 1990, eq. 2.11)."""

_W = (0.78451361047755726382, 0.23557321335935813368, -1.17767998417887100695)
SIXTH = np.array([*_W, 1.0 - 2.0 * sum(_W), *_W[::-1]])
"""Those of sixth order, solution A (Yoshida 1990, table 1)."""


@kernel
def composed(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
    fractions: FloatArray,
) -> None:
    """Kick-drift-kick steps of dt times each fraction in turn; one force evaluation each."""
    n, d, lanes = x.shape
    total_acceleration(x, forces, a)
    for _ in range(n_steps):
        for s in range(fractions.shape[0]):
            h = fractions[s] * dt
            for i in range(n):
                for k in range(d):
                    for w in range(lanes):
                        v[i, k, w] += 0.5 * h * a[i, k, w]
                        x[i, k, w] += h * v[i, k, w]
            total_acceleration(x, forces, a)
            for i in range(n):
                for k in range(d):
                    for w in range(lanes):
                        v[i, k, w] += 0.5 * h * a[i, k, w]


def yoshida(fractions: FloatArray) -> Callable[..., None]:
    """The integrator of these fractions of the step; its arguments are leapfrog's."""

    @kernel
    def steps(
        x: FloatArray,
        v: FloatArray,
        forces: Forces,
        a: FloatArray,
        dt: float,
        n_steps: int,
    ) -> None:
        composed(x, v, forces, a, dt, n_steps, fractions)

    return steps


yoshida4 = yoshida(FOURTH)
"""Fourth order, three force evaluations a step."""
yoshida6 = yoshida(SIXTH)
"""Sixth order, seven force evaluations a step."""
