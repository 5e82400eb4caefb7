"""Explicit vectors of float64 for the kernels, where the compiler's own vectoriser cannot be relied on.

A vector holds `width` numbers, one system or particle each; a point is a tuple of vectors, one a space dimension
(:mod:`physics.kernels.points`). In kernels they are LLVM vectors (a Numba type with its data model), so a width
beyond the machine's is split into several registers that run in lockstep. Every operation is one IEEE operation in
each lane and every fused multiply-add is asked for by name: the bits are the same on AVX-512, AVX2 and plain
x86-64, for any width.

The Python functions below are what the operations mean, on NumPy arrays of shape (width,); they run where
compilation is switched off (their `fma` rounds twice), and tests hold the compiled ones against them. Indices
count numbers from the start of a C-contiguous array; nothing is checked against its end.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Vector = FloatArray
Point = tuple[FloatArray, ...]

CACHE_LINE = 64
"""Bytes."""

ROOT_SEED = 0x5FE6EB50C7B537A9
"""Minus half the bits of x, shifted by this, are those of a first guess of 1/sqrt(x), right to 3.5 %."""


def load(array: FloatArray, index: int, width: int) -> Vector:
    """`width` neighbouring numbers from flat `index` on."""
    return array.reshape(-1)[index : index + width].copy()


def store(array: FloatArray, index: int, x: Vector) -> None:
    """The opposite of :func:`load`."""
    array.reshape(-1)[index : index + len(x)] = x


def broadcast(value: float, width: int) -> Vector:
    """The same number in every lane."""
    return np.full(width, value)


def constant(value: float, like: Any) -> Any:
    """The same number in every lane of a vector, or of every vector of a point, as wide as `like`."""
    return tuple(np.full_like(x, value) for x in like) if isinstance(like, tuple) else np.full_like(like, value)


def each(function: Callable[..., Vector]) -> Callable[..., Any]:
    """`function` of vectors, and of points: component by component."""

    @wraps(function)
    def of_either(*arguments: Any) -> Any:
        if isinstance(arguments[0], tuple):
            return tuple(function(*parts) for parts in zip(*arguments, strict=True))
        return function(*arguments)

    return of_either


@each
def add(x: Vector, y: Vector) -> Vector:
    """Sum."""
    return x + y


@each
def sub(x: Vector, y: Vector) -> Vector:
    """Difference."""
    return x - y


@each
def mul(x: Vector, y: Vector) -> Vector:
    """Product."""
    return x * y


@each
def div(x: Vector, y: Vector) -> Vector:
    """Quotient."""
    return x / y


@each
def root(x: Vector) -> Vector:
    """Square root."""
    return np.sqrt(x)


@each
def fma(x: Vector, y: Vector, z: Vector) -> Vector:
    """The sum x y + z, rounded once in kernels."""
    return x * y + z


@each
def fnma(x: Vector, y: Vector, z: Vector) -> Vector:
    """The difference z - x y, rounded once in kernels."""
    return z - x * y


@each
def smaller(x: Vector, y: Vector) -> Vector:
    """The smaller one; x where either is NaN."""
    return np.where(y < x, y, x)


@each
def larger(x: Vector, y: Vector) -> Vector:
    """The larger one; x where either is NaN."""
    return np.where(y > x, y, x)


@each
def root_seed(x: Vector) -> Vector:
    """1 / sqrt(x) to 3.5 %, by integer arithmetic on its bits."""
    return cast("Vector", (np.int64(ROOT_SEED) - (x.view(np.int64) >> 1)).view(np.float64))


def aligned_stack() -> None:
    """Have the kernel keep at cache lines what finds no room in registers: else half of it straddles two."""


class VectorType(types.Type):  # type: ignore[misc]  # Numba has no types
    """The Numba type of a vector of `width` float64."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Vector({width})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: VectorType) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.DoubleType(), kind.width))


# Each operation: from Numba types the type of its result (None: not for these), and the LLVM values that make it.
Typer = Callable[..., Any]
Builder = Callable[..., Any]


def operation(function: Callable[..., Any], typer: Typer) -> Callable[[Builder], Builder]:
    """Teach kernels `function`: `typer` sees the types of its arguments, the decorated builder their values."""

    def decorate(build: Builder) -> Builder:
        type_callable(function)(lambda _context: typer)

        def lower(context: Any, builder: Any, typed: Any, values: Any) -> Any:
            return build(context, builder, typed.args, values)

        lower_builtin(function, types.VarArg(types.Any))(lower)
        return build

    return decorate


def is_point(kind: Any) -> bool:
    """Whether a Numba type is that of a point."""
    return isinstance(kind, types.UniTuple) and isinstance(kind.dtype, VectorType)


def is_flat(array: Any, *numbers: Any) -> bool:
    """Whether Numba types are those of a C-contiguous float64 array and of indices."""
    fits = isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float64
    return fits and all(isinstance(number, types.Integer) for number in numbers)


def address_of(context: Any, builder: Any, kind: Any, array: Any, index: Any, width: int) -> Any:
    """The LLVM pointer to `width` numbers of an array from flat `index` on."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(ir.DoubleType(), width).as_pointer())


@operation(aligned_stack, lambda: types.void)
def _aligned_stack(context: Any, builder: Any, _kinds: Any, _values: Any) -> Any:
    # LLVM aligns a stack as its variables ask, never as spilt registers would: here is a variable that asks,
    # and an empty piece of assembly that seems to use it.
    slot = cgutils.alloca_once(builder, ir.IntType(64))
    slot.align = CACHE_LINE
    used = ir.InlineAsm(ir.FunctionType(ir.VoidType(), [slot.type]), "", "r", side_effect=True)
    builder.call(used, [slot])
    return context.get_dummy_value()


def filled(builder: Any, value: Any, width: int) -> Any:
    """The LLVM vector that holds `value` in every lane."""
    kind = ir.VectorType(value.type, width)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), lanes)


def _llvm(builder: Any, name: str, *values: Any) -> Any:
    """The LLVM intrinsic `name` of some vectors of one type."""
    kind = values[0].type
    form = ir.FunctionType(kind, [kind] * len(values))
    function = cgutils.get_or_insert_function(builder.module, form, f"llvm.{name}.v{kind.count}f64")
    return builder.call(function, values)


def parts_of(builder: Any, p: Any) -> list[Any]:
    """The LLVM vectors of a point."""
    return [builder.extract_value(p, k) for k in range(p.type.count)]


def point_of(builder: Any, parts: list[Any]) -> Any:
    """The opposite of :func:`parts_of`."""
    point = ir.Constant(ir.ArrayType(parts[0].type, len(parts)), ir.Undefined)
    for k, part in enumerate(parts):
        point = builder.insert_value(point, part, k)
    return point


def _loaded(array: Any, index: Any, width: Any) -> Any:
    if is_flat(array, index) and isinstance(width, types.IntegerLiteral):
        return VectorType(width.literal_value)
    return None


@operation(load, _loaded)
def _load(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    address = address_of(context, builder, kinds[0], values[0], values[1], kinds[2].literal_value)
    return builder.load(address, align=8)


def _stored(array: Any, index: Any, x: Any) -> Any:
    return types.void if is_flat(array, index) and isinstance(x, VectorType) else None


@operation(store, _stored)
def _store(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    builder.store(values[2], address_of(context, builder, kinds[0], values[0], values[1], kinds[2].width), align=8)
    return context.get_dummy_value()


def _broadcasted(value: Any, width: Any) -> Any:
    if isinstance(value, types.Float) and isinstance(width, types.IntegerLiteral):
        return VectorType(width.literal_value)
    return None


@operation(broadcast, _broadcasted)
def _broadcast(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    return filled(builder, values[0], kinds[1].literal_value)


def _constant_type(value: Any, like: Any) -> Any:
    return like if isinstance(value, types.Float) and (isinstance(like, VectorType) or is_point(like)) else None


@operation(constant, _constant_type)
def _constant(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    if isinstance(kinds[1], VectorType):
        return filled(builder, values[0], kinds[1].width)
    return point_of(builder, [filled(builder, values[0], kinds[1].dtype.width)] * kinds[1].count)


def _same(*kinds: Any) -> Any:
    known = isinstance(kinds[0], VectorType) or is_point(kinds[0])
    return kinds[0] if known and all(kind == kinds[0] for kind in kinds) else None


# Numba reads the number of arguments off the typer.
_SAME: dict[int, Typer] = {
    1: lambda x: _same(x),
    2: lambda x, y: _same(x, y),
    3: lambda x, y, z: _same(x, y, z),
}


def _elementwise(function: Callable[..., Any], build: Callable[..., Any]) -> None:
    """Teach kernels an operation of vectors or points alone: `build` makes it from the builder and the values."""

    def build_each(_context: Any, builder: Any, kinds: Any, values: Any) -> Any:
        if isinstance(kinds[0], VectorType):
            return build(builder, *values)
        parts = zip(*(parts_of(builder, value) for value in values), strict=True)
        return point_of(builder, [build(builder, *part) for part in parts])

    operation(function, _SAME[len(signature(function).parameters)])(build_each)


_elementwise(add, lambda builder, x, y: builder.fadd(x, y))
_elementwise(sub, lambda builder, x, y: builder.fsub(x, y))
_elementwise(mul, lambda builder, x, y: builder.fmul(x, y))
_elementwise(div, lambda builder, x, y: builder.fdiv(x, y))
_elementwise(root, lambda builder, x: _llvm(builder, "sqrt", x))


def built_fma(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """The LLVM value of x y + z."""
    return _llvm(builder, "fma", x, y, z)


def _fnma(builder: Any, x: Any, y: Any, z: Any) -> Any:
    return _llvm(builder, "fma", builder.fneg(x), y, z)


def built_smaller(builder: Any, x: Any, y: Any) -> Any:
    """The LLVM value of :func:`smaller`."""
    return builder.select(builder.fcmp_ordered("<", y, x), y, x)


def built_larger(builder: Any, x: Any, y: Any) -> Any:
    """The LLVM value of :func:`larger`."""
    return builder.select(builder.fcmp_ordered(">", y, x), y, x)


def _root_seed(builder: Any, x: Any) -> Any:
    bits = ir.VectorType(ir.IntType(64), x.type.count)
    one, seed = (ir.Constant(bits, [value] * x.type.count) for value in (1, ROOT_SEED))
    return builder.bitcast(builder.sub(seed, builder.ashr(builder.bitcast(x, bits), one)), x.type)


for _function, _build in (
    (fma, built_fma),
    (fnma, _fnma),
    (smaller, built_smaller),
    (larger, built_larger),
    (root_seed, _root_seed),
):
    _elementwise(_function, _build)
