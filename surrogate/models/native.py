"""What Python and PyTorch objects hold, asked by compiled code: a few hundred answers in two microseconds.

The functions asked are exported ones: CPython's `PyDict_GetItem` and `PyDict_Size`, libtorch's
`aoti_torch_get_data_ptr` and `at::TensorBase::_version`. Where one is not found (another compiler's names, another
Python), :func:`functions` is None and the same is asked in Python, which takes six times as long.
"""

import ctypes
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
import torch
from llvmlite import ir
from numba import carray, types
from numpy.typing import NDArray
from torch import Tensor

from physics.jit import kernel_options
from physics.tiles import at_address
from physics.vectors import operation

IntArray = NDArray[np.int64]
NAMES = ("PyDict_GetItem", "PyDict_Size", "aoti_torch_get_data_ptr", "_ZNK2at10TensorBase8_versionEv")
HEAD = len(NAMES) + 5
"""What stands before the questions: the functions, four counts, and a word that data pointers are written to."""


@cache
def functions() -> tuple[int, ...] | None:
    """Addresses of NAMES; None where one is missing."""
    if sys.implementation.name != "cpython" or sys.maxsize < 2**32:
        return None
    try:
        library = ctypes.CDLL(torch._C.__file__)  # its dependencies are looked through as well
        found = [getattr(ctypes.pythonapi if name.startswith("Py") else library, name) for name in NAMES]
        return tuple(ctypes.cast(function, ctypes.c_void_p).value or 0 for function in found)
    except (OSError, AttributeError):
        return None


def tensor_cells(tensors: Sequence[Tensor]) -> list[int] | None:
    """Addresses of the C++ tensors inside of Python ones; None where they are not found there.

    Each is one pointer (to the TensorImpl, `_cdata`) behind the head of the Python object, and stays right when
    tensors are swapped.
    """
    word = ctypes.sizeof(ctypes.c_void_p)
    for offset in range(object.__basicsize__, torch._C.TensorBase.__basicsize__, word):
        cells = [id(tensor) + offset for tensor in tensors]
        held = [ctypes.c_void_p.from_address(cell).value for cell in cells]
        if held == [tensor._cdata for tensor in tensors]:
            return cells
    return None


def call(function: int, arguments: tuple[int, ...]) -> int:
    """The word that the C function at an address returns for some words."""
    form = ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(arguments))
    word: int = form(int(function))(*map(int, arguments))
    return word


def _call_type(function: Any, arguments: Any) -> Any:
    words = isinstance(arguments, types.UniTuple) and arguments.dtype == types.int64
    return types.int64 if words and function == types.int64 else None


@operation(call, _call_type)
def _call(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    word = ir.IntType(64)
    arguments = [builder.extract_value(values[1], k) for k in range(kinds[1].count)]
    form = ir.FunctionType(word, [word] * len(arguments))
    return builder.call(builder.inttoptr(values[0], form.as_pointer()), arguments)


def questions(
    slots: Sequence[tuple[dict[str, Any], str, object]],
    empty: Sequence[dict[int, Any]],
    tensors: Sequence[Tensor],
    places: IntArray,
    bits: NDArray[np.uint32],
) -> IntArray | None:
    """What :func:`as_known` is to be asked, by its address; None where it cannot be.

    Parameters
    ----------
    slots : sequence of (dict, key, value)
    empty : sequence of dict
    tensors : sequence of Tensor
        Whose addresses and version counters are to stay as they are.
    places, bits : (numbers,) array
        Addresses and what is there.

    Notes
    -----
    Only addresses are kept: the caller keeps all objects alive.
    """
    found, cells = functions(), tensor_cells(tensors)
    if found is None or cells is None:
        return None
    asked = [*found, len(empty), len(slots), len(cells), len(places), 0, *map(id, empty)]
    for held, name, value in slots:
        asked += [id(held), id(name), id(value)]
    for cell, tensor in zip(cells, tensors, strict=True):
        asked += [cell, tensor.data_ptr(), tensor._version]
    return np.concatenate([np.array(asked, dtype=np.int64), places, bits.astype(np.int64)])


@numba.jit(**(kernel_options | {"nogil": False}))  # type: ignore[untyped-decorator]  # dictionaries need the GIL
def as_known(address: int) -> bool:
    """Whether every answer is the one it was: see :func:`questions`."""
    head = carray(at_address(address), (HEAD,), np.int64)
    get, size, data_ptr, version = head[0], head[1], head[2], head[3]
    n_empty, n_slots, n_tensors, n_places = head[4], head[5], head[6], head[7]
    known = carray(at_address(address), (HEAD + n_empty + 3 * (n_slots + n_tensors) + 2 * n_places,), np.int64)
    written = address + 8 * (HEAD - 1)
    at = HEAD
    for k in range(n_empty):
        if call(size, (known[at + k],)) != 0:
            return False
    at += n_empty
    for k in range(at, at + 3 * n_slots, 3):
        if call(get, (known[k], known[k + 1])) != known[k + 2]:
            return False
    at += 3 * n_slots
    for k in range(at, at + 3 * n_tensors, 3):
        failed = call(data_ptr, (known[k], written)) & 0xFFFFFFFF  # an int32
        if failed != 0 or known[HEAD - 1] != known[k + 1]:
            return False
    for k in range(at, at + 3 * n_tensors, 3):  # only of tensors that are the same: others may have none and throw
        if call(version, (known[k],)) != known[k + 2]:
            return False
    at += 3 * n_tensors
    for k in range(at, at + n_places):
        if carray(at_address(int(known[k])), (1,), np.uint32)[0] != known[k + n_places]:
            return False
    return True
