"""Models of near pairs, from periodic data through training to forecasts: boxes come along."""

from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import npz, tiny_arrays

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*unwrapped")
BOX = np.array([2.0, 3.0, 4.0])


def test_trained_in_a_box_a_model_forecasts_images_alike(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays(particles=6), box=BOX)
    tree = {
        "model": {"name": "egnn", "hidden": 8, "layers": 2, "cutoff": 1.2, "neighbours": 4},
        "data": {"paths": [str(path)]},
        "train": {"epochs": 2, "batch_size": 4, "threads": 1, "lr": 0.01},
    }
    train(config_from_tree(tree, "test"), tmp_path / "run", resume=False, device="cpu", command="test", quiet=True)
    model = load(tmp_path / "run")
    assert model.takes == ("box",)
    split = read_split(path, "train")
    x, v = split.positions[:, 0], split.velocities[:, 0]
    moved = x.copy()
    moved[:, 2] += BOX * [1, 0, -2]
    forecast, again = (model.forecast(p, v, split.charges, box=BOX).positions for p in (x, moved))
    np.testing.assert_allclose(again - moved, forecast - x, atol=1e-5)
    opened = model.forecast(x, v, split.charges).positions
    assert np.abs(opened - forecast).max() > 1e-6
    assert evaluation(model, split, "train")["mse"] > 0
    assert model.scales.length != 1.0  # boxes are in the units of the data, the network's in those of the run
