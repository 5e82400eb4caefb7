"""Charged-particle trajectories in n dimensions: NumPy and Numba only.

Start at :mod:`physics.types` (the shared nouns), then :mod:`physics.simulate`. The modules of this folder are what
a user meets first. Of the folders each knows only those after it: `yardsticks`, `datasets`, `stepping`,
`integrators`, `kernels`; each says in its `__init__` where to go.

This package must not import torch, Qt or VTK. Importing it loads no Numba: `simulate` does, on first use.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from physics.types import State, System, Trajectory

if TYPE_CHECKING:
    from physics.simulate import simulate

__version__ = "0.1.0"
__all__ = ["State", "System", "Trajectory", "__version__", "simulate"]


class _Package(ModuleType):
    """`physics.simulate` is the function, although a submodule has the same name.

    The import system sets a package's attribute to the submodule it has loaded; a property stays the function.
    """

    @property
    def simulate(self) -> Any:
        from physics.simulate import simulate as function

        return function

    @simulate.setter
    def simulate(self, submodule: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
