"""Points: as many vectors as there are space dimensions, and what is done with all of them.

As in :mod:`physics.kernels.vectors`, the Python functions say what the operations mean, and every operation is one
IEEE operation in each lane.
"""

from typing import Any

from numba import types

from physics.kernels.vectors import (
    FloatArray,
    Point,
    Vector,
    VectorType,
    address_of,
    built_fma,
    built_larger,
    built_smaller,
    fma,
    fnma,
    is_flat,
    is_point,
    larger,
    load,
    operation,
    parts_of,
    point_of,
    smaller,
    store,
)


def load_point(array: FloatArray, index: int, stride: int, n_dims: int, width: int) -> Point:
    """`n_dims` vectors, each `stride` numbers behind the last."""
    return tuple(load(array, index + k * stride, width) for k in range(n_dims))


def store_point(array: FloatArray, index: int, stride: int, p: Point) -> None:
    """The opposite of :func:`load_point`."""
    for k, x in enumerate(p):
        store(array, index + k * stride, x)


def point_difference(p: Point, r: Point) -> Point:
    """The point p - r."""
    return tuple(x - y for x, y in zip(p, r, strict=True))


def plus_square(p: Point, start: Vector) -> Vector:
    """|p|^2 + start, one fma a dimension, in their order."""
    for x in p:
        start = fma(x, x, start)
    return start


def plus_scaled(p: Point, c: Vector, r: Point) -> Point:
    """The point p + c r, one fma a dimension."""
    return tuple(fma(c, y, x) for x, y in zip(p, r, strict=True))


def minus_scaled(p: Point, c: Vector, r: Point) -> Point:
    """The point p - c r, one fma a dimension."""
    return tuple(fnma(c, y, x) for x, y in zip(p, r, strict=True))


def scaled(p: Point, c: Vector) -> Point:
    """The point c p."""
    return tuple(x * c for x in p)


def limited(p: Point, limit: Vector) -> Point:
    """Every component cut to -limit..limit; NaN stays."""
    return tuple(larger(smaller(x, limit), -limit) for x in p)


def _loaded_point(array: Any, index: Any, stride: Any, n_dims: Any, width: Any) -> Any:
    sizes = isinstance(n_dims, types.IntegerLiteral) and isinstance(width, types.IntegerLiteral)
    if sizes and is_flat(array, index, stride):
        return types.UniTuple(VectorType(width.literal_value), n_dims.literal_value)
    return None


@operation(load_point, _loaded_point)
def _load_point(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    array, index, stride = values[:3]
    parts = []
    for _ in range(kinds[3].literal_value):
        address = address_of(context, builder, kinds[0], array, index, kinds[4].literal_value)
        parts.append(builder.load(address, align=8))
        index = builder.add(index, stride)
    return point_of(builder, parts)


def _stored_point(array: Any, index: Any, stride: Any, p: Any) -> Any:
    return types.void if is_flat(array, index, stride) and is_point(p) else None


@operation(store_point, _stored_point)
def _store_point(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    array, index, stride, p = values
    for part in parts_of(builder, p):
        builder.store(part, address_of(context, builder, kinds[0], array, index, part.type.count), align=8)
        index = builder.add(index, stride)
    return context.get_dummy_value()


def _same_points(p: Any, r: Any) -> Any:
    return p if is_point(p) and p == r else None


@operation(point_difference, _same_points)
def _point_difference(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    pairs = zip(*(parts_of(builder, p) for p in values), strict=True)
    return point_of(builder, [builder.fsub(x, y) for x, y in pairs])


def _point_to_vector(p: Any, start: Any) -> Any:
    return start if is_point(p) and p.dtype == start else None


@operation(plus_square, _point_to_vector)
def _plus_square(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    total = values[1]
    for x in parts_of(builder, values[0]):
        total = built_fma(builder, x, x, total)
    return total


def _point_and_scaled(p: Any, c: Any, r: Any) -> Any:
    return p if is_point(p) and p == r and p.dtype == c else None


@operation(plus_scaled, _point_and_scaled)
def _plus_scaled(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    p, c, r = values
    pairs = zip(parts_of(builder, p), parts_of(builder, r), strict=True)
    return point_of(builder, [built_fma(builder, c, y, x) for x, y in pairs])


@operation(minus_scaled, _point_and_scaled)
def _minus_scaled(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    p, c, r = values
    return _plus_scaled(context, builder, kinds, (p, builder.fneg(c), r))


def _point_and_vector(p: Any, c: Any) -> Any:
    return p if is_point(p) and p.dtype == c else None


@operation(scaled, _point_and_vector)
def _scaled(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return point_of(builder, [builder.fmul(x, values[1]) for x in parts_of(builder, values[0])])


@operation(limited, _point_and_vector)
def _limited(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    limit, low = values[1], builder.fneg(values[1])
    parts = (built_smaller(builder, x, limit) for x in parts_of(builder, values[0]))
    return point_of(builder, [built_larger(builder, x, low) for x in parts])
