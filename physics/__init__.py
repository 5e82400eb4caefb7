"""Charged-particle trajectories in n dimensions: NumPy and Numba only.

Start at :mod:`physics.types` (the shared nouns), then :mod:`physics.simulate`.
This package must not import torch, Qt or VTK.
"""

from physics.simulate import simulate
from physics.types import State, System, Trajectory

__version__ = "0.1.0"
__all__ = ["State", "System", "Trajectory", "__version__", "simulate"]
