"""Energies of stored states, by law."""

from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from surrogate.evaluation.evaluation_set import windows_at
from surrogate.evaluation.rollout_metrics import energies


@pytest.mark.parametrize("law", ["law-gravity", "law-spring", "law-yukawa"])
def test_energies_are_those_of_the_law(law: str, tmp_path: Path) -> None:
    generate(request_from_options(law, {"test": "4"}, 2, 3, None, {"dt": "1e-3"}), tmp_path / "d", workers=1)
    split = read_split(tmp_path / "d", "test")
    windows = windows_at(split, 0)
    start, end = (energies(windows, split.positions[:, k], split.velocities[:, k]) for k in (0, -1))
    np.testing.assert_allclose(end, start, rtol=2e-2)
    wrong = energies(windows, split.positions[:, -1], split.velocities[:, 0])
    assert np.abs(wrong / start - 1).max() > 0.05
