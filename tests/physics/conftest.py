"""Fixtures of the engine's tests; the root goes on the path so that they can share oracle and tolerances."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20210219)


@pytest.fixture(scope="session")
def published() -> dict[str, np.ndarray]:
    """The first 40 trajectories made by the published generator itself."""
    with np.load(ROOT / "tests" / "data" / "reference_seed43_first40.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
