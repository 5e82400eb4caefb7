"""Finished runs made into a shipped model: the best seed, every seed's numbers, a card for people."""

from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.publish import main
from tests.surrogate.helpers import command, npz, refused, tiny_arrays, tree
from tests.surrogate.tiny_runs import config, run

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("surrogate.evaluation.model_card.ZOO", tmp_path / "zoo")
    monkeypatch.setattr("surrogate.evaluation.single_forecasts.FORWARD_REPEATS", 2)
    npz(tmp_path / "data.npz", tiny_arrays(frames=4, spacing=1.0))
    for seed in range(2):
        run(config(seed=seed), f"run-{seed}")
    return tmp_path


def test_the_best_seed_ships_with_the_numbers_of_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(main, capsys, "tiny", "run-0", "run-1", "--data", "data.npz", "--rollouts")
    assert status == 0, err
    model, seeds = load(folder / "zoo" / "tiny"), [load(f"run-{seed}") for seed in range(2)]
    valid = [seed.card["valid_mse_positions"] for seed in seeds]
    card, best = model.card, int(np.argmin(valid))
    assert (card["name"], card["seeds"], card["shipped_seed"]) == ("tiny", [0, 1], best)
    assert card["valid_mse_per_seed"] == valid
    split = read_split("data.npz", "test")
    (row,) = card["results"]
    errors = [evaluation(seed, split, "test")["mse"] for seed in seeds]
    assert row["mse_per_seed"] == pytest.approx(errors, rel=1e-6)
    assert row["mse"] == pytest.approx(np.mean(errors), rel=1e-6)
    assert row["mse_spread_over_seeds"] == pytest.approx(np.std(errors, ddof=1), rel=1e-6)
    assert row["rollout"]["horizons"] == 3
    assert evaluation(model, split, "test")["mse"] == errors[best]
    text = (folder / "zoo/tiny/README.md").read_text(encoding="utf-8")
    assert text in out
    assert f"shipped: {best} (best validation MSE)" in text
    assert "python -m surrogate.publish tiny run-0 run-1" in text


def test_what_is_no_finished_run_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(folder)
    for runs, data, said in (
        (["none"], "data.npz", "none"),
        (["run-0"], "none.npz", "none.npz: no such data set"),
    ):
        status, out, err = command(main, capsys, "tiny", *runs, "--data", data)
        assert said in refused(status, err)
        assert out == ""
    assert tree(folder) == before
