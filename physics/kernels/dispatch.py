"""One of several kernels with the same arguments, chosen by a number when it runs.

Numba's disk cache keys a kernel by what its closure holds, and a compiled function in a closure is another one in
every process: such a kernel would be compiled again at every start. Here the choice is taught to the compiler
instead (`numba.extending.overload`), so that it becomes part of the kernels that make it.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import overload

from physics.kernels.jit import kernel_options


def choice(functions: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """A function for kernels: `choice(functions)(which, *arguments)` is `functions[which](*arguments)`."""

    def chosen(which: int, *arguments: Any) -> Any:
        return functions[which](*arguments)

    first = functions[0]
    others = choice(functions[1:]) if len(functions) > 1 else None

    @overload(chosen, jit_options={"error_model": kernel_options["error_model"], "forceinline": True})  # type: ignore[untyped-decorator]
    def _typed(which: int, *arguments: Any) -> Callable[..., Any]:
        def only(which: int, *arguments: Any) -> Any:
            return first(*arguments)

        def either(which: int, *arguments: Any) -> Any:
            if which == 0:
                return first(*arguments)
            return others(which - 1, *arguments)  # type: ignore[misc]  # there are others

        return either if others else only

    return chosen
