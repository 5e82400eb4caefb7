"""The properties of QM9: names, units, atomic references, published errors. The literal registry `TARGETS`."""

from dataclasses import dataclass

ELEMENTS = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
"""Of QM9, by atomic number."""
HARTREE = 27211.4
"""[meV]."""


@dataclass(frozen=True)
class Target:
    """A property that is learned.

    Attributes
    ----------
    column : str
        In the package `qm9pack`.
    unit : str
        Of ours.
    factor : float
        From the package's unit to ours.
    atoms : tuple of float
        What H, C, N, O, F are worth alone, in the package's unit; their sum is taken off. Empty for none.
    published : float
        Mean absolute error of EGNN (Satorras et al. 2021, table 3), in `unit`.
    lr : float
        Published learning rate.
    """

    column: str
    unit: str
    factor: float = 1.0
    atoms: tuple[float, ...] = ()
    published: float = 0.0
    lr: float = 5e-4


TARGETS: dict[str, Target] = {
    "alpha": Target("Polarizability_bohr3", "bohr^3", published=0.071),
    "gap": Target("HOMO_LUMO_gap_au", "meV", HARTREE, published=48, lr=1e-3),
    "homo": Target("HOMO_au", "meV", HARTREE, published=29, lr=1e-3),
    "lumo": Target("LUMO_au", "meV", HARTREE, published=25, lr=1e-3),
    "mu": Target("Dipole_debye", "D", published=0.029),
    "cv": Target(
        "Heatcapacity_Cv_cal_mol_K", "cal/(mol K)", atoms=(2.981, 2.981, 2.981, 2.981, 2.981), published=0.031
    ),
    "g": Target(
        "GibbsFreeEnergy_298K_au",
        "meV",
        HARTREE,
        (-0.510927, -37.861317, -54.598897, -75.079532, -99.733544),
        12,
    ),
    "h": Target(
        "Enthalphy_298K_au", "meV", HARTREE, (-0.497912, -37.844411, -54.581501, -75.062219, -99.716370), 12
    ),
    "r2": Target("R2_bohr2", "bohr^2", published=0.106),
    "u": Target(
        "InternalEnergy_298K_au",
        "meV",
        HARTREE,
        (-0.498857, -37.845355, -54.582445, -75.063163, -99.717314),
        12,
    ),
    "u0": Target(
        "InternalEnergy_0K_au", "meV", HARTREE, (-0.500273, -37.846772, -54.583861, -75.064579, -99.718730), 11
    ),
    "zpve": Target("ZPVE_au", "meV", HARTREE, published=1.55),
}
"""By name, in the order of the published table."""
