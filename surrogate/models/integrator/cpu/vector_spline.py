"""The pair law's spline for several pairs at once: vectors as in :mod:`physics.kernels.vectors`.

Numba has no logarithm of a vector and no look-up by one; here they are. The Python functions are what the
operations mean, on NumPy arrays, and run where compilation is switched off.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from physics.kernels.jit import inlined_kernel
from physics.kernels.vectors import (
    Vector,
    VectorType,
    address_of,
    constant,
    div,
    fma,
    fnma,
    is_flat,
    larger,
    load,
    mul,
    operation,
    point_of,
    smaller,
    sub,
)
from physics.types import FloatArray

LANES = 8
HALF_ROOT = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2)."""
LN2 = math.log(2.0)
ODD = tuple(1.0 / (2 * k + 1) for k in range(11))
"""Coefficients of atanh(f) / f by f^2; the next one is below 1e-18 for |f| < 0.1716."""


def binary_parts(x: Vector) -> tuple[Vector, Vector]:
    """Exponent and mantissa: k and m of x = 2^k m with sqrt(1/2) <= m < sqrt(2), for normal positive numbers."""
    bits = x.view(np.int64)
    k = (bits - HALF_ROOT) >> 52
    return k.astype(np.float64), (bits - (k << 52)).view(np.float64)


def four_of_row(array: FloatArray, start: int, first: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    """Four neighbouring numbers for each lane, from flat `start` + `first` on; `first` holds whole numbers."""
    flat, at = array.reshape(-1), start + first.astype(np.int64)
    return flat[at], flat[at + 1], flat[at + 2], flat[at + 3]


def all_positive(x: Vector) -> bool:
    """Whether all are; not where one is no number."""
    return bool((x > 0.0).all())


def whole(x: Vector) -> Vector:
    """The largest whole number not above each."""
    return np.floor(x)


def _two(x: Any) -> Any:
    return types.UniTuple(x, 2) if isinstance(x, VectorType) else None


@operation(binary_parts, _two)
def _binary_parts(_context: Any, builder: Any, _kinds: Any, values: Any) -> Any:
    x = values[0]
    kind = ir.VectorType(ir.IntType(64), x.type.count)
    seed, shift = (ir.Constant(kind, [value] * x.type.count) for value in (HALF_ROOT, 52))
    bits = builder.bitcast(x, kind)
    k = builder.ashr(builder.sub(bits, seed), shift)
    mantissa = builder.bitcast(builder.sub(bits, builder.shl(k, shift)), x.type)
    return point_of(builder, [builder.sitofp(k, x.type), mantissa])


def _four(array: Any, start: Any, first: Any) -> Any:
    return types.UniTuple(first, 4) if is_flat(array, start) and isinstance(first, VectorType) else None


@operation(four_of_row, _four)
def _four_of_row(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    count, word = kinds[2].width, ir.IntType(32)
    at = builder.fptosi(values[2], ir.VectorType(ir.IntType(64), count))
    rows = []
    for lane in range(count):
        index = builder.add(values[1], builder.extract_element(at, word(lane)))
        rows.append(builder.load(address_of(context, builder, kinds[0], values[0], index, 4), align=8))

    def joined(x: Any, y: Any, lanes: Sequence[int]) -> Any:
        return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(word, len(lanes)), list(lanes)))

    halves = []  # of LANES rows: neighbours side by side, then columns out of both halves
    for a in (0, 4):
        even, odd = (joined(rows[a + k], rows[a + k + 2], range(8)) for k in (0, 1))
        halves.append([joined(even, odd, [k, k + 8, k + 2, k + 10, k + 4, k + 12, k + 6, k + 14]) for k in (0, 1)])
    made = []
    for column in range(4):
        at_0 = column // 2 * 2
        lanes = [at_0, at_0 + 1, at_0 + 4, at_0 + 5]
        made.append(joined(halves[0][column % 2], halves[1][column % 2], lanes + [lane + 8 for lane in lanes]))
    return point_of(builder, made)


@operation(all_positive, lambda x: types.boolean if isinstance(x, VectorType) else None)
def _all_positive(_context: Any, builder: Any, _kinds: Any, values: Any) -> Any:
    x = values[0]
    bits = ir.IntType(x.type.count)
    found = builder.fcmp_ordered(">", x, ir.Constant(x.type, [0.0] * x.type.count))
    return builder.icmp_unsigned("==", builder.bitcast(found, bits), ir.Constant(bits, 2**x.type.count - 1))


@operation(whole, lambda x: x if isinstance(x, VectorType) else None)
def _whole(_context: Any, builder: Any, _kinds: Any, values: Any) -> Any:
    x = values[0]
    form = ir.FunctionType(x.type, [x.type])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, form, f"llvm.floor.v{x.type.count}f64"), [x]
    )


@inlined_kernel
def place_of(r2: Vector, s2: float, u0: float, per_knot: float) -> Vector:
    """The place of squared distances on a grid of u, in its steps."""
    k, m = binary_parts(fma(r2, constant(1.0, r2), constant(s2, r2)))
    f = div(sub(m, constant(1.0, m)), fma(m, constant(1.0, m), constant(1.0, m)))
    square = mul(f, f)
    series = constant(ODD[10], f)
    for odd in (ODD[9], ODD[8], ODD[7], ODD[6], ODD[5], ODD[4], ODD[3], ODD[2], ODD[1], ODD[0]):
        series = fma(series, square, constant(odd, f))
    u = fma(k, constant(0.5 * LN2, k), mul(f, series))
    place: Vector = mul(sub(u, constant(u0, u)), constant(per_knot, u))
    return place


@inlined_kernel
def knot_of(r2: Vector, s2: float, u0: float, per_knot: float, last: float) -> Vector:
    """The place of squared distances in the table, in knots: 0 to below last + 1."""
    place = place_of(r2, s2, u0, per_knot)
    place = larger(constant(0.0, place), place)  # a place that is no number becomes 0
    found: Vector = smaller(place, constant(last + 0.999999, place))
    return found


@inlined_kernel
def rough_laws(
    r2: Vector, table: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray, at: int
) -> Vector:
    """L of several pairs to some percent: see `rough_law`; factors (C, pairs) from column `at` on."""
    size, pairs = table.shape[1], factors.shape[1]
    first = whole(knot_of(r2, s2, u0, per_knot, size - 4.0))
    value: Vector = constant(0.0, r2)
    for c in range(table.shape[0]):
        four = four_of_row(table, c * size, first)
        value = fma(load(factors, c * pairs + at, LANES), four[1], value)
    return value


@inlined_kernel
def laws(
    r2: Vector, table: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray, at: int
) -> tuple[Vector, Vector, Vector]:
    """L, L', L'' of several pairs: see `law_derivatives`; factors (C, pairs) from column `at` on."""
    size, pairs = table.shape[1], factors.shape[1]
    place = knot_of(r2, s2, u0, per_knot, size - 4.0)
    first = whole(place)
    t = sub(place, first)
    one, zero = constant(1.0, t), constant(0.0, t)
    s = sub(one, t)
    a0, a3 = mul(mul(s, s), s), mul(mul(t, t), t)
    a1 = fma(constant(3.0, t), a3, fnma(constant(6.0, t), mul(t, t), constant(4.0, t)))
    a2 = fma(constant(3.0, t), a0, fnma(constant(6.0, t), mul(s, s), constant(4.0, t)))
    b0, b3 = mul(constant(-0.5, t), mul(s, s)), mul(constant(0.5, t), mul(t, t))
    b1 = mul(t, fma(constant(1.5, t), t, constant(-2.0, t)))
    b2 = mul(s, fnma(constant(1.5, t), s, constant(2.0, t)))
    c1, c2 = fma(constant(3.0, t), t, constant(-2.0, t)), fma(constant(3.0, t), s, constant(-2.0, t))
    law, by_u, by_uu = zero, zero, zero
    for c in range(table.shape[0]):
        t0, t1, t2, t3 = four_of_row(table, c * size, first)
        f = load(factors, c * pairs + at, LANES)
        law = fma(f, fma(a0, t0, fma(a1, t1, fma(a2, t2, mul(a3, t3)))), law)
        by_u = fma(f, fma(b0, t0, fma(b1, t1, fma(b2, t2, mul(b3, t3)))), by_u)
        by_uu = fma(f, fma(s, t0, fma(c1, t1, fma(c2, t2, mul(t, t3)))), by_uu)
    # beyond the table's end the law is constant: its place is cut to just that number there
    beyond = smaller(one, mul(sub(constant(size - 4.0 + 0.999999, t), place), constant(1e300, t)))
    by_u = mul(by_u, mul(beyond, constant(per_knot, t)))
    by_uu = mul(by_uu, mul(beyond, constant(per_knot * per_knot, t)))
    inverse = div(one, fma(r2, one, constant(s2, t)))
    by1 = mul(by_u, inverse)
    by2 = mul(fma(constant(-2.0, t), by_u, by_uu), mul(inverse, inverse))
    return mul(law, constant(1.0 / 6.0, t)), by1, by2
