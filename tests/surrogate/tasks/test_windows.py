"""From data sets to windows and batches: frames, hold-out, mixing, own units."""

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from surrogate.tasks.base import Setting
from surrogate.tasks.dynamics.batches import batches
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import task_frames
from surrogate.tasks.dynamics.scales import Scales, fitted_scales
from surrogate.tasks.dynamics.splits import training_splits
from surrogate.tasks.dynamics.streamed import is_streamed
from surrogate.tasks.dynamics.task import Dynamics
from surrogate.tasks.dynamics.windows import Windows, training_range, windows
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import npz, tiny_arrays, tiny_model

TASK, ALL = DataConfig(), DataConfig(windows="all")


def made(
    path: Path, config: DataConfig = TASK, name: str = "train", centre: bool = True, **arrays: Any
) -> Windows:
    return windows(read_split(npz(path, tiny_arrays(**arrays)), name), name, config, Scales(), centre=centre)


@pytest.fixture(scope="module")
def zarr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "iso.zarr"
    request = request_from_options(
        "charged-iso", {"train": "6", "valid": "3", "test": "4"}, 2, 3, 1, {"dt": "0.01"}
    )
    generate(request, path, workers=1)
    return path


# Frames


def test_task_frames_of_presets_and_of_own_data(zarr: Path, tmp_path: Path) -> None:
    assert task_frames(read_split(zarr, "train"), "train", -1, -1) == (31, 41)
    assert task_frames(read_split(zarr, "train"), "train", 0, -1) == (0, 41)
    own = read_split(npz(tmp_path / "own.npz"), "train")
    assert task_frames(own, "train", -1, -1) == (0, 1)
    assert task_frames(own, "train", 1, 3) == (1, 3)
    large = replace(own, recipe={"preset": "nbody-reference-large"}, times=np.arange(49.0))
    assert task_frames(large, "train", -1, -1) == (6, 8)
    assert task_frames(large, "test", -1, -1) == (30, 40)
    for strange in ([], {"a": 1}, 3, None):
        assert task_frames(replace(own, recipe={"preset": strange}), "train", -1, -1) == (0, 1)
        assert fitted_scales([replace(own, recipe={"preset": strange})], [np.array([0])], 0.5).time == 0.5


@pytest.mark.parametrize(("first", "last"), [(0, 4), (3, 3), (3, 2), (4, 5), (3, -1), (10**9, 10**9 + 1)])
def test_frames_out_of_range_are_refused(first: int, last: int, tmp_path: Path) -> None:
    own = read_split(npz(tmp_path / "own.npz"), "train")
    with pytest.raises(InputError, match=r"window \d+ -> \d+ does not fit frames 0 to 3, input first"):
        task_frames(own, "train", first, last)


# Windows


def test_the_task_window_is_the_named_pair_of_frames(tmp_path: Path) -> None:
    arrays = {**tiny_arrays(), "masses": np.random.default_rng(4).uniform(0.5, 2.0, (12, 3))}
    split = read_split(npz(tmp_path / "a.npz", arrays), "train")
    found = windows(split, "train", DataConfig(input_frame=1, target_frame=3), Scales(), centre=False)
    everything = torch.arange(12)
    x, v, q, m, x_target, v_target = found.pick(everything, torch.full((12,), int(found.starts[0])))
    for tensor, expected in (
        (x, arrays["positions"][:, 1]),
        (v, arrays["velocities"][:, 1]),
        (q, arrays["charges"]),
        (m, arrays["masses"]),
        (x_target, arrays["positions"][:, 3]),
        (v_target, arrays["velocities"][:, 3]),
    ):
        np.testing.assert_array_equal(tensor.numpy(), expected.astype(np.float32))
    assert (len(found), found.horizon, found.n_dims) == (12, 1.0, 3)
    ballistic = arrays["positions"][:, 1] + arrays["velocities"][:, 1] - arrays["positions"][:, 3]
    assert found.ballistic == pytest.approx((ballistic**2).mean())


def test_all_windows_start_anywhere(tmp_path: Path) -> None:
    found = made(tmp_path / "a.npz", replace(ALL, input_frame=0, target_frame=2), frames=6)
    assert found.starts.tolist() == [0, 1, 2, 3]
    assert found.after[found.starts].tolist() == [2, 3, 4, 5]
    assert found.horizon == 1.0
    seen = {int(s) for epoch in range(20) for s in np.random.default_rng([0, epoch]).choice(found.starts, 3)}
    assert seen == {0, 1, 2, 3}
    picked = found.pick(torch.tensor([5, 7]), torch.tensor([3, 0]))
    x_target = picked[4]
    assert torch.equal(x_target[0], found.x[5, 5])
    assert torch.equal(x_target[1], found.x[7, 2])


def test_frames_between_come_with_the_window(tmp_path: Path) -> None:
    split = read_split(npz(tmp_path / "a.npz", tiny_arrays(frames=8)), "train")
    ask, thirds = partial(windows, scales=Scales(), centre=False), (1 / 3, 2 / 3, 1.0)
    one = ask(split, "train", DataConfig(input_frame=1, target_frame=7), fractions=thirds)
    samples, x = torch.tensor([4, 0]), torch.as_tensor(split.positions, dtype=torch.float32)
    between = one.positions_between(samples, torch.tensor([0, 0]))
    assert torch.equal(between, torch.stack([x[[4, 0], 3], x[[4, 0], 5]], dim=1))
    assert torch.equal(one.pick(samples, torch.tensor([0, 0]))[4], x[[4, 0], 7])
    every = ask(split, "train", DataConfig(input_frame=0, target_frame=3, windows="all"), fractions=thirds)
    assert torch.equal(every.positions_between(samples, torch.tensor([2, 4]))[:, 1], x[[4, 0], [4, 6]])
    (batch, *_) = batches([one], 5, 0, 0, "mse")
    assert batch.x_between is not None
    assert batch.x_between.shape == (5, 2, 3, 3)
    assert windows(split, "train", DataConfig(), Scales(), centre=False).between is None


def test_where_frames_between_are_missing_the_end_alone_trains_and_that_is_said(tmp_path: Path) -> None:
    split = read_split(npz(tmp_path / "a.npz", tiny_arrays(frames=8)), "train")
    with pytest.warns(UserWarning, match=r"no frames at every 0.5 of the horizon; its end alone trains"):
        found = windows(split, "train", DataConfig(target_frame=3), Scales(), centre=False, fractions=(0.5, 1.0))
    assert found.between is None


@pytest.mark.filterwarnings("ignore:.*no valid split")
def test_a_trajectory_trains_on_all_its_frames(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", tiny_arrays(samples=30, frames=4))
    tree = {
        "model": {"name": "egno", "hidden": 8, "layers": 1, "points": 3},
        "data": {"paths": [str(tmp_path / "a.npz")], "target_frame": 3},
        "train": {"batch_size": 9, "epochs": 1},
    }
    config = config_from_tree(tree, "test")
    model = tiny_model("egno", layers=1).float()
    setting = Setting("egno", 9, torch.float32, "cpu", 1, tmp_path)
    task = Dynamics(config.data, config.task_config, model, setting)
    (batch, *_) = task.batches(0, 0)
    whole = model.trajectory(batch.x, batch.v, batch.q)
    assert batch.x_between is not None
    targets = torch.cat([batch.x_between.transpose(0, 1), batch.x_target[None]])
    loss = task.loss(model, batch, task.stages(model, 1)[0])
    assert float(loss.detach()) == pytest.approx(float((whole - targets).square().mean().detach()), rel=1e-5)
    assert "times between" in task.no_device_batches()
    train(config, tmp_path / "run", resume=False, device="cpu", command="", quiet=True)


def test_fewer_samples_on_request(tmp_path: Path) -> None:
    config = DataConfig(train_samples=5, valid_samples=2)
    assert len(made(tmp_path / "a.npz", config)) == 5
    assert len(made(tmp_path / "a.npz", config, "valid")) == 2


def test_centring_happens_before_the_cast(tmp_path: Path) -> None:
    near = made(tmp_path / "near.npz")
    arrays = tiny_arrays()
    arrays["positions"] = arrays["positions"] + 1e7
    split = read_split(npz(tmp_path / "far.npz", arrays), "train")
    far = windows(split, "train", TASK, Scales(), centre=True)
    torch.testing.assert_close(far.x, near.x, rtol=0, atol=1e-6)
    raw = windows(split, "train", TASK, Scales(), centre=False)
    assert float((raw.x - raw.x.mean(dim=(1, 2), keepdim=True) - near.x).abs().max()) > 0.01


# Splits


def test_a_zarr_brings_its_own_valid_split(zarr: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_split, valid = training_splits(str(zarr))
    assert (len(train_split), len(valid)) == (6, 3)
    assert fitted_scales([train_split], [np.array([31])], 1.0) == Scales()


@pytest.mark.parametrize(("samples", "held"), [(2, 1), (9, 1), (20, 2), (39, 3)])
def test_without_a_valid_split_the_last_tenth_validates_and_that_is_said(
    samples: int, held: int, tmp_path: Path
) -> None:
    path = npz(tmp_path / "own.npz", tiny_arrays(samples))
    with pytest.warns(UserWarning, match=f"no valid split, so the last {held} of {samples} samples validate"):
        train_split, valid = training_splits(str(path))
    whole = tiny_arrays(samples)["positions"]
    np.testing.assert_array_equal(np.concatenate([train_split.positions, valid.positions]), whole)
    assert len(valid) == held


def test_the_training_range_names_laws_once(zarr: Path) -> None:
    split = read_split(zarr, "train")
    found = training_range({str(zarr): split, "other/x.zarr": replace(split, source="x")})
    assert (found["dims"], found["particles"], found["data"]) == ([2], [3], ["iso.zarr", "x.zarr"])
    assert [law["preset"] for law in found["laws"]] == ["charged-iso"]


# Batches


def test_batches_depend_on_seed_and_epoch_only(tmp_path: Path) -> None:
    found = made(tmp_path / "a.npz", replace(ALL, input_frame=0, target_frame=1))

    def epoch(seed: int, number: int) -> torch.Tensor:
        return torch.cat([batch.x for batch in batches([found], 4, seed, number, "mse")])

    first = epoch(0, 1)
    np.random.default_rng(0).random(100)
    torch.manual_seed(99)
    assert torch.equal(epoch(0, 1), first)
    assert not torch.equal(epoch(0, 2), first)
    assert not torch.equal(epoch(1, 1), first)


def test_an_epoch_sees_every_sample_once_and_drops_the_short_batch(tmp_path: Path) -> None:
    found = made(tmp_path / "a.npz", samples=10)
    sizes = [len(batch.x) for batch in batches([found], 4, 0, 1, "mse")]
    assert sizes == [4, 4]
    rows = torch.cat([batch.x for batch in batches([found], 5, 0, 1, "mse")]).flatten(1)
    expected = found.x[:, 0].flatten(1)
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, expected.tolist()))
    assert [len(batch.x) for batch in batches([found], 100, 0, 1, "mse")] == [10]


def test_mixed_sets_share_every_batch(tmp_path: Path) -> None:
    solid, flat = made(tmp_path / "a.npz", samples=9), made(tmp_path / "b.npz", samples=6, n=2)
    found = list(batches([solid, flat], 4, 0, 1, "mse"))
    assert len(found) == 3
    for batch in found:
        assert batch.x.shape == (4, 3, 3)
        assert not batch.x[2:, :, 2].any()
        assert batch.x[:2, :, 2].any()
        assert batch.weight.flatten().tolist() == [1.0, 1.0, 1.5, 1.5]
    relative = next(iter(batches([solid, flat], 4, 0, 1, "relative"))).weight.flatten()
    torch.testing.assert_close(relative[0], torch.tensor(1 / solid.ballistic, dtype=torch.float32))
    torch.testing.assert_close(relative[2], torch.tensor(1.5 / flat.ballistic, dtype=torch.float32))


@pytest.mark.parametrize("name", ["egnn", "egnn-recurrent", "linear", "integrator"])
def test_padding_is_exact_for_a_model_of_any_dimension(name: str, tmp_path: Path) -> None:
    """The loss of a mixed batch is the mean of the losses of its parts, each in its own dimension."""
    sets = [made(tmp_path / f"{n}.npz", n=n, samples=4) for n in (1, 2, 3)]
    model = tiny_model(name)
    (batch,) = batches(sets, 12, 0, 1, "mse")
    with torch.no_grad():
        mixed = model(batch.x, batch.v, batch.q, 1.0)[0]
        loss = float((batch.weight * (mixed - batch.x_target).square()).mean())
        alone = []
        for s in sets:
            rows, start = torch.arange(4), torch.zeros(4, dtype=torch.int64)
            x, v, q, _, target, _ = s.pick(rows, start)
            alone.append(float((model(x, v, q, 1.0)[0] - target).square().mean()))
    assert not mixed[:4, :, 1:].any()
    assert not mixed[4:8, :, 2:].any()
    assert loss == pytest.approx(np.mean(alone), rel=1e-5)


# Larger than memory


@pytest.mark.filterwarnings("ignore:.*no valid split")
@pytest.mark.parametrize("kind", ["npz", "zarr", "all"])
def test_a_streamed_run_has_the_bytes_of_one_in_memory(
    kind: str, zarr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("physics.datasets.reading.BLOCK_BYTES", 1000)
    path = zarr if kind == "zarr" else npz(tmp_path / "a.npz", tiny_arrays(30))
    runs = []
    for stream in ("always", "never"):
        config = config_from_tree(
            {
                "model": {"name": "egnn", "hidden": 8, "layers": 1},
                "data": {"paths": [str(path)], "stream": stream, "windows": "all" if kind == "all" else "task"},
                "train": {"epochs": 2, "batch_size": 3, "validate_every": 1, "threads": 1},
            },
            "test",
        )
        train(config, tmp_path / stream, resume=False, device="cpu", command="", quiet=True)
        runs.append((tmp_path / stream / "metrics.csv").read_text())
        assert not list(tmp_path.glob("tmp*"))
    one, two = ([float(cell) for line in r.splitlines()[1:] for cell in line.split(",")[3:]] for r in runs)
    np.testing.assert_allclose(one, two, rtol=1e-12)  # what x + v t comes to is a mean over blocks


def test_what_is_too_large_for_memory_is_streamed_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(npz(tmp_path / "a.npz", tiny_arrays(30)))
    assert not is_streamed(path, "auto")
    monkeypatch.setattr(
        "surrogate.tasks.dynamics.streamed.available_memory", lambda: 30 * 4 * 3 * 3 * 8 * 4 * 2 - 2
    )
    assert is_streamed(path, "auto")
    assert not is_streamed(path, "never")
    assert not is_streamed(str(tmp_path / "none.npz"), "auto")


def test_turned_windows_are_those_of_the_data_turned_anew_in_every_epoch(tmp_path: Path) -> None:
    ask = partial(windows, scales=Scales(), centre=False, fractions=(0.5, 1.0))
    found = ask(
        read_split(npz(tmp_path / "a.npz", tiny_arrays(frames=5)), "train"), "train", DataConfig(target_frame=2)
    )

    def epoch(number: int, **options: Any) -> list[Any]:
        return list(batches([found], 4, 0, number, "mse", **options))

    for plain, turned, again in zip(epoch(1), epoch(1, turned=True), epoch(1, turned=True), strict=True):
        assert torch.equal(turned.x, again.x)
        for name in ("x", "v", "x_target", "v_target"):
            before, after = getattr(plain, name), getattr(turned, name)
            products = [torch.einsum("bin,bjn->bij", t, s) for t, s in ((before, plain.x), (after, turned.x))]
            torch.testing.assert_close(*products, rtol=0, atol=1e-5)
            assert (before - after).abs().amax((1, 2)).min() > 1e-2
        spanned = [torch.linalg.det(batch.x[:, :3]) for batch in (plain, turned)]
        torch.testing.assert_close(*spanned, rtol=0, atol=1e-5)  # none is reflected
        assert turned.x_between.shape == plain.x_between.shape
        assert not torch.allclose(turned.x_between, plain.x_between, atol=1e-2)
    assert not torch.equal(epoch(1, turned=True)[0].x, epoch(2, turned=True)[0].x)
    resumed = epoch(1, turned=True, skip=1)
    assert torch.equal(resumed[0].x, epoch(1, turned=True)[1].x)
    halves = [epoch(1, turned=True, rank=rank, count=2)[0].x for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), epoch(1, turned=True)[0].x)


def test_turned_windows_take_their_fields_along(tmp_path: Path) -> None:
    n, rng = 3, np.random.default_rng(0)
    magnetic = rng.standard_normal((12, n, n))
    fields = {"uniform_field": rng.standard_normal((12, n)), "magnetic_field": magnetic - magnetic.swapaxes(1, 2)}
    split = read_split(npz(tmp_path / "a.npz", {**tiny_arrays(), **fields}), "train")
    found = windows(split, "train", TASK, Scales(), centre=False, takes=tuple(fields))
    (plain, *_), (turned, *_) = (batches([found], 4, 0, 1, "mse", turned=t) for t in (False, True))

    def invariants(batch: Any) -> list[torch.Tensor]:
        e, b = batch.given["uniform_field"], batch.given["magnetic_field"]
        along = torch.einsum("bin,bn->bi", batch.v, e)
        return [along, torch.einsum("bin,bnm,bjm->bij", batch.v, b, batch.x)]

    for before, after in zip(invariants(plain), invariants(turned), strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=1e-4)
    assert not torch.allclose(plain.given["uniform_field"], turned.given["uniform_field"], atol=1e-2)
