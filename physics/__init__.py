"""Particle systems in any dimension, simulated: laws, integrators, trajectories, and data sets of them.

`System`, `State`, `Trajectory` (:mod:`physics.types`) and `simulate` (:mod:`physics.simulate`) are what a user
meets first. Imports go downward only, in this order:

- commands: `generate`, `bench`;
- `baselines`: forecasts that know the law; `scenarios`: named systems worth looking at; `lyapunov`;
- `datasets`: presets, generation, reading, file formats;
- `simulate`, and `stepping`: what it puts around an integrator; `observables`: energies, momenta;
- `types`; `integrators`: one file a method; `sums`: compiled sums over pairs;
- `laws`: one file a law; `boundaries`, `fields`: what else acts; `kernels`: arithmetic compiled by Numba.

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
