"""How are the rounds made fast on a CPU? As Numba kernels, with a hand-written adjoint."""
