"""Real Clebsch-Gordan coefficients, in NumPy float64.

Components of degree l are those of real spherical harmonics with the polar axis along y, in the order m = -l..l:
degree 1 is (x, y, z).
"""

from functools import lru_cache
from math import factorial, sqrt

import numpy as np


@lru_cache(maxsize=256)
def clebsch_gordan(l1: int, l2: int, l3: int) -> np.ndarray:
    """The map of degrees l1 and l2 to l3 that commutes with rotations.

    Parameters
    ----------
    l1, l2, l3 : int
        |l1 - l2| <= l3 <= l1 + l2.

    Returns
    -------
    (2 l1 + 1, 2 l2 + 1, 2 l3 + 1) float64, read-only
        Orthonormal: sum_ab C_abc C_abd = delta_cd. To degree 0, C is delta_ab / sqrt(2 l1 + 1); for 1, 1, 1 it is
        the cross product over sqrt 2.

    Notes
    -----
    **Source** Racah's sum for complex harmonics of the Condon-Shortley phase (Varshalovich et al., "Quantum Theory
    of Angular Momentum", ch. 8), carried over to real harmonics by their unitary matrices; the result is imaginary
    where l1 + l2 + l3 is odd, and its imaginary part is taken. Times (-1)^floor((l1 + l2 - l3) / 2), our choice.
    **Checked by** tests/surrogate/nn/test_steerable.py (intertwining, orthogonality).
    """
    u1, u2, u3 = _real_from_complex(l1), _real_from_complex(l2), _real_from_complex(l3)
    c = np.einsum("am,bn,cp,mnp->abc", u1.conj(), u2.conj(), u3, _complex(l1, l2, l3))
    odd = (l1 + l2 + l3) % 2
    sign = (-1) ** ((l1 + l2 - l3) // 2)
    found = np.ascontiguousarray(sign * (c.imag if odd else c.real))
    found[np.abs(found) < 1e-14] = 0.0
    found.setflags(write=False)
    return found


def _complex(l1: int, l2: int, l3: int) -> np.ndarray:
    """<l1 m1 l2 m2 | l3 m3>, (2 l1 + 1, 2 l2 + 1, 2 l3 + 1)."""
    c = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            c[l1 + m1, l2 + m2, l3 + m1 + m2] = _racah(l1, m1, l2, m2, l3)
    return c


def _racah(l1: int, m1: int, l2: int, m2: int, l3: int) -> float:
    f, m3 = factorial, m1 + m2
    triangle = f(l3 + l1 - l2) * f(l3 - l1 + l2) * f(l1 + l2 - l3) / f(l1 + l2 + l3 + 1)
    moments = f(l3 + m3) * f(l3 - m3) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    total = 0.0
    for k in range(max(0, l2 - l3 - m1, l1 + m2 - l3), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        below = f(k) * f(l1 + l2 - l3 - k) * f(l1 - m1 - k) * f(l2 + m2 - k)
        total += (-1) ** k / (below * f(l3 - l2 + m1 + k) * f(l3 - l1 - m2 + k))
    return sqrt((2 * l3 + 1) * triangle * moments) * total


def _real_from_complex(degree: int) -> np.ndarray:
    """Unitary matrix (real m, complex m) of harmonics of one degree."""
    u = np.zeros((2 * degree + 1, 2 * degree + 1), complex)
    u[degree, degree] = 1.0
    for m in range(1, degree + 1):
        u[degree + m, [degree + m, degree - m]] = (-1) ** m / sqrt(2), 1 / sqrt(2)
        u[degree - m, [degree + m, degree - m]] = -1j * (-1) ** m / sqrt(2), 1j / sqrt(2)
    return u
