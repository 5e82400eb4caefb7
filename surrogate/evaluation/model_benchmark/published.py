"""What was published of each entry on the charged N-body set, and by which recipe."""

from dataclasses import dataclass

PUBLISHED_ON = "nbody-reference"
"""The preset of the data that the numbers are of."""


@dataclass(frozen=True)
class Published:
    """A published number and the training behind it: Adam, batches of 100, 3000 samples.

    Attributes
    ----------
    mse : float [length^2]
    parameters : int
        Of the published implementation.
    lr : float
    epochs : int
        Of 30 steps.
    weight_decay : float
    schedule : str
        "constant", or "one-cycle": a warm-up and a cosine.
    clip : float
        Largest norm of a gradient; 0 is off.
    warmup : float
        Share of the epochs.
    augmentation : str
    source : str
    """

    mse: float
    parameters: int
    lr: float
    epochs: int = 10_000
    weight_decay: float = 1e-12
    schedule: str = "constant"
    clip: float = 0.0
    warmup: float = 0.0
    augmentation: str = "none"
    source: str = "Satorras et al. 2021, table 2"


_SEGNN = "Brandstetter et al. 2022, table 1"
_CGENN_STEPS = 131_072

PUBLISHED: dict[str, Published] = {
    "linear": Published(0.0819, 1, 5e-4),
    "se3-transformer-reference": Published(0.0244, 1_763_134, 5e-3),
    "tfn-reference": Published(0.0155, 127_024, 1e-3),
    "gnn": Published(0.0107, 104_387, 1e-3),
    "radial-field": Published(0.0104, 2_052, 2e-4),
    "egnn": Published(0.0071, 134_020, 5e-4),
    "seconv-linear": Published(0.0116, 88_600, 5e-4, 1000, source=_SEGNN),
    "seconv-nonlinear": Published(0.0060, 81_888, 5e-4, 1000, source=_SEGNN),
    "segnn": Published(0.0043, 147_424, 5e-4, 1000, source=_SEGNN),
    "segno": Published(0.00433, 0, 5e-3, 500, source="Liu et al. 2024"),
    "ponita": Published(
        0.0043,
        1_058_181,
        1e-3,
        10_000,
        1e-10,
        "one-cycle",
        0.5,
        0.001,
        "rotations",
        "Bekkers et al. 2024",
    ),
    "cgenn": Published(
        0.0039,
        134_625,
        4e-3,
        -(-_CGENN_STEPS // 30),
        1e-4,
        "one-cycle",
        warmup=0.03,
        source="Ruhe et al. 2023",
    ),
}
"""By label of an entry; no number on this set is known for the others."""
