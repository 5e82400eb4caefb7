"""What :mod:`physics.simulate` puts around an integrator.

- `defaults`: which integrator; `schedule`: when frames are due, and how many equal steps lead to each.
- `paths`: integrators that choose their own steps; `shared_steps`: one large system by several threads.
- `guards`: what is refused or warned of.
"""
