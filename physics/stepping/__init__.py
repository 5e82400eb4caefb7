"""What :mod:`physics.simulate` puts around an integrator.

- `defaults`: which integrator, which step; `schedule`: when frames are due, and how many equal steps lead to each.
- `batch`: many systems side by side in lanes, in threads; `shared_steps`: one large system by several.
- `paths`: integrators that choose their own steps.
- `guards`: what is refused or warned of.
"""
