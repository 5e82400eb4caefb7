"""Explicit float32 vectors and register tiles for the kernels of networks, after :mod:`physics.kernels.vectors`.

A vector holds `LANES` features of one row. A tile holds `PANEL` features of `ROWS` rows: as many sums as registers
hold, so that a product with a matrix of weights reads every number once a tile. Every operation is one IEEE
operation in each lane and every fused multiply-add is asked for by name: a row has the same bits whatever rows
stand beside it, on AVX-512, AVX2 and plain x86-64.

The Python functions below are what the operations mean, on NumPy arrays of shape (LANES,) and (ROWS, PANEL); they
run where compilation is switched off (their `fma` rounds twice), and tests hold the compiled ones against them.
Indices count numbers from the start of a one-dimensional float32 array; nothing is checked against its end.
"""

import ctypes
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model
from numpy.typing import NDArray

from physics.kernels.vectors import Typer
from physics.kernels.vectors import filled as filled
from physics.kernels.vectors import operation as operation

FloatArray = NDArray[np.float32]
Vector = FloatArray
Tile = FloatArray

LANES = 16
"""Numbers in a vector: one AVX-512 register."""
ROWS = 5
COLUMNS = 4
PANEL = COLUMNS * LANES
"""ROWS x COLUMNS sums, COLUMNS weights and one number of a row: 25 of 32 registers; a sixth row gains nothing."""

LOG2E = np.float32(1.4426950408889634)
LN2 = np.float32(0.6931471805599453)
ROUNDING = np.float32(12582912.0)
"""1.5 x 2^23: adding it rounds to a whole number, left in the low bits."""
LARGEST = np.float32(87.0)
"""|x| is cut here before exp(-x) is taken: beyond, silu(x) is x, or x times 2e-38."""
EXPONENTIAL = tuple(np.float32(c) for c in (0.0013941119, 0.008375134, 0.04166635, 0.16666415, 0.5, 1.0, 1.0))
"""exp(r) for |r| <= ln(2) / 2, highest power first: Chebyshev interpolation of degree 6, right to 2e-8."""


def at_address(address: int) -> Any:
    """The memory at an address, as a pointer for `numba.carray`."""
    return ctypes.c_void_p(address)


def load(array: FloatArray, index: int) -> Vector:
    """LANES neighbouring numbers from `index` on."""
    return array[index : index + LANES].copy()


def store(array: FloatArray, index: int, x: Vector) -> None:
    """The opposite of :func:`load`."""
    array[index : index + LANES] = x


def broadcast(value: np.float32) -> Vector:
    """The same number in every lane."""
    return np.full(LANES, value, dtype=np.float32)


def add(x: Vector, y: Vector) -> Vector:
    """Sum."""
    return x + y


def multiply(x: Vector, y: Vector) -> Vector:
    """Product."""
    return x * y


def fma(x: Vector, y: Vector, z: Vector) -> Vector:
    """X y + z, rounded once in kernels."""
    return x * y + z


def total(x: Vector) -> np.float32:
    """Sum of the lanes, halves added to halves."""
    while len(x) > 1:
        x = x[: len(x) // 2] + x[len(x) // 2 :]
    return np.float32(x[0])


def silu(x: Vector) -> Vector:
    """Sigmoid-weighted x / (1 + exp(-x)), to 3 units in the last place for |x| < 15, to 6 for |x| < 80."""
    result: Vector = x / _one_plus_exponential(x)
    return result


def sigmoid(x: Vector) -> Vector:
    """1 / (1 + exp(-x)), as right as :func:`silu`; silu and its slope follow from it by products."""
    result: Vector = np.float32(1) / _one_plus_exponential(x)
    return result


def _one_plus_exponential(x: Vector) -> Vector:
    """1 + exp(-x)."""
    z = np.where(-x > LARGEST, LARGEST, -x)
    z = np.where(z < -LARGEST, -LARGEST, z)
    shifted = z * LOG2E + ROUNDING
    whole = shifted - ROUNDING
    r = z - whole * LN2
    power = np.full_like(r, EXPONENTIAL[0])
    for c in EXPONENTIAL[1:]:
        power = power * r + c
    with np.errstate(all="ignore"):
        scaled = (power.view(np.int32) + (shifted.view(np.int32) << 23)).view(np.float32)
        result: Vector = np.float32(1) + scaled
    return result


def load_tile(array: FloatArray, index: int, stride: int) -> Tile:
    """Row r from the PANEL numbers from index + r stride on."""
    return np.stack([array[index + r * stride : index + r * stride + PANEL] for r in range(ROWS)])


def tile_of(array: FloatArray, index: int) -> Tile:
    """PANEL neighbouring numbers from `index` on, the same in every row: what sums start with."""
    return np.repeat(array[None, index : index + PANEL], ROWS, axis=0)


def plus_outer(tile: Tile, x: FloatArray, index: int, stride: int, weights: FloatArray, place: int) -> Tile:
    """Row r gains x[index + r stride] times the PANEL weights from `place` on."""
    return tile + x[index : index + ROWS * stride : stride, None] * weights[place : place + PANEL]


def tile_silu(tile: Tile) -> Tile:
    """:func:`silu` of every number."""
    return silu(tile)


def store_tile(tile: Tile, array: FloatArray, index: int, stride: int) -> None:
    """Row r to the PANEL numbers from index + r stride on."""
    for r in range(ROWS):
        array[index + r * stride : index + r * stride + PANEL] = tile[r]


def add_dots(tile: Tile, weights: FloatArray, place: int, out: FloatArray, index: int) -> None:
    """out[index + r] gains the product of row r with the PANEL weights from `place` on."""
    products = (tile * weights[place : place + PANEL]).reshape(ROWS, COLUMNS, LANES)
    sums = products[:, 0]
    for c in range(1, COLUMNS):
        sums = sums + products[:, c]
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        sums = sums[:, :half] + sums[:, half:]
    out[index : index + ROWS] += sums[:, 0]


class VectorType(types.Type):  # type: ignore[misc]  # Numba has no types
    """The Numba type of LANES float32."""

    def __init__(self) -> None:
        super().__init__(name="SingleVector")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: VectorType) -> None:
        super().__init__(manager, kind, LLVM_VECTOR)


LLVM_VECTOR = ir.VectorType(ir.FloatType(), LANES)
LLVM_BITS = ir.VectorType(ir.IntType(32), LANES)
VECTOR = VectorType()
TILE = types.UniTuple(VECTOR, ROWS * COLUMNS)


def _flat(*arrays: Any) -> bool:
    return all(isinstance(a, types.Array) and a.layout == "C" and a.dtype == types.float32 for a in arrays)


def _whole(*numbers: Any) -> bool:
    return all(isinstance(number, types.Integer) for number in numbers)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


def _vector_at(builder: Any, pointer: Any, offset: int = 0) -> Any:
    if offset:
        pointer = builder.gep(pointer, [ir.Constant(ir.IntType(64), offset)])
    return builder.bitcast(pointer, LLVM_VECTOR.as_pointer())


def _constant(value: float | np.float32) -> Any:
    return ir.Constant(LLVM_VECTOR, [float(value)] * LANES)


def _fused(builder: Any, x: Any, y: Any, z: Any) -> Any:
    form = ir.FunctionType(LLVM_VECTOR, [LLVM_VECTOR] * 3)
    name = f"llvm.fma.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, form, name), [x, y, z])


def _built_one_plus_exponential(builder: Any, x: Any) -> Any:
    z = builder.fneg(x)
    for sign, limit in ((">", _constant(LARGEST)), ("<", _constant(-LARGEST))):
        z = builder.select(builder.fcmp_ordered(sign, z, limit), limit, z)
    shifted = _fused(builder, z, _constant(LOG2E), _constant(ROUNDING))
    whole = builder.fsub(shifted, _constant(ROUNDING))
    r = _fused(builder, whole, _constant(-LN2), z)
    power = _constant(EXPONENTIAL[0])
    for c in EXPONENTIAL[1:]:
        power = _fused(builder, power, r, _constant(c))
    places = ir.Constant(LLVM_BITS, [23] * LANES)
    exponent = builder.shl(builder.bitcast(shifted, LLVM_BITS), places)
    scaled = builder.bitcast(builder.add(builder.bitcast(power, LLVM_BITS), exponent), LLVM_VECTOR)
    return builder.fadd(_constant(1.0), scaled)


def _built_silu(builder: Any, x: Any) -> Any:
    return builder.fdiv(x, _built_one_plus_exponential(builder, x))


def _built_sigmoid(builder: Any, x: Any) -> Any:
    return builder.fdiv(_constant(1.0), _built_one_plus_exponential(builder, x))


def _sum_of_lanes(builder: Any, x: Any) -> Any:
    """Halves added to halves, until one number is left."""
    width = LANES
    while width > 1:
        width //= 2
        low, high = (
            builder.shuffle_vector(
                x, ir.Constant(x.type, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), width), lanes)
            )
            for lanes in (list(range(width)), list(range(width, 2 * width)))
        )
        x = builder.fadd(low, high)
    return builder.extract_element(x, ir.Constant(ir.IntType(32), 0))


def _parts(builder: Any, tile: Any) -> list[Any]:
    return [builder.extract_value(tile, k) for k in range(ROWS * COLUMNS)]


def _tile(builder: Any, parts: list[Any]) -> Any:
    tile = ir.Constant(ir.ArrayType(LLVM_VECTOR, len(parts)), ir.Undefined)
    for k, part in enumerate(parts):
        tile = builder.insert_value(tile, part, k)
    return tile


@operation(at_address, lambda address: types.voidptr if _whole(address) else None)
def _at_address(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return builder.inttoptr(values[0], ir.IntType(8).as_pointer())


@operation(load, lambda array, index: VECTOR if _flat(array) and _whole(index) else None)
def _load(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return builder.load(_vector_at(builder, _pointer(context, builder, kinds[0], *values)), align=4)


@operation(store, lambda array, index, x: types.void if _flat(array) and _whole(index) and x == VECTOR else None)
def _store(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    array, index, x = values
    builder.store(x, _vector_at(builder, _pointer(context, builder, kinds[0], array, index)), align=4)
    return context.get_dummy_value()


@operation(broadcast, lambda value: VECTOR if value == types.float32 else None)
def _broadcast(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return filled(builder, values[0], LANES)


def _elementwise(function: Callable[..., Any], build: Callable[..., Any]) -> None:
    def same(*kinds: Any) -> Any:
        return VECTOR if all(kind == VECTOR for kind in kinds) else None

    # Numba reads the number of arguments off the typer
    typers: dict[int, Typer] = {1: lambda x: same(x), 2: lambda x, y: same(x, y), 3: lambda x, y, z: same(x, y, z)}
    typer = typers[len(signature(function).parameters)]
    operation(function, typer)(lambda _context, builder, _kinds, values: build(builder, *values))


_elementwise(add, lambda builder, x, y: builder.fadd(x, y))
_elementwise(multiply, lambda builder, x, y: builder.fmul(x, y))
_elementwise(fma, _fused)
_elementwise(silu, _built_silu)
_elementwise(sigmoid, _built_sigmoid)


@operation(total, lambda x: types.float32 if x == VECTOR else None)
def _total(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return _sum_of_lanes(builder, values[0])


@operation(load_tile, lambda array, index, stride: TILE if _flat(array) and _whole(index, stride) else None)
def _load_tile(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    array, index, stride = values
    parts = []
    for _ in range(ROWS):
        pointer = _pointer(context, builder, kinds[0], array, index)
        parts += [builder.load(_vector_at(builder, pointer, c * LANES), align=4) for c in range(COLUMNS)]
        index = builder.add(index, stride)
    return _tile(builder, parts)


@operation(tile_of, lambda array, index: TILE if _flat(array) and _whole(index) else None)
def _tile_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    pointer = _pointer(context, builder, kinds[0], *values)
    row = [builder.load(_vector_at(builder, pointer, c * LANES), align=4) for c in range(COLUMNS)]
    return _tile(builder, row * ROWS)


def _outer_type(tile: Any, x: Any, index: Any, stride: Any, weights: Any, place: Any) -> Any:
    return TILE if tile == TILE and _flat(x, weights) and _whole(index, stride, place) else None


@operation(plus_outer, _outer_type)
def _plus_outer(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    tile, x, index, stride, weights, place = values
    pointer = _pointer(context, builder, kinds[4], weights, place)
    columns = [builder.load(_vector_at(builder, pointer, c * LANES), align=4) for c in range(COLUMNS)]
    parts = _parts(builder, tile)
    for r in range(ROWS):
        number = filled(builder, builder.load(_pointer(context, builder, kinds[1], x, index)), LANES)
        for c, column in enumerate(columns):
            parts[r * COLUMNS + c] = _fused(builder, number, column, parts[r * COLUMNS + c])
        index = builder.add(index, stride)
    return _tile(builder, parts)


@operation(tile_silu, lambda tile: TILE if tile == TILE else None)
def _tile_silu(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return _tile(builder, [_built_silu(builder, part) for part in _parts(builder, values[0])])


def _stored_type(tile: Any, array: Any, index: Any, stride: Any) -> Any:
    return types.void if tile == TILE and _flat(array) and _whole(index, stride) else None


@operation(store_tile, _stored_type)
def _store_tile(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    tile, array, index, stride = values
    parts = _parts(builder, tile)
    for r in range(ROWS):
        pointer = _pointer(context, builder, kinds[1], array, index)
        for c in range(COLUMNS):
            builder.store(parts[r * COLUMNS + c], _vector_at(builder, pointer, c * LANES), align=4)
        index = builder.add(index, stride)
    return context.get_dummy_value()


def _dots_type(tile: Any, weights: Any, place: Any, out: Any, index: Any) -> Any:
    return types.void if tile == TILE and _flat(weights, out) and _whole(place, index) else None


@operation(add_dots, _dots_type)
def _add_dots(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    tile, weights, place, out, index = values
    pointer = _pointer(context, builder, kinds[1], weights, place)
    columns = [builder.load(_vector_at(builder, pointer, c * LANES), align=4) for c in range(COLUMNS)]
    parts = _parts(builder, tile)
    for r in range(ROWS):
        products = builder.fmul(parts[r * COLUMNS], columns[0])
        for c in range(1, COLUMNS):
            products = _fused(builder, parts[r * COLUMNS + c], columns[c], products)
        cell = _pointer(context, builder, kinds[3], out, index)
        builder.store(builder.fadd(builder.load(cell), _sum_of_lanes(builder, products)), cell)
        index = builder.add(index, ir.Constant(index.type, 1))
    return context.get_dummy_value()
