"""What trains and what validates: one long trajectory by time, horizons instead of frames, uneven times."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.reading import read_split
from physics.errors import InputError
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import elapsed, task_frames, window_frames
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.splits import training_data
from surrogate.tasks.dynamics.windows import windows
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import npz, tiny_arrays


def one_trajectory(frames: int = 60, spacing: float = 0.1, **more: Any) -> dict[str, Any]:
    """Each coordinate says its frame and particle, so that what became of it can be read off."""
    t = spacing * np.arange(frames)
    angle = t[:, None] * np.array([1.0, 1.3, 0.7]) + np.array([0.0, 2.0, 4.0])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]
    v = np.gradient(x, t, axis=1)
    return {"positions": x, "velocities": v, "charges": np.ones((1, 3)), "times": t, **more}


def split_of(path: Path, arrays: dict[str, Any], config: DataConfig) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return training_data(str(npz(path, arrays)), config, path.parent)


def split_of_warning(folder: Path, arrays: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no valid split")
        return training_data(str(npz(folder / "a.npz", arrays)), DataConfig(windows="all", horizon=1.0), folder)


# One long trajectory


@pytest.mark.parametrize("stream", ["never", "always"])
@pytest.mark.parametrize("kind", ["task", "all"])
def test_windows_of_one_trajectory_train_and_validate_a_horizon_apart(
    stream: str, kind: str, tmp_path: Path
) -> None:
    arrays = one_trajectory()
    config = DataConfig(windows=kind, stream=stream, input_frame=0, target_frame=4)
    path = npz(tmp_path / "a.npz", arrays)
    said = r"one trajectory: 4[0-9] windows of 0\.4 train \(frames 0 to 4[0-9]\), 5 validate \(frames 51 to 59\)"
    with pytest.warns(UserWarning, match=said):
        found = training_data(str(path), config, tmp_path)
    x = arrays["positions"][0]
    ends = len(found.train) + 3
    np.testing.assert_array_equal(found.train.positions[:, 0], x[: len(found.train)])
    np.testing.assert_array_equal(found.train.positions[:, 1], x[4 : ends + 1])
    np.testing.assert_array_equal(found.valid.positions[:, 0], x[51:56])
    np.testing.assert_array_equal(found.valid.positions[:, 1], x[55:60])
    assert arrays["times"][51] - arrays["times"][ends] == pytest.approx(0.4)
    assert found.held_out_from == pytest.approx(5.1)
    made = windows(found.train, "train", found.config, Scales(), centre=False, dtype=torch.float64)
    assert (len(made), made.horizon) == (len(found.train), pytest.approx(0.4))


def test_one_trajectory_is_trained_from_files_without_velocities_too(tmp_path: Path) -> None:
    arrays = one_trajectory()
    del arrays["velocities"]
    path = npz(tmp_path / "a.npz", arrays)
    tree = {
        "model": {"name": "egnn", "hidden": 8, "layers": 1},
        "data": {"paths": [str(path)], "horizon": 0.5},
        "train": {"epochs": 2, "batch_size": 8, "validate_every": 1, "threads": 1},
    }
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        train(config_from_tree(tree, "test"), tmp_path / "run", resume=False, device="cpu", command="", quiet=True)
    texts = [str(w.message) for w in said]
    assert any("one trajectory" in text for text in texts)
    model = load(tmp_path / "run")
    assert model.horizon == pytest.approx(0.5)
    assert model.card["frames"] == [[1, 6]]
    assert model.card["held_out_from"][0] > 4.0
    assert any("velocities by backward differences" in note for note in model.card["notes"])


def test_too_short_a_trajectory_is_refused_with_its_windows(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"one sample of 6 frames has 2 windows of 0\.4: too few to train on some"
    ):
        split_of(tmp_path / "a.npz", one_trajectory(6), DataConfig(horizon=0.4))


def test_of_few_trajectories_any_window_is_a_sample_where_all_are_asked_for(tmp_path: Path) -> None:
    arrays = tiny_arrays(4, frames=9)
    with pytest.warns(UserWarning, match="few trajectories.*: 21 train, 7 validate"):
        found = split_of_warning(tmp_path, arrays)
    np.testing.assert_array_equal(found.train.positions[8], arrays["positions"][1, [1, 3]])
    np.testing.assert_array_equal(found.train.charges[8], arrays["charges"][1])
    assert (len(found.train), len(found.valid), found.frames) == (21, 7, (0, 2))


# A horizon instead of frames


def test_a_horizon_finds_its_target(tmp_path: Path) -> None:
    own = read_split(npz(tmp_path / "a.npz", tiny_arrays(frames=9)), "train")
    assert task_frames(own, "train", -1, -1, 2.0) == (0, 4)
    assert task_frames(own, "train", 3, -1, 0.5) == (3, 4)
    with pytest.raises(
        InputError, match=r"no frame is 0\.7 after frame 0 \(t = 0\); frames are at t = 0, 0\.5, 1"
    ):
        task_frames(own, "train", -1, -1, 0.7)
    for horizon, kind in ((1.5, "task"), (1.5, "all")):
        found = window_frames(own, "train", DataConfig(horizon=horizon, windows=kind))
        assert (found.horizon, len(found.starts)) == (1.5, 6 if kind == "all" else 1)
    with pytest.raises(InputError, match=r"data\.horizon and data\.target_frame exclude each other"):
        config_from_tree({"model": {"name": "egnn"}, "data": {"horizon": 0.5, "target_frame": 3}}, "test")
    with pytest.raises(InputError, match=r"data\.horizon must be >= 0"):
        config_from_tree({"model": {"name": "egnn"}, "data": {"horizon": -0.5}}, "test")


def test_velocities_that_look_back_begin_at_frame_one(tmp_path: Path) -> None:
    arrays = tiny_arrays(frames=5)
    del arrays["velocities"]
    with pytest.warns(UserWarning, match="frame 0 has none"):
        own = read_split(npz(tmp_path / "a.npz", arrays), "train")
    assert task_frames(own, "train", -1, -1) == (1, 2)
    assert window_frames(own, "train", DataConfig(windows="all")).inputs.tolist() == [1, 2, 3]
    made = windows(own, "train", DataConfig(windows="all"), Scales(), centre=True)
    assert torch.isfinite(made.v).all()
    assert made.ballistic > 1e-3  # x + v t is not exact, as it would be with velocities that look ahead
    with pytest.raises(InputError, match=r"data\.input_frame = 1 \(--input-frame 1\)"):
        task_frames(own, "train", 0, 1)


# Times


@pytest.mark.parametrize("start", [0.0, 1000.0])
@pytest.mark.parametrize("spacing", [0.1, 0.3, 1e-15])
def test_float32_times_make_all_windows_and_the_horizon_they_mean(
    start: float, spacing: float, tmp_path: Path
) -> None:
    times = (start * spacing + spacing * np.arange(60)).astype(np.float32)
    arrays = tiny_arrays(frames=60, spacing=spacing) | {"times": times}
    own = read_split(npz(tmp_path / "a.npz", arrays), "train")
    found = window_frames(own, "train", DataConfig(windows="all", input_frame=0, target_frame=7))
    assert len(found.starts) == 53
    assert found.horizon == pytest.approx(7 * spacing, rel=1e-5 if start else 1e-9)


def test_exact_times_are_taken_as_they_are() -> None:
    times = 0.1 * np.arange(132)
    assert elapsed(times, 31, 41) == times[41] - times[31]
    uneven = np.array([0.0, 1.0, 3.0], dtype=np.float32).astype(np.float64)
    assert elapsed(uneven, 1, 2) == 2.0


def test_uneven_times_give_the_windows_that_there_are(tmp_path: Path) -> None:
    times = np.array([0.0, 0.1, 0.3, 0.4, 0.45, 0.5, 1.0, 1.1])
    arrays = tiny_arrays(frames=8) | {"times": times}
    own = read_split(npz(tmp_path / "a.npz", arrays), "train")
    config = DataConfig(windows="all", horizon=0.1)
    found = window_frames(own, "train", config)
    pairs = list(zip(found.inputs.tolist(), found.after[found.starts].tolist(), strict=True))
    assert pairs == [(0, 1), (2, 3), (3, 5), (6, 7)]
    with pytest.warns(UserWarning, match=r"uneven times: 4 of 7 frames begin a window, having one 0\.1 later"):
        made = windows(own, "train", config, Scales(), centre=False, dtype=torch.float64)
    x, *_, target, _ = made.pick(torch.arange(3), torch.tensor([3, 6, 0]))
    np.testing.assert_array_equal(x[0], arrays["positions"][0, 3])
    np.testing.assert_array_equal(target[0], arrays["positions"][0, 5])
    np.testing.assert_array_equal(target[1], arrays["positions"][1, 7])
    assert window_frames(own, "train", DataConfig(windows="all", horizon=0.05)).inputs.tolist() == [3, 4]
    with pytest.raises(
        InputError, match=r"no frame is 0\.25 after frame 0 .*frames are at t = 0, 0\.1, 0\.3, \.\.\., "
    ):
        window_frames(own, "train", DataConfig(windows="all", horizon=0.25))
