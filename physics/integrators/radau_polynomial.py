"""The polynomial that IAS15 fits to the accelerations of a step: nodes, weights, and changes of its length."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from physics.kernels.double_double import precise_product, precise_sum
from physics.kernels.jit import kernel

FloatArray = NDArray[np.float64]

NODES = np.array(
    [
        0.0,
        0.05626256053692214646565219103231,
        0.18024069173689236498757994280918,
        0.35262471711316963737390777017124,
        0.54715362633055538300144855765235,
        0.73421017721541053152321060830661,
        0.88532094683909576809035976293249,
        0.97752061356128750189117450042919,
    ]
)
"""Roots of the Gauss-Radau polynomial of eight points, as fractions of a step."""
DEGREE = 7


def _newton_to_powers() -> FloatArray:
    """(7, 7): h times the product of (h - h_1) ... (h - h_j), in powers h^1 ... h^7."""
    rows = np.zeros((DEGREE, DEGREE))
    polynomial = np.array([0.0, 1.0])  # h
    for j in range(DEGREE):
        rows[j, : j + 1] = polynomial[1:]
        polynomial = np.convolve(polynomial, [-NODES[j + 1], 1.0])
    return rows


TO_POWERS = _newton_to_powers()
FROM_POWERS = np.linalg.inv(TO_POWERS)
BINOMIALS = np.array([[float(math.comb(j + 1, k + 1)) for j in range(DEGREE)] for k in range(DEGREE)])
"""[k, j] = (j + 1 choose k + 1): a polynomial's coefficients seen from its right end."""


def _weights() -> FloatArray:
    """(2, 2, 7): w and u; int a = a_0 + sum w (a_i - a_0), int (1 - h) a = a_0 / 2 + sum u (a_i - a_0).

    Each as a float64 and what rounding took from it, exact for the nodes as they are rounded: a weight that is
    wrong in its last digit pushes the energy in the same direction at every step.
    """
    nodes = [Fraction(float(h)) for h in NODES]
    weights = np.empty((2, 2, DEGREE))
    for i in range(1, DEGREE + 1):
        powers = [Fraction(1)]  # of the polynomial that is 1 at this node and 0 at the others
        for j in range(DEGREE + 1):
            if j != i:
                shifted = [Fraction(0), *powers]
                kept = [-nodes[j] * p for p in powers] + [Fraction(0)]
                powers = [(a + b) / (nodes[i] - nodes[j]) for a, b in zip(shifted, kept, strict=True)]
        integrals = (
            sum(p / (k + 1) for k, p in enumerate(powers)),
            sum(p / ((k + 1) * (k + 2)) for k, p in enumerate(powers)),
        )
        for which, exact in enumerate(integrals):
            weights[which, 0, i - 1] = float(exact)
            weights[which, 1, i - 1] = float(exact - Fraction(float(exact)))
    return weights


WEIGHTS = _weights()


@kernel
def predict(ratio: float, b: FloatArray, e: FloatArray, b_from: FloatArray, e_from: FloatArray) -> None:
    """Guess b of a step `ratio` times as long as the last: its polynomial carried on, plus the last miss."""
    for i in range(b.shape[1]):
        power = 1.0
        for k in range(DEGREE):
            power *= ratio
            carried = 0.0
            for j in range(k, DEGREE):
                carried += BINOMIALS[k, j] * b_from[j, i]
            e[k, i] = power * carried
            b[k, i] = e[k, i] + (b_from[k, i] - e_from[k, i])


@kernel
def shorten(fraction: float, b: FloatArray, part: FloatArray) -> None:
    """The polynomial of the first part of a step, as a fraction of it."""
    for i in range(b.shape[1]):
        power = 1.0
        for k in range(DEGREE):
            power *= fraction
            part[k, i] = power * b[k, i]


@kernel
def integral(weights: FloatArray, differences: FloatArray, i: int) -> tuple[float, float]:
    """Sum of the weights, (2, 7), times column i of (2, 7, size), and what rounding took from it."""
    total, low = 0.0, 0.0
    for k in range(DEGREE):
        part, part_low = precise_product(weights[0, k], weights[1, k], differences[0, k, i], differences[1, k, i])
        total, low = precise_sum(total, low, part, part_low)
    return total, low
