"""Arithmetic compiled by Numba, and nothing that knows a law or a `System`.

- `jit`: the one decorator, and the compile cache; `dispatch`: one of several kernels, by a number.
- `vectors`: explicit vectors; `points`, `rows`: several of them at once; `inverse_cube`: r^-3 of vectors.
- `double_double`: numbers of some thirty digits.
- `parameters`: how everything that acts is packed into one array.
"""
