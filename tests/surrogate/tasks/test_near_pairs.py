"""Models of near pairs and given edges, from data through training to forecasts: boxes and edges come along."""

from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from physics.errors import InputError
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import npz, tiny_arrays

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*unwrapped")
BOX = np.array([2.0, 3.0, 4.0])


def trained(folder: Path, path: Path, **settings: object) -> Forecaster:
    tree = {
        "model": {"name": "egnn", "hidden": 8, "layers": 2, **settings},
        "data": {"paths": [str(path)]},
        "train": {"epochs": 2, "batch_size": 4, "threads": 1, "lr": 0.01},
    }
    train(config_from_tree(tree, "test"), folder, resume=False, device="cpu", command="test")
    return load(folder)


def test_trained_in_a_box_a_model_forecasts_images_alike(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays(particles=6), box=BOX)
    model = trained(tmp_path / "run", path, cutoff=1.2, neighbours=4)
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


def test_a_cut_off_in_the_units_of_the_data_is_that_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = tiny_arrays(particles=6)
    arrays |= {name: 10 * arrays[name] for name in ("positions", "velocities")}
    path = npz(tmp_path / "a.npz", arrays)
    model = trained(tmp_path / "data", path, cutoff=15.0, cutoff_units="data")
    said = capsys.readouterr().err
    run = 15.0 / model.scales.length
    assert model.scales.length > 5
    assert model.card["cutoff"] == pytest.approx({"run": run, "data": 15.0})
    assert f"cut-off: {run:.6g} in the run's units, 15 in the data's units" in said
    other = trained(tmp_path / "run", path, cutoff=run)
    assert other.card["cutoff"] == pytest.approx(model.card["cutoff"])
    state = (arrays["positions"][:, 0], arrays["velocities"][:, 0], arrays["charges"])
    first, second = (m.forecast(*state).positions for m in (model, other))
    np.testing.assert_array_equal(first, second)
    everybody = trained(tmp_path / "all", path)
    assert "cutoff" not in everybody.card
    train_again = config_from_tree(
        {"model": {"name": "egnn", "cutoff_units": "parsec"}, "data": {"paths": [str(path)]}}, "test"
    )
    with pytest.raises(InputError, match="cutoff_units must be run or data; got 'parsec'"):
        train(train_again, tmp_path / "bad", resume=False, device="cpu", command="test", quiet=True)


def test_edges_of_the_data_go_through_training_and_forecasts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    drawn = np.tril(rng.choice([0.0, 1.0], (12, 6, 6)), -1)
    arrays = tiny_arrays(particles=6) | {"edges": drawn + drawn.swapaxes(1, 2)}
    path = npz(tmp_path / "a.npz", arrays)
    for settings in ({}, {"neighbours": 3}):
        model = trained(tmp_path / f"run{len(settings)}", path, edge_attributes=1, **settings)
        assert model.takes[0] == "edges"
        split = read_split(path, "train")
        assert evaluation(model, split, "train")["mse"] > 0
        state = split.positions[:, 0], split.velocities[:, 0], split.charges
        whole = model.forecast(*state, edges=split.edges).positions
        assert np.abs(model.forecast(*state, edges=0 * split.edges).positions - whole).max() > 1e-4
        with pytest.raises(InputError, match="needs edges"):
            model.forecast(*state)
    without = npz(tmp_path / "b.npz", tiny_arrays(particles=6))
    with pytest.raises(InputError, match="no edges, which the model needs"):
        trained(tmp_path / "none", without, edge_attributes=1)
