"""Rounds of two-body steps as Numba kernels, and their adjoint."""
