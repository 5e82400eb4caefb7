"""The shipped example files are what their command writes."""

import re
from pathlib import Path

import numpy as np
import pytest

import resources
from surrogate.studies.example_data import FILES, main
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS
from surrogate.tasks.autoencoder.graph_set import read_graphs
from tests.surrogate.helpers import command

SHIPPED = Path(resources.__file__).parent / "examples"


GRAPHS = {"graphs-sample.npz": "erdos-renyi", "communities-sample.npz": "community-small"}
"""Drawn by `surrogate.graphs --split test --seed 7 --graphs 100`: no published graphs."""


def numbers(text: str) -> np.ndarray:
    return np.array(
        [float(word) for word in re.split(r"[,\s]+", text) if re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", word)]
    )


def test_the_shipped_files_are_made_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Up to the last digit, which the processor's rounding may decide."""
    status, _, err = command(main, capsys, "--out", tmp_path / "new")
    assert status == 0, err
    sampled = {"qm9-sample.npz"}  # of public data: surrogate.molecules --sample
    assert {path.name for path in SHIPPED.iterdir()} == set(FILES) | sampled | set(GRAPHS)
    for name in FILES:
        made, shipped = ((folder / name).read_text() for folder in (tmp_path / "new", SHIPPED))
        assert len(numbers(made)) > 5000
        np.testing.assert_allclose(numbers(made), numbers(shipped), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "preset"), GRAPHS.items())
def test_the_shipped_graphs_are_drawn_by_the_command(name: str, preset: str) -> None:
    made, shipped = GRAPH_PRESETS[preset].part("test", 7, 100), read_graphs(SHIPPED / name)
    assert np.array_equal(made.adjacency, shipped.adjacency)
    assert np.array_equal(made.n_nodes, shipped.n_nodes)
