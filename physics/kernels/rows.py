"""Rows: the points of several neighbouring particles, one behind the other as one long point.

Sums over pairs take some particles i together, so that another particle j is loaded and stored once for all of
them. As in :mod:`physics.kernels.vectors`, the Python functions say what the operations mean, and every operation
is one IEEE operation in each lane.
"""

from typing import Any

from numba import types

from physics.kernels.points import minus_scaled, plus_scaled, plus_square, point_difference, scaled
from physics.kernels.vectors import Point, Vector, built_fma, is_point, mul, operation, parts_of, point_of


def _rows(p: Point, n_rows: int) -> list[Point]:
    n_dims = len(p) // n_rows
    return [p[a * n_dims : (a + 1) * n_dims] for a in range(n_rows)]


def squares(p: Point, r: Point, start: Vector) -> Point:
    """|p_a - r|^2 + start for each row p_a of `p`: points one behind the other, as long as `r` each."""
    return tuple(plus_square(point_difference(p_a, r), start) for p_a in _rows(p, len(p) // len(r)))


def plus_each(f: Point, c: Point, p: Point, r: Point) -> Point:
    """f_a + c_a (p_a - r), for each row; one fma a component."""
    rows = zip(_rows(f, len(c)), c, _rows(p, len(c)), strict=True)
    return tuple(x for f_a, c_a, p_a in rows for x in plus_scaled(f_a, c_a, point_difference(p_a, r)))


def minus_all(f: Point, c: Point, p: Point, r: Point) -> Point:
    """The point f - sum over rows of c_a (p_a - r), from the first row on."""
    for c_a, p_a in zip(c, _rows(p, len(c)), strict=True):
        f = minus_scaled(f, c_a, point_difference(p_a, r))
    return f


def scaled_each(f: Point, c: Point) -> Point:
    """c_a f_a for each row."""
    return tuple(x for f_a, c_a in zip(_rows(f, len(c)), c, strict=True) for x in scaled(f_a, c_a))


def inner_pairs(n_rows: int, part: int) -> list[tuple[int, int]]:
    """`n_rows` of the pairs among an odd number of rows, in the order of the sums: (0, 1), (0, 2), .. (1, 2)."""
    pairs = [(a, b) for a in range(n_rows) for b in range(a + 1, n_rows)]
    return pairs[part * n_rows : (part + 1) * n_rows]


def inner_products(k: Point, q: Point, part: int) -> Point:
    """k_a q_b for each of :func:`inner_pairs`."""
    return tuple(mul(k[a], q[b]) for a, b in inner_pairs(len(k), part))


def inner_squares(p: Point, n_rows: int, part: int, start: Vector) -> Point:
    """|p_a - p_b|^2 + start for each of :func:`inner_pairs`."""
    rows = _rows(p, n_rows)
    return tuple(plus_square(point_difference(rows[a], rows[b]), start) for a, b in inner_pairs(n_rows, part))


def inner_forces(f: Point, c: Point, p: Point, part: int) -> Point:
    """Forces f with c (p_a - p_b) added to row a and taken from row b, for each inner pair and its c."""
    forces, rows = _rows(f, len(c)), _rows(p, len(c))
    for (a, b), c_ab in zip(inner_pairs(len(c), part), c, strict=True):
        r = point_difference(rows[a], rows[b])
        forces[a], forces[b] = plus_scaled(forces[a], c_ab, r), minus_scaled(forces[b], c_ab, r)
    return tuple(x for f_a in forces for x in f_a)


def _built_rows(builder: Any, p: Any, n_rows: int) -> list[list[Any]]:
    parts = parts_of(builder, p)
    n_dims = len(parts) // n_rows
    return [parts[a * n_dims : (a + 1) * n_dims] for a in range(n_rows)]


def _built_difference(builder: Any, p: list[Any], r: list[Any]) -> list[Any]:
    return [builder.fsub(x, y) for x, y in zip(p, r, strict=True)]


def _built_square(builder: Any, r: list[Any], start: Any) -> Any:
    for x in r:
        start = built_fma(builder, x, x, start)
    return start


def _built_sum(builder: Any, f: list[Any], c: Any, r: list[Any]) -> list[Any]:
    return [built_fma(builder, c, y, x) for x, y in zip(f, r, strict=True)]


def _squares_type(p: Any, r: Any, start: Any) -> Any:
    if is_point(p) and is_point(r) and r.dtype == p.dtype == start and p.count % r.count == 0:
        return types.UniTuple(start, p.count // r.count)
    return None


@operation(squares, _squares_type)
def _squares(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    p, r, start = values
    rows, r = _built_rows(builder, p, kinds[0].count // kinds[1].count), parts_of(builder, r)
    return point_of(builder, [_built_square(builder, _built_difference(builder, x, r), start) for x in rows])


def _rows_and_point(f: Any, c: Any, p: Any, r: Any) -> bool:
    return all(map(is_point, (f, c, p, r))) and p.count == c.count * r.count


@operation(plus_each, lambda f, c, p, r: f if _rows_and_point(f, c, p, r) and f == p else None)
def _plus_each(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    f, c, p, r = values
    n_rows, r = kinds[1].count, parts_of(builder, r)
    sums = []
    rows = zip(_built_rows(builder, f, n_rows), parts_of(builder, c), _built_rows(builder, p, n_rows), strict=True)
    for f_a, c_a, p_a in rows:
        sums += _built_sum(builder, f_a, c_a, _built_difference(builder, p_a, r))
    return point_of(builder, sums)


@operation(minus_all, lambda f, c, p, r: f if _rows_and_point(f, c, p, r) and f == r else None)
def _minus_all(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    f, c, p, r = values
    f, r = parts_of(builder, f), parts_of(builder, r)
    for c_a, p_a in zip(parts_of(builder, c), _built_rows(builder, p, kinds[1].count), strict=True):
        f = _built_sum(builder, f, builder.fneg(c_a), _built_difference(builder, p_a, r))
    return point_of(builder, f)


@operation(scaled_each, lambda f, c: f if is_point(f) and is_point(c) and f.count % c.count == 0 else None)
def _scaled_each(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    f, c = values
    rows = zip(_built_rows(builder, f, kinds[1].count), parts_of(builder, c), strict=True)
    return point_of(builder, [builder.fmul(x, c_a) for f_a, c_a in rows for x in f_a])


def _inner_products_type(k: Any, q: Any, part: Any) -> Any:
    return k if is_point(k) and k == q and isinstance(part, types.IntegerLiteral) else None


@operation(inner_products, _inner_products_type)
def _inner_products(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    k, q = (parts_of(builder, value) for value in values[:2])
    pairs = inner_pairs(kinds[0].count, kinds[2].literal_value)
    return point_of(builder, [builder.fmul(k[a], q[b]) for a, b in pairs])


def _inner_squares_type(p: Any, n_rows: Any, part: Any, start: Any) -> Any:
    sizes = isinstance(n_rows, types.IntegerLiteral) and isinstance(part, types.IntegerLiteral)
    return types.UniTuple(start, n_rows.literal_value) if sizes and is_point(p) and p.dtype == start else None


@operation(inner_squares, _inner_squares_type)
def _inner_squares(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    n_rows, part = (kind.literal_value for kind in kinds[1:3])
    rows = _built_rows(builder, values[0], n_rows)
    differences = [_built_difference(builder, rows[a], rows[b]) for a, b in inner_pairs(n_rows, part)]
    return point_of(builder, [_built_square(builder, r, values[3]) for r in differences])


def _inner_forces_type(f: Any, c: Any, p: Any, part: Any) -> Any:
    known = is_point(f) and f == p and is_point(c) and isinstance(part, types.IntegerLiteral)
    return f if known and f.count % c.count == 0 else None


@operation(inner_forces, _inner_forces_type)
def _inner_forces(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    n_rows, part = kinds[1].count, kinds[3].literal_value
    f, p = (_built_rows(builder, values[k], n_rows) for k in (0, 2))
    for (a, b), c in zip(inner_pairs(n_rows, part), parts_of(builder, values[1]), strict=True):
        r = _built_difference(builder, p[a], p[b])
        f[a], f[b] = _built_sum(builder, f[a], c, r), _built_sum(builder, f[b], builder.fneg(c), r)
    return point_of(builder, [x for f_a in f for x in f_a])
