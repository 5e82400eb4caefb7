"""Every tolerance of these tests in one table, each with its reason.

Each check that uses one has a sibling that feeds something wrong and asserts that the check fails.
"""

TOLERANCES: dict[str, tuple[float, str]] = {
    "oracle": (1e-12, "same formula, other order of sums: some 20 roundings of 1e-16, relative to the largest"),
    "inverse_cube": (3e-16, "r^-3: three roundings of 1.1e-16 at most, less than half a unit each but the last"),
    "symmetry": (1e-11, "one matrix product before and one after the force; close pairs amplify by their slope"),
    "newton": (1e-13, "pair forces cancel bit by bit; only the sums over particles and masses round"),
    "gradient": (1e-6, "central differences: h^2 U''' / 6 at h = 1e-5 and separations above 0.3"),
    "order": (0.1, "fitted slope over an 8-fold range of steps; the next order bends it by a few hundredths"),
    "reversal": (
        1e-10,
        "50 steps forth and back: round-off times the growth of a regular orbit; rk4 leaves 4e-9",
    ),
    "drift": (
        1.2,
        "largest energy error of the last tenth of 60 orbits over that of the first tenth: 1 if bounded",
    ),
    "orbit": (1e-5, "Kepler, one orbit of leapfrog at 5e-4: second order, measured 2e-6"),
    "conserved": (1e-12, "angular momentum and momentum are exact invariants of these steppers, up to round-off"),
    "synchronised": (100.0, "energy error falls from order dt to dt^2: a factor of some 1/dt = 1000"),
    "published_median": (1e-12, "two float64 orders of summation over 5000 steps; measured 4e-14"),
    "published_most": (1e-6, "close encounters amplify round-off; 38 of 40 stay below"),
    "published_velocity": (1e-4, "velocities of the same paths: close encounters amplify them a hundredfold more"),
    "orthogonal": (1e-13, "QR and products of a few small matrices"),
    "disabled_jit": (1e-13, "the same operations in the same order, by CPython and NumPy scalars"),
    "differences": (1e-12, "np.gradient is exact for parabolas inside and for straight lines at the ends"),
}


def tolerance(name: str) -> float:
    return TOLERANCES[name][0]
