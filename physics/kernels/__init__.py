"""Arithmetic compiled by Numba, and nothing that knows a `System`.

- `jit`: the one decorator, and the compile cache.
- `vectors`: explicit vectors; `rows` and `tiles`: several of them at once.
- `lane_laws`: each law's pair force on vectors; `lane_sums`, `row_sums`, `large_systems`: the sums over pairs.
- `pairs`: one pair at a time, plain scalars; `precise`: the same to thirty digits; `fields`: what acts on each
  particle by itself.
"""
