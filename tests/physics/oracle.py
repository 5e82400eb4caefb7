"""Slow and plain: the laws, the published generator and the Kepler orbit, written from their formulas."""

import math

import numpy as np


def pair_exponent(p, n_dims):
    """p, with "gauss" as the field of a point charge in n dimensions: |F| = 1 / r^(n-1)."""
    return n_dims - 1 if p == "gauss" else p


def coulomb_acceleration(x, q, m, eps, p, kappa):
    n, d = x.shape
    p = pair_exponent(p, d)
    a = np.zeros((n, d))
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            r_ij = x[i] - x[j]
            s = math.sqrt(float(r_ij @ r_ij) + eps**2)
            a[i] += q[i] * q[j] * r_ij / s ** (p + 1) - kappa / n * r_ij
    return a / m[:, None]


def coulomb_energy(x, q, m, eps, p, kappa):
    n, d = x.shape
    p = pair_exponent(p, d)
    total = 0.0
    for i in range(n):
        for j in range(i):
            r2 = float(np.sum((x[i] - x[j]) ** 2))
            s = math.sqrt(r2 + eps**2)
            total += q[i] * q[j] * (-math.log(s) if p == 1 else s ** (1 - p) / (p - 1))
            total += 0.5 * kappa / n * r2
    return total


def reference_acceleration(x, q, m, force_limit, eps=0.0):
    force = coulomb_acceleration(x, q, np.ones(len(x)), eps, 2, 0.0)
    return np.clip(force, -force_limit, force_limit) / m[:, None]


def reference_energy(x, q, m, force_limit, eps=0.0):
    del force_limit  # the energy is that of the unclamped force
    return coulomb_energy(x, q, m, eps, 2, 0.0)


def pair_sum(x, m, coefficient):
    """Accelerations of a pair force coefficient(i, j, r) r_ij."""
    a = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                r_ij = x[i] - x[j]
                a[i] += coefficient(i, j, math.sqrt(float(r_ij @ r_ij))) * r_ij / m[i]
    return a


def pair_energies(x, energy):
    return sum(energy(i, j, math.dist(x[i], x[j])) for i in range(len(x)) for j in range(i))


def gravity_acceleration(x, q, m, eps, G):
    return pair_sum(x, m, lambda i, j, r: -G * m[i] * m[j] / math.hypot(r, eps) ** 3)


def gravity_energy(x, q, m, eps, G):
    return pair_energies(x, lambda i, j, r: -G * m[i] * m[j] / math.hypot(r, eps))


def spring_acceleration(x, q, m, k):
    return pair_sum(x, m, lambda i, j, r: -k / len(x))


def spring_energy(x, q, m, k):
    return pair_energies(x, lambda i, j, r: 0.5 * k / len(x) * r**2)


def yukawa_acceleration(x, q, m, eps, screening):
    def coefficient(i, j, r):
        s = math.hypot(r, eps)
        return q[i] * q[j] * math.exp(-s / screening) * (1 / s**3 + 1 / (screening * s**2))

    return pair_sum(x, m, coefficient)


def yukawa_energy(x, q, m, eps, screening):
    def energy(i, j, r):
        return q[i] * q[j] * math.exp(-math.hypot(r, eps) / screening) / math.hypot(r, eps)

    return pair_energies(x, energy)


def softcore_acceleration(x, q, m, eps):
    return pair_sum(x, m, lambda i, j, r: q[i] * q[j] / (r**2 + eps**2))


def softcore_energy(x, q, m, eps):
    return pair_energies(x, lambda i, j, r: -q[i] * q[j] * math.log(math.hypot(r, eps)))


# One row per law: a law without an oracle makes every parametrised test of it fail.
ACCELERATION = {
    "coulomb": coulomb_acceleration,
    "reference": reference_acceleration,
    "gravity": gravity_acceleration,
    "spring": spring_acceleration,
    "yukawa": yukawa_acceleration,
    "softcore": softcore_acceleration,
}
ENERGY = {
    "coulomb": coulomb_energy,
    "reference": reference_energy,
    "gravity": gravity_energy,
    "spring": spring_energy,
    "yukawa": yukawa_energy,
    "softcore": softcore_energy,
}


def published_start(count):
    """The first `count` initial states (x, v, q) of the published stream, walked from the very beginning."""
    stream = np.random.RandomState(43)
    states = []
    for _ in range(count):
        q = stream.choice([-1, 0, 1], size=(5, 1), p=[1 / 2, 0, 1 / 2])
        x = stream.randn(3, 5)  # times (5/5)^(1/3)
        v = stream.randn(3, 5)
        v = v * 0.5 / np.linalg.norm(v, axis=0)
        stream.randn(49 * 3 * 5)
        stream.randn(49 * 3 * 5)
        states.append((x.T, v.T, q[:, 0].astype(float)))
    return states


def published_path(x, v, q, n_frames):
    """Frames 0.. of the published generator for a batch: x, v (S, 5, 3), q (S, 5)."""
    dt, limit = 0.001, 0.1 / 0.001

    def force(x):
        r_ij = x[:, :, None] - x[:, None]
        r = np.sqrt((r_ij**2).sum(-1)) + np.eye(x.shape[1])
        total = ((q[:, :, None] * q[:, None] / r**3)[..., None] * r_ij).sum(axis=2)
        return np.clip(total, -limit, limit)

    frames = []
    v = v + dt * force(x)
    for i in range(1, 100 * n_frames + 1):
        x = x + dt * v
        if i % 100 == 0:
            frames.append((x, v))
        v = v + dt * force(x)
    return np.stack([f[0] for f in frames], 1), np.stack([f[1] for f in frames], 1)


class Kepler:
    """Two opposite charges on an ellipse from perihelion: positions and velocities at any time, in closed form.

    Relative motion r'' = -mu r / r^3 with mu = |q q'| (1/m + 1/m'); x = a (cos E - e), y = b sin E,
    E - e sin E = sqrt(mu / a^3) t.
    """

    def __init__(self, masses=(1.0, 2.0), a=1.0, e=0.3, n_dims=2, axes=(0, 1)):
        self.masses = np.array(masses)
        self.a, self.e, self.n_dims, self.axes = a, e, n_dims, axes
        self.mu = 1 / masses[0] + 1 / masses[1]
        self.period = 2 * math.pi * math.sqrt(a**3 / self.mu)

    def state(self, t):
        rate = 2 * math.pi / self.period
        E = rate * t
        for _ in range(50):
            E -= (E - self.e * math.sin(E) - rate * t) / (1 - self.e * math.cos(E))
        b = self.a * math.sqrt(1 - self.e**2)
        E_dot = rate / (1 - self.e * math.cos(E))
        r, r_dot = np.zeros(self.n_dims), np.zeros(self.n_dims)
        i, j = self.axes
        r[i], r[j] = self.a * (math.cos(E) - self.e), b * math.sin(E)
        r_dot[i], r_dot[j] = -self.a * math.sin(E) * E_dot, b * math.cos(E) * E_dot
        share = np.array([self.masses[1], -self.masses[0]]) / self.masses.sum()
        return share[:, None] * r, share[:, None] * r_dot
