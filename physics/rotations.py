"""Elements of O(n): plane rotations, reflections, Haar-random draws, and the text form users type.

Everything acts on row vectors of shape (..., n_dims) as x @ R.T, about the origin.
"""

import math
import re

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError

FloatArray = NDArray[np.float64]


def plane_rotation(n_dims: int, i: int, j: int, angle: float) -> FloatArray:
    """The rotation that turns axis e_i toward e_j.

    Parameters
    ----------
    n_dims : int
    i, j : int
        Different axes, 0 <= i, j < n_dims.
    angle : float [radian]

    Returns
    -------
    (n_dims, n_dims) float64
    """
    for axis in (i, j):
        if not 0 <= axis < n_dims:
            raise InputError(f"axis {axis} does not exist in {n_dims} dimensions (axes 0 to {n_dims - 1})")
    if i == j:
        raise InputError(f"a rotation plane needs two different axes; got {i}-{j}")
    matrix = np.eye(n_dims)
    c, s = math.cos(angle), math.sin(angle)
    matrix[i, i] = matrix[j, j] = c
    matrix[j, i] = s
    matrix[i, j] = -s
    return matrix


def reflection(n_dims: int, axis: int) -> FloatArray:
    """The reflection that changes the sign of one coordinate, (n_dims, n_dims) float64."""
    if not 0 <= axis < n_dims:
        raise InputError(f"axis {axis} does not exist in {n_dims} dimensions (axes 0 to {n_dims - 1})")
    diagonal = np.ones(n_dims)
    diagonal[axis] = -1.0
    return np.diag(diagonal)


def random_orthogonal(n_dims: int, rng: np.random.Generator) -> FloatArray:
    """A Haar-random element of O(n), reflections included, (n_dims, n_dims) float64.

    Notes
    -----
    QR of a Gaussian matrix with the signs of R's diagonal moved into Q (Mezzadri 2007).
    """
    q, r = np.linalg.qr(rng.standard_normal((n_dims, n_dims)))
    return np.asarray(q * np.where(np.diag(r) < 0, -1.0, 1.0))


def random_rotation(n_dims: int, rng: np.random.Generator) -> FloatArray:
    """A Haar-random element of SO(n) (determinant +1), (n_dims, n_dims) float64."""
    matrix = random_orthogonal(n_dims, rng)
    if np.linalg.det(matrix) < 0:
        matrix[:, 0] = -matrix[:, 0]
    return matrix


_TURN = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*:\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$")


def _turn(text: str) -> tuple[int, int, float]:
    """Axes and degrees of a turn such as "0-1:30"."""
    match = _TURN.match(text)
    if not match:
        raise InputError(f"rotation {text.strip()!r:.60} must read 'i-j:degrees', for example '0-1:30'")
    degrees = float(match[3])
    if not math.isfinite(degrees) or max(len(match[1]), len(match[2])) > 9:
        raise InputError(f"rotation {text.strip()!r:.60} is out of range")
    return int(match[1]), int(match[2]), degrees


def parse_operations(text: str, n_dims: int) -> tuple[FloatArray, list[str]]:
    """The matrix of turns, random rotations and reflections applied left to right, and each in words.

    Parameters
    ----------
    text : str
        As "0-1:30,random:17,reflect:2": turns by i-j:degrees, Haar draws from SO(n) with a seed, and changes of
        sign of one coordinate, in any order.
    n_dims : int

    Returns
    -------
    matrix : (n_dims, n_dims) float64
    words : list of str

    Raises
    ------
    InputError
        Naming the operation that does not parse or fit.
    """
    matrix, words = np.eye(n_dims), []
    for part in text.split(","):
        kind, _, number = part.strip().partition(":")
        if kind not in ("random", "reflect"):
            i, j, degrees = _turn(part)
            step, word = plane_rotation(n_dims, i, j, math.radians(degrees)), f"{i}-{j}: {degrees:g}°"
        elif not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) < 2**32):
            raise InputError(f"rotation {part.strip()!r:.60} must read '{kind}:NUMBER', for example '{kind}:1'")
        elif kind == "random":
            step = random_rotation(n_dims, np.random.default_rng(int(number)))
            word = f"random rotation {number}"
        else:
            step, word = reflection(n_dims, int(number)), f"reflect x{number}"
        matrix = step @ matrix
        words.append(word)
    return matrix, words
