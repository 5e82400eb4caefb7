"""One large system: every particle against all others, the particles side by side in a vector.

A group of receivers i sits in the lanes and every sender j comes to all of them. Each pair is looked at from both
ends: that is twice the work of :mod:`physics.sums.lanes`, but no two groups write to the same place, so any
number of threads may divide them. A receiver's force is summed over tiles of senders, in an order that depends on
nothing but the number of particles: not the order of the lane kernels, so last bits differ from theirs.
"""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, term_of
from physics.kernels.vectors import add, broadcast, fma, larger, load, mul, smaller, store, sub
from physics.laws import pair_coefficients

FloatArray = NDArray[np.float64]

LARGE = 256
"""A single system of at least this many particles is summed here."""
RECEIVERS = 64
"""Particles in the lanes of a group: eight AVX-512 registers in lockstep."""
SENDERS = 32
"""Senders of a tile: its squared distances stay in the nearest cache."""


@kernel
def receiver_accelerations(x: FloatArray, forces: Forces, a: FloatArray, first: int, last: int) -> None:
    """Acceleration of the particles first..last-1 of one system by all of it, written into `a`.

    Parameters
    ----------
    x, a : (n_particles, n_dims, 1) float64 [length], [length/time^2]
    forces : Forces
        Of one system: one lane.
    first : int
        A multiple of RECEIVERS.
    """
    n, d = x.shape[0], x.shape[1]
    padded = n + (-n) % RECEIVERS
    m, law = forces.masses, term_of(forces.parameters, d, n, 0)
    couples = m if law.by_mass else forces.charges
    scale, limit = law.constants.scale, law.constants.limit
    eps2, pull = law.constants.softening * law.constants.softening, law.pull
    coupling = np.zeros(padded)
    at = np.zeros((d, padded))
    for j in range(n):
        coupling[j] = couples[j, 0]
        for k in range(d):
            at[k, j] = x[j, k, 0]
    itself = np.zeros(RECEIVERS)
    force = np.empty((d, RECEIVERS))
    c = np.ones(SENDERS * RECEIVERS + RECEIVERS)
    for i in range(first, last, RECEIVERS):
        k_i = mul(broadcast(scale, 64), load(coupling, i, 64))
        force[:] = 0.0
        for tile in range(0, n, SENDERS):
            senders = min(SENDERS, n - tile)
            for t in range(senders):
                j = tile + t
                r2 = broadcast(eps2, 64)
                for k in range(d):
                    r = sub(load(at, k * padded + i, 64), broadcast(at[k, j], 64))
                    r2 = fma(r, r, r2)
                if i <= j < i + RECEIVERS:  # at no distance from itself: any other will do
                    itself[j - i] = 1.0
                    r2 = add(r2, load(itself, 0, 64))
                    itself[j - i] = 0.0
                store(c, t * RECEIVERS, r2)
            pair_coefficients(law.form, law.constants, c, senders * RECEIVERS)
            for t in range(senders):
                k_ij = mul(k_i, broadcast(coupling[tile + t], 64))
                c_ij = fma(k_ij, load(c, t * RECEIVERS, 64), broadcast(-pull, 64))
                store(c, t * RECEIVERS, c_ij)
            for k in range(d):
                x_i, part = load(at, k * padded + i, 64), broadcast(0.0, 64)
                for t in range(senders):
                    r = sub(x_i, broadcast(at[k, tile + t], 64))
                    part = fma(load(c, t * RECEIVERS, 64), r, part)
                store(force, k * RECEIVERS, add(load(force, k * RECEIVERS, 64), part))
        for k in range(d):
            if limit < np.inf:
                cut = smaller(load(force, k * RECEIVERS, 64), broadcast(limit, 64))
                store(force, k * RECEIVERS, larger(cut, broadcast(-limit, 64)))
            for t in range(min(RECEIVERS, last - i)):
                a[i + t, k, 0] = force[k, t] * (1.0 / m[i + t, 0])
