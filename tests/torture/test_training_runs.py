"""R4 to R7, R16 and R17: training runs that are killed, meet a bad disk or bad losses, or are resumed changed.

Each ends with the bytes of an undisturbed one, or says in one line why it does not go on.
"""

import errno
import math
import multiprocessing
import os
import random
import resource
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from physics.cli import run_command
from physics.errors import InputError
from surrogate.models.egnn.model import EGNN
from surrogate.tasks.dynamics.task import Dynamics
from surrogate.train import main
from surrogate.training import restart
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.divergence import Divergence
from surrogate.training.sources import code_identity
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep
from tests.patience import PATIENCE
from tests.surrogate.helpers import npz, refused, tiny_arrays, tree
from tests.surrogate.small_runs import ARGUMENTS, STEPS, begun, injected, kept, loadable, run, valid
from tests.torture.killed_training import trained

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return begun(tmp_path)


def killed_at_any_moment(folder, row, device="cpu", seeds=1):
    """Kill runs, every other time at a file operation; each must end with the bytes of an undisturbed one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.torture.killed_training"])
    rng = random.Random(4)

    def status_of(out, die_at=0, after=PATIENCE):
        process = context.Process(target=trained, args=(out, die_at, device, seeds))
        process.start()
        process.join(after)
        if process.is_alive():
            process.kill()
        process.join()
        return process.exitcode

    assert status_of("warm-up") == 0  # imports
    began = time.monotonic()
    assert status_of("whole") == 0
    seconds = time.monotonic() - began
    expected = kept(Path("whole"))
    kills, inside, runs, same = 0, 0, 0, 0
    while kills < row.size:
        out, status = f"killed-{runs}", -signal.SIGKILL
        while status == -signal.SIGKILL and kills < row.size:
            if kills % 2 == 0:
                status = status_of(out, die_at=rng.randrange(2, 40 * seeds))
                inside += status == -signal.SIGKILL
            else:
                status = status_of(out, after=rng.uniform(0.0, seconds))
            kills += status == -signal.SIGKILL
            assert status in (0, -signal.SIGKILL)
            assert loadable(Path(out))
        if status:
            assert status_of(out) == 0
        runs += 1
        same += kept(Path(out)) == expected
    left = list(folder.rglob("*.part*"))
    row.got(f"{kills} kills, {inside} of them at a file operation")
    row.got(f"{same} of {runs} runs with the same bytes, {len(left)} temporary files left")
    assert same == runs
    assert not left


@pytest.mark.torture("R4")
def test_R4_killed_at_any_moment_a_run_ends_with_the_same_bytes(folder, row):
    killed_at_any_moment(folder, row)


@pytest.mark.torture("R4-seeds")
def test_R4_seeds_stacked_and_killed_end_with_the_same_bytes(folder, row):
    killed_at_any_moment(folder, row, seeds=3)


@pytest.mark.torture("R5")
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("seeds", [1, 3])
def test_R5_killed_on_CUDA_a_run_ends_with_the_same_bytes(folder, row, seeds):
    killed_at_any_moment(folder, row, "cuda", seeds)


@pytest.mark.torture("R4-stops")
def test_R4_stops_within_an_epoch_lose_no_step(folder, monkeypatch, row):
    expected = kept(run("whole"))
    inner, seen = TrainingStep.__call__, []
    stops = np.linspace(1, STEPS - 1, row.size).astype(int)

    def ask(step, batch):
        seen.append(1)
        step.trainer.stop_requested = len(seen) == stop
        return inner(step, batch)

    monkeypatch.setattr(TrainingStep, "__call__", ask)
    for stop in stops:
        out = f"stopped-{stop}"
        seen.clear()
        with pytest.raises(
            KeyboardInterrupt, match=rf"{out} keeps its state \((positions|velocities), epoch \d+ of"
        ):
            run(out)
        point = read_checkpoint(Path(out, "latest")).info["progress"]
        assert 5 * (point["epoch"] + 8 * point["stage"]) + point["batch"] == stop - 1
        seen[:] = [0] * 1000
        run(out, resume=True)
        assert len(seen) - 1000 == STEPS - (stop - 1)  # the last step is done again, nothing before it
        assert kept(Path(out)) == expected
    row.got(f"{len(stops)} runs of {STEPS} steps with the bytes of an undisturbed one")


class Faults:
    """The `at`-th file operation fails, once or from then on."""

    def __init__(self, at, number, lasting):
        self.at, self.number, self.lasting, self.count = at, number, lasting, 0

    def step(self, inner):
        def call(*arguments, **options):
            self.count += 1
            if self.count == self.at or (self.lasting and self.count > self.at):
                raise OSError(self.number, os.strerror(self.number))
            return inner(*arguments, **options)

        return call


@contextmanager
def failing(at, number=errno.EIO, lasting=False):
    faults = Faults(at, number, lasting)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (os, "fsync"), (Path, "replace"), (Path, "write_bytes"), (Path, "chmod"), (Path, "mkdir"),
            (tempfile, "mkstemp"),
        ):  # fmt: skip
            patch.setattr(owner, name, faults.step(getattr(owner, name)))
        yield faults


def refused_and_whole(capsys, status):
    """One line, no false "done", and every file that is there can be read."""
    written = capsys.readouterr()
    said = [line for line in written.err.splitlines() if not line.startswith(("positions", "velocities"))]
    refused(status, "\n".join(said))
    assert "done" not in written.out
    assert loadable(Path("run"))


def finished_and_removed(expected):
    """Resumed on a good disk, the run has the bytes of an undisturbed one."""
    resume = ["--resume"] if Path("run/config.toml").exists() else []
    assert run_command(main, [*ARGUMENTS, *resume]) == 0
    assert kept(Path("run")) == expected
    shutil.rmtree("run")


@pytest.mark.filterwarnings("default")
@pytest.mark.torture("R6")
def test_R6_the_nth_operation_of_a_training_run_fails(folder, capsys, row):
    with failing(0) as faults:
        assert run_command(main, ARGUMENTS) == 0
    operations = faults.count
    assert operations > 20
    expected = kept(Path("run"))
    shutil.rmtree("run")
    kinds = [(number, lasting) for number in (errno.ENOSPC, errno.EIO, errno.EACCES) for lasting in (False, True)]
    cases = [(at, *kind) for at in range(1, operations + 1) for kind in kinds]
    cases = random.Random(6).sample(cases, min(row.size, len(cases)))
    for at, number, lasting in cases:
        capsys.readouterr()
        with failing(at, number, lasting):
            status = run_command(main, ARGUMENTS)
        refused_and_whole(capsys, status)
        finished_and_removed(expected)
    row.got(
        f"training run: {len(cases)} faults in {operations} operations, each refused in one line, then resumed"
    )


@pytest.mark.filterwarnings("default")
@pytest.mark.torture("R7")
def test_R7_no_room_for_the_files_of_a_training_run(folder, capsys, row):
    assert run_command(main, ARGUMENTS) == 0
    expected = kept(Path("run"))
    shutil.rmtree("run")
    largest = max(len(data) for data in expected.values())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for share in np.linspace(0.0, 0.999, row.size):
        capsys.readouterr()
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * largest), hard))
        try:
            status = run_command(main, ARGUMENTS)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        refused_and_whole(capsys, status)
        finished_and_removed(expected)
    row.got(f"training run: {row.size} sizes, each refused in one line, resumed to the same bytes")


LINEAR = """
[model]
name = "linear"
[data]
paths = ["data.npz"]
[train]
epochs = 40
batch_size = 8
validate_every = 10
lr = 3e-3
clip = 0.0
threads = 1
"""
"""200 steps that nearly get to the least error: a skipped step may cost a little, a spoiled optimiser more."""


@pytest.fixture
def clean(folder):
    """The validation error of a run without faults."""
    npz(folder / "data.npz", tiny_arrays(44))
    (folder / "tiny.toml").write_text(LINEAR, encoding="utf-8")
    return valid(run("clean"))


@pytest.mark.parametrize("factor", [math.nan, 100.0, math.inf])
@pytest.mark.torture("R16")
def test_R16_an_injected_fault_neither_enters_the_weights_nor_the_result(factor, folder, clean, row):
    shares = []
    for step in np.linspace(25, 195, row.size).astype(int):
        out = f"run-{step}"
        with injected(step, factor):
            run(out)
        for name in ("best", "latest", "previous"):
            read_checkpoint(Path(out, name))  # refuses what is not finite
        shares.append(valid(Path(out)) / clean)
    row.got(f"loss x {factor:g}: error {min(shares):.4f} to {max(shares):.4f} of the clean run's")
    assert max(shares) < 1.05


def test_a_fault_bites_where_nothing_is_rejected(folder, clean, monkeypatch):
    monkeypatch.setattr(Divergence, "rejection", lambda *_: "")
    monkeypatch.setattr(Trainer, "weights_are_finite", lambda _: True)
    with injected(25, 100.0):
        run("spiked")
    assert valid(Path("spiked")) > 1.05 * clean
    with injected(100, math.nan), pytest.raises(InputError, match="not finite"):
        run("poisoned")


@pytest.mark.torture("R16-stops")
def test_R16_stops_between_faults_change_nothing(folder, monkeypatch, row):
    """Faulty data, not a faulty moment: the resumed run meets them again and has the same bytes."""
    npz(folder / "data.npz", tiny_arrays(44))
    settings = {"train__velocity_epochs": "0", "train__epochs": "6", "train__batch_size": "8"}  # 30 steps
    whole, inner, seen = Trainer.loss, TrainingStep.__call__, []

    def loss(self, batch):
        p = self.progress
        return whole(self, batch) * (math.nan if (p.epoch, p.batch) in ((1, 2), (4, 0), (5, 4)) else 1.0)

    def ask(step, batch):
        seen.append(1)
        step.trainer.stop_requested = len(seen) == stop
        return inner(step, batch)

    monkeypatch.setattr(Trainer, "loss", loss)
    monkeypatch.setattr("surrogate.training.divergence.FORGOTTEN_AFTER", 3)
    expected = kept(run("whole", **settings))
    stops = np.linspace(1, 29, row.size).astype(int)
    for stop in stops:
        seen.clear()
        with monkeypatch.context() as patch:
            patch.setattr(TrainingStep, "__call__", ask)
            with pytest.raises(KeyboardInterrupt):
                run(f"run-{stop}", **settings)
        assert kept(run(f"run-{stop}", resume=True, **settings)) == expected, f"stopped at step {stop}"
    row.got(f"{len(stops)} stops, each resumed to the same bytes")


def spoiled(name, index, factor=1.5):
    def change():
        arrays = tiny_arrays()
        arrays[name][index] *= factor
        npz(Path("data.npz"), arrays)

    return change


def fewer():
    npz(Path("data.npz"), {k: a if k == "times" else a[:-1] for k, a in tiny_arrays().items()})


CHANGES = {
    **{
        f"train.{key}": (f"train.{key}", {f"train__{key}": value})
        for key, value in {
            "epochs": "9", "batch_size": "3", "lr": "2e-3", "seed": "1", "schedule": "constant", "warmup": "0.2",
            "weight_decay": "0.1", "clip": "0.5", "ema": "0.8", "loss": "relative", "saturation": "0.1",
            "validate_every": "3", "velocity_epochs": "5", "dtype": "float64", "spike": "30.0",
        }.items()
    },
    "model.layers": ("model.layers", {"model__layers": "2"}),
    "model.hidden": ("model.hidden", {"model__hidden": "9"}),
    "data.target_frame": ("data.target_frame", {"data__target_frame": "2"}),
    "data.train_samples": ("data.train_samples", {"data__train_samples": "9"}),
    "data.windows": ("data.windows", {"data__windows": "all"}),
    "positions": ("the data changed", spoiled("positions", 0)),
    "velocities": ("the data changed", spoiled("velocities", 3)),
    "charges": ("the data changed", spoiled("charges", 2, -1.0)),
    "valid positions": ("the data changed", spoiled("positions", -1)),
    "times": ("the data changed", lambda: npz(Path("data.npz"), tiny_arrays(spacing=0.25)) and None),
    "samples": ("the data changed", fewer),
}  # fmt: skip


@pytest.mark.torture("R17")
def test_R17_a_change_is_refused_by_its_name(folder, row):
    shorter = {"train__epochs": "2", "train__velocity_epochs": "1"}
    run("run", **shorter)
    before, data = tree(Path("run")), Path("data.npz").read_bytes()
    changes = [*CHANGES.items()][: row.size]
    for what, (said, change) in changes:
        if callable(change):
            change()
        settings = {**shorter, **(change if isinstance(change, dict) else {})}
        with pytest.raises(InputError, match=rf"run: cannot --resume: .*{said}"):
            run("run", resume=True, **settings)
        assert tree(Path("run")) == before, what
        Path("data.npz").write_bytes(data)
    run("run", resume=True, **shorter)  # put back, it is not refused
    row.got(f"{len(changes)} kinds of change, each refused by its name, the run untouched")


@pytest.mark.torture("R17")
@pytest.mark.parametrize(("what", "value"), [("surrogate/training/loop.py", "0" * 16), ("torch", "2.99")])
def test_R17_changed_code(what, value, folder, monkeypatch, row):
    shorter, now = {"train__epochs": "2", "train__velocity_epochs": "1"}, code_identity(Dynamics, EGNN)
    with monkeypatch.context() as patch:
        patch.setattr(restart, "code_identity", lambda *_: {**now, what: value})
        run("run", **shorter)
    with pytest.raises(InputError, match=f"run: cannot --resume: the code changed: {what}"):
        run("run", resume=True, **shorter)
    row.got(f"{what}: refused")


@pytest.mark.torture("R17")
def test_R17_changed_masses(folder, row):
    (folder / "tiny.toml").write_text('[model]\nname = "integrator"\nhidden = 8\n[data]\npaths = ["data.npz"]\n')
    short = {"train__epochs": "1", "train__threads": "1"}
    run("run", **short)
    masses = np.where(np.arange(12) == 2, 1.5, 1.0)[:, None] * np.ones(3)
    npz(Path("data.npz"), {**tiny_arrays(), "masses": masses})
    with pytest.raises(InputError, match="the data changed"):
        run("run", resume=True, **short)
    row.got("masses: refused")
