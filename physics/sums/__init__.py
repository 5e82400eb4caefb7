"""Sums over pairs of particles, compiled: accelerations, energies and rates of whole systems.

- `accelerations`: of everything that depends on positions, in lanes (one system each); what steppers call.
- `lanes`: the fast sums of one law in open space, with the kick and drift that follow them; `rows`: the same for
  five particles at a time; `large_systems`: one system of very many particles.
- `pairs`: one pair at a time, in any space: energies, virials, periodic boxes; `rates`: how fast things happen.
- `precise`: one system's accelerations to some thirty digits; `fields`: what acts on each particle by itself.
"""
