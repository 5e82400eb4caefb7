"""Elements of O(n) as the user gives them: pasted, dragged with the mouse, taken apart into plane turns."""

import json
import math
import re

import numpy as np

from physics.errors import InputError
from physics.rotations import plane_rotation
from physics.types import FloatArray

TOLERANCE = 1e-6
"""A pasted matrix may be so far from orthogonal, |R^T R - I| at the worst entry; it is mended then."""

LONGEST = 20_000
"""Characters of a pasted text that are read."""


def off_orthogonal(matrix: FloatArray) -> float:
    """|R^T R - I| at the worst entry."""
    return float(np.abs(matrix.T @ matrix - np.eye(len(matrix))).max())


def parse_matrix(text: str, n_dims: int) -> FloatArray:
    """An orthogonal matrix from a nested list, or from rows of numbers.

    Parameters
    ----------
    text : str
        "[[0, -1], [1, 0]]", or a row a line with blanks, tabs, commas or semicolons between the numbers.
    n_dims : int

    Returns
    -------
    (n_dims, n_dims) float64
        As given, to within TOLERANCE of orthogonal.

    Raises
    ------
    InputError
        One line: what is wrong, where, and what was expected.
    """
    expected = f"expected an orthogonal {n_dims} x {n_dims} matrix with |RᵀR - I| below {TOLERANCE:g}"
    rows = _rows(text.strip()[:LONGEST], expected)
    if len(rows) != n_dims:
        raise InputError(f"pasted matrix: {_count(len(rows), 'row')}; {expected}")
    for k, row in enumerate(rows):
        if len(row) != n_dims:
            raise InputError(f"pasted matrix: row {k + 1} has {_count(len(row), 'number')}; {expected}")
    matrix = np.array(rows)
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(f"pasted matrix: row {i + 1}, column {j + 1} is {matrix[i, j]}; {expected}")
    with np.errstate(over="ignore", invalid="ignore"):
        off = off_orthogonal(matrix)
    if not off < TOLERANCE:
        raise InputError(f"pasted matrix: |RᵀR - I| is {off:.1g}; {expected}")
    return matrix


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rows(text: str, expected: str) -> list[list[float]]:
    if not text:
        raise InputError(f"pasted matrix: the clipboard holds no text; {expected}")
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise InputError(f"pasted matrix: {where or 'it'} is not part of a nested list; {expected}") from None
        rows = found if isinstance(found, list) else [found]
        lines = [row if isinstance(row, list) else [row] for row in rows]
    else:
        lines = [
            re.split(r"[\s,]+", line.strip(" \t\r,")) for line in re.split(r"[\n;]+", text) if line.strip(" ,\t\r")
        ]
    return [[_number(value, i, j, expected) for j, value in enumerate(row)] for i, row in enumerate(lines)]


def _number(value: object, i: int, j: int, expected: str) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        return float(value)
    except (ValueError, OverflowError):
        raise InputError(
            f"pasted matrix: row {i + 1}, column {j + 1}: {value!r:.30} is no number; {expected}"
        ) from None


def plane_turns(matrix: FloatArray) -> tuple[list[tuple[int, int, float]], int | None]:
    """Plane turns (i, j, degrees) and the axis of a reflection that together make up a matrix of O(n).

    Notes
    -----
    Turns of the planes i-j (Givens rotations) bring the matrix to a diagonal of ones, the last entry alone may
    stay -1: the reflection comes first, then the turns taken back in reverse order.
    """
    rest = np.array(matrix, dtype=np.float64)
    n = len(rest)
    turns = []
    for i in range(n - 1):
        for j in range(i + 1, n):
            angle = math.atan2(rest[j, i], rest[i, i])
            if angle != 0.0:
                rest = plane_rotation(n, i, j, -angle) @ rest
                turns.append((i, j, math.degrees(angle)))
    mirrored = n - 1 if rest[-1, -1] < 0 else None
    return turns[::-1], mirrored


def as_option(matrix: FloatArray) -> str:
    """A matrix of O(n) as `--rotate` of `surrogate.compare` takes it; empty for the identity."""
    turns, mirrored = plane_turns(matrix)
    parts = [] if mirrored is None else [f"reflect:{mirrored}"]
    return ",".join(parts + [f"{i}-{j}:{degrees!r}" for i, j, degrees in turns])


def turn_between(start: FloatArray, end: FloatArray, angle: float) -> FloatArray:
    """The rotation in the plane of two directions that turns the first toward the second.

    Parameters
    ----------
    start, end : (n,) float64
        Of any length; the part of `start` along `end` does not count.
    angle : float [radian]

    Returns
    -------
    (n, n) float64
        The identity where the directions span no plane.
    """
    n = len(end)
    size = float(np.linalg.norm(end))
    if not size > 0:
        return np.eye(n)
    b = end / size
    a = start - (start @ b) * b
    length = float(np.linalg.norm(a))
    if not length > 1e-9 * max(float(np.linalg.norm(start)), 1e-300):
        return np.eye(n)
    a = a / length
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(
        np.eye(n) + (c - 1.0) * (np.outer(a, a) + np.outer(b, b)) + s * (np.outer(b, a) - np.outer(a, b))
    )


DEGREES_PER_PIXEL = 0.4


def trackball(
    drag: tuple[float, float], right: FloatArray, up: FloatArray, basis: FloatArray, hidden: int
) -> FloatArray:
    """The rotation of a drag: the direction dragged turns into the hidden axis.

    Parameters
    ----------
    drag : (float, float)
        To the right and up [pixel].
    right, up : (3,) float64
        The screen's directions in the drawn space.
    basis : (n, 3) float64
        View basis V: it carries the dragged direction back into n dimensions.
    hidden : int
        The axis.

    Returns
    -------
    (n, n) float64
        By DEGREES_PER_PIXEL times the length of the drag.
    """
    direction = basis @ (drag[0] * right + drag[1] * up)
    axis = np.zeros(len(basis))
    axis[hidden] = 1.0
    return turn_between(direction, axis, math.radians(DEGREES_PER_PIXEL * math.hypot(*drag)))
