"""Rows R4, R6, R7, R16, R17 of the reliability scoreboard for training, small; in full with ISOTWIN_TORTURE set.

A run that is killed, whose disk fails or is full, whose losses go wrong, or that is resumed with something
changed ends with the bytes of an undisturbed one, or says in one line why it does not go on.
"""

import errno
import math
import multiprocessing
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.cli import run_command
from physics.errors import InputError
from surrogate import fit as fit_module
from surrogate import restart
from surrogate import trainer as trainer_module
from surrogate.checkpoint import FILE_NAME, read_checkpoint
from surrogate.config import load_config
from surrogate.guard import CALM, STRIKES, WARM_UP, Guard
from surrogate.run import train
from surrogate.train import main
from surrogate.trainer import Trainer
from tests.surrogate.helpers import npz, refused, tiny_arrays, tree

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")
FULL = bool(os.environ.get("ISOTWIN_TORTURE"))
KILLS = 200 if FULL else 4
SIZES = 20 if FULL else 3
POINTS = 20 if FULL else 2

CONFIG = """
[model]
name = "egnn"
hidden = 8
layers = 1
velocity_head = true
[data]
paths = ["data.npz"]
[train]
epochs = 8
batch_size = 2
validate_every = 2
velocity_epochs = 4
ema = 0.9
lr = 1e-3
threads = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz")
    (tmp_path / "tiny.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def run(out: str, *, resume: bool = False, **changes: str) -> Path:
    config = load_config("tiny.toml", {key.replace("__", "."): value for key, value in changes.items()})
    train(config, Path(out), resume=resume, device="cpu", command="the command", quiet=True)
    return Path(out)


def kept(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(out).items() if name != "run.json"}


def loadable(out: Path) -> bool:
    """Whether every file with a final name that is there is whole."""
    for name in ("best", "latest", "previous"):
        if (out / name / FILE_NAME).exists():
            read_checkpoint(out / name)
    return True


# R4: killed, also inside a write


def child(out: str, die_at: int) -> None:
    """A run in a process of its own; with `die_at`, killed at that file operation."""
    torch.set_num_threads(1)
    if die_at:
        count = [0]

        def deadly(inner: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                count[0] += 1
                if count[0] == die_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return inner(*args, **kwargs)

            return call

        os.fsync = deadly(os.fsync)
        Path.replace = deadly(Path.replace)  # type: ignore[method-assign]
    run(out, resume=(Path(out) / "config.toml").exists())


def test_r4_killed_at_any_moment_a_run_ends_with_the_same_bytes(folder: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["surrogate.run", "tests.surrogate.test_faults"])
    rng = random.Random(4)

    def one(out: str, die_at: int = 0, after: float | None = None) -> int:
        process = context.Process(target=child, args=(out, die_at))
        process.start()
        process.join(after if after is not None else 120)
        if process.is_alive():
            process.kill()
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    assert one("warm-up") == 0  # imports
    began = time.monotonic()
    assert one("whole") == 0
    seconds = time.monotonic() - began
    expected = kept(Path("whole"))
    kills, runs = 0, 0
    while kills < KILLS:
        out, runs = f"killed-{runs}", runs + 1
        status = -signal.SIGKILL
        while status == -signal.SIGKILL and kills < KILLS:
            inside = kills % 2 == 0
            status = one(out, rng.randrange(2, 40), None) if inside else one(out, 0, rng.uniform(0.0, seconds))
            kills += status == -signal.SIGKILL
            assert loadable(Path(out))
        assert status in (0, -signal.SIGKILL)
        if status:
            assert one(out) == 0
        assert kept(Path(out)) == expected
    assert not list(folder.rglob("*.part*"))


# R6, R7: the disk


@contextmanager
def failing(at: int, number: int, for_good: bool) -> Iterator[list[int]]:
    """Let the `at`-th file operation fail (and with `for_good` all after it); the list counts them."""
    count = [0]

    def faulty(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] == at or (for_good and count[0] > at > 0):
                raise OSError(number, os.strerror(number))
            return inner(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (os, "fsync"), (Path, "replace"), (Path, "write_bytes"), (Path, "chmod"), (Path, "mkdir"),
        ):  # fmt: skip
            patch.setattr(owner, name, faulty(getattr(owner, name)))
        patch.setattr("tempfile.mkstemp", faulty(__import__("tempfile").mkstemp))
        yield count


ARGUMENTS = ["--config", "tiny.toml", "--device", "cpu", "--out", "run"]


def refused_and_whole(capsys: pytest.CaptureFixture[str], status: int) -> None:
    """One line, no false "done", and every file that is there can be read."""
    captured = capsys.readouterr()
    said = [line for line in captured.err.splitlines() if not line.startswith(("positions ", "velocities "))]
    refused(status, "\n".join(said))
    assert "done" not in captured.out
    assert loadable(Path("run"))


def finished_and_removed(expected: dict[str, bytes]) -> None:
    """Resumed on a good disk, the run has the bytes of an undisturbed one."""
    resume = ["--resume"] if Path("run/config.toml").exists() else []
    assert run_command(main, [*ARGUMENTS, *resume]) == 0
    assert kept(Path("run")) == expected
    shutil.rmtree("run")


@pytest.mark.filterwarnings("default")
def test_r6_a_failing_disk_is_one_line_and_loses_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with failing(0, 0, False) as count:
        assert run_command(main, ARGUMENTS) == 0
    expected = kept(Path("run"))
    shutil.rmtree("run")
    kinds = (errno.ENOSPC, errno.EIO, errno.EACCES)
    cases = [(at, kind, good) for at in range(1, count[0] + 1) for kind in kinds for good in (False, True)]
    for at, kind, for_good in cases if FULL else random.Random(6).sample(cases, 8):
        capsys.readouterr()
        with failing(at, kind, for_good):
            status = run_command(main, ARGUMENTS)
        refused_and_whole(capsys, status)
        finished_and_removed(expected)


@pytest.mark.filterwarnings("default")
def test_r7_a_full_disk(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(main, ARGUMENTS) == 0
    expected = kept(Path("run"))
    shutil.rmtree("run")
    largest = max(len(data) for data in expected.values())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for share in np.linspace(0.0, 0.999, SIZES):
        capsys.readouterr()
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * largest), hard))
        try:
            status = run_command(main, ARGUMENTS)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        refused_and_whole(capsys, status)
        finished_and_removed(expected)


def test_a_corrupt_newest_point_falls_back_to_the_one_before_and_says_so(folder: Path) -> None:
    expected = kept(run("whole"))
    for how in ("flipped", "cut", "empty"):
        out = Path(how)
        with pytest.MonkeyPatch.context() as patch:
            inner = fit_module.validate

            def die(trainer: Trainer, *args: Any, inner: Callable[..., None] = inner) -> None:
                inner(trainer, *args)
                if trainer.progress.epoch == 6:
                    raise KeyboardInterrupt

            patch.setattr(fit_module, "validate", die)
            with pytest.raises(KeyboardInterrupt):
                run(how)
        file = out / "latest" / FILE_NAME
        data = file.read_bytes()
        file.write_bytes(
            {"flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "cut": data[:-5], "empty": b""}[how]
        )
        with pytest.warns(UserWarning, match=rf"{how}/latest.*damaged.*; going on from {how}/previous"):
            run(how, resume=True)
        assert kept(out) == expected


def test_two_corrupt_points_are_refused(folder: Path) -> None:
    run("run")
    for name in ("latest", "previous"):
        Path("run", name, FILE_NAME).write_bytes(b"")
    with pytest.raises(InputError, match=r"run/latest.*; run/previous"):
        run("run", resume=True)


def test_two_trainers_in_one_folder_are_one_too_many(folder: Path) -> None:
    inner, tried = fit_module.train_epoch, []

    def twice(*args: Any) -> float:
        if not tried:
            tried.append(1)
            with pytest.raises(InputError, match="another process is training in this folder"):
                run("run", resume=True)
        return inner(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "train_epoch", twice)
        run("run")
    assert tried


# Stopped within an epoch


@pytest.mark.parametrize("step", [1, 2, 7, 12, 22] if not FULL else range(1, 60))
def test_stopped_within_an_epoch_no_step_is_lost(step: int, folder: Path) -> None:
    expected = kept(run("whole"))
    inner, seen = fit_module.train_step, []

    def ask(trainer: Trainer, batch: Any) -> str:
        seen.append(1)
        trainer.stop_requested = len(seen) == step
        return inner(trainer, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "train_step", ask)
        with pytest.raises(KeyboardInterrupt, match=r"run keeps its state \((positions|velocities), epoch \d+ of"):
            run("run")
        point = read_checkpoint("run/latest").info["progress"]
        assert 5 * (point["epoch"] + 8 * point["stage"]) + point["batch"] == step - 1
        seen[:] = [0] * 1000
        run("run", resume=True)
    assert len(seen) - 1000 == 60 - (step - 1)  # the last step is done again, nothing before it
    assert kept(Path("run")) == expected


def test_a_point_is_written_within_long_epochs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = kept(run("whole"))
    monkeypatch.setattr(fit_module, "SAVE_EVERY_SECONDS", -1.0)
    written: list[tuple[int, int]] = []
    inner = restart.save_restart_point

    def save(trainer: Trainer, state: Any = None) -> None:
        inner(trainer, state)
        p = read_checkpoint("often/latest").info["progress"]
        written.append((p["epoch"], p["batch"]))

    monkeypatch.setattr(fit_module, "save_restart_point", save)
    assert kept(run("often")) == expected
    assert written[:6] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]


# R16: losses that go wrong


def valid(out: Path) -> float:
    return float((out / "metrics.csv").read_text().splitlines()[-1].split(",")[5])


@contextmanager
def injected(step: int, factor: float, length: int = 1) -> Iterator[None]:
    whole, seen = Trainer.loss, [0]

    def loss(self: Trainer, batch: Any) -> torch.Tensor:
        if torch.is_grad_enabled():
            seen[0] += 1
        bad = torch.is_grad_enabled() and step <= seen[0] < step + length
        return whole(self, batch) * (factor if bad else 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "loss", loss)
        yield


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
def linear(folder: Path) -> float:
    """The validation error of a clean run."""
    npz(folder / "data.npz", tiny_arrays(44))
    (folder / "tiny.toml").write_text(LINEAR, encoding="utf-8")
    return valid(run("clean"))


@pytest.mark.parametrize("factor", [math.nan, 100.0, math.inf])
def test_r16_an_injected_fault_neither_enters_the_weights_nor_the_result(
    factor: float, folder: Path, linear: float
) -> None:
    for step in np.linspace(25, 195, POINTS).astype(int):
        out = f"run-{step}"
        with injected(int(step), factor):
            run(out)
        for name in ("best", "latest", "previous"):
            read_checkpoint(Path(out, name))  # refuses what is not finite
        assert valid(Path(out)) < 1.05 * linear, f"at step {step}"


def test_r16_does_it_bite_without_the_guard(folder: Path, linear: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "trouble", lambda *_: "")
    monkeypatch.setattr(Trainer, "weights_are_finite", lambda _: True)
    with injected(25, 100.0):
        run("spiked")
    assert valid(Path("spiked")) > 1.05 * linear
    with injected(100, math.nan), pytest.raises(InputError, match="not finite"):
        run("poisoned")


def test_a_fault_before_a_stop_is_answered_the_same_way(folder: Path) -> None:
    """Faulty data, not a faulty moment: the resumed run meets them again and has the same bytes."""
    arrays = tiny_arrays(44)
    npz(folder / "data.npz", arrays)
    settings = {"train__velocity_epochs": "0", "train__epochs": "6", "train__batch_size": "8"}
    whole = Trainer.loss

    def loss(self: Trainer, batch: Any) -> torch.Tensor:
        p = self.progress
        return whole(self, batch) * (math.nan if (p.epoch, p.batch) in ((1, 2), (4, 0), (5, 4)) else 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "loss", loss)
        patch.setattr("surrogate.guard.CALM", 3)
        expected = kept(run("whole", **settings))
        inner = fit_module.train_step
        for stop in range(1, 30, 1 if FULL else 4):
            seen: list[int] = []

            def ask(trainer: Trainer, batch: Any, seen: list[int] = seen, stop: int = stop) -> str:
                seen.append(1)
                trainer.stop_requested = len(seen) == stop
                return inner(trainer, batch)

            patch.setattr(fit_module, "train_step", ask)
            with pytest.raises(KeyboardInterrupt):
                run(f"run-{stop}", **settings)
            patch.setattr(fit_module, "train_step", inner)
            assert kept(run(f"run-{stop}", resume=True, **settings)) == expected, f"stopped at step {stop}"


def test_weights_that_are_not_finite_at_the_end_of_an_epoch_go_back(folder: Path) -> None:
    inner, seen = fit_module.train_step, []

    def spoil(trainer: Trainer, batch: Any) -> str:
        found = inner(trainer, batch)
        seen.append(1)
        if len(seen) == 10:  # the last one before a validation
            with torch.no_grad():
                trainer.parameters[0].fill_(math.nan)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "train_step", spoil)
        run("run")
    assert math.isfinite(valid(Path("run")))


def test_the_guard_by_itself() -> None:
    guard = Guard(20.0)
    for _ in range(WARM_UP):
        assert not guard.trouble(1e9, 1.0)  # a start is wild
        guard.accept(1.0)
    assert not guard.trouble(19.0, 1.0)
    assert "jumped to 25 times" in guard.trouble(25.0, 1.0)
    assert "loss is not finite" in guard.trouble(math.nan, 1.0)
    assert "gradient is not finite" in guard.trouble(1.0, math.inf)
    guard.accept(10.0)
    assert not guard.trouble(150.0, 1.0)  # the worst batch lately rules, not the usual one
    assert not Guard(0.0, 1.0, 1000).trouble(1e30, 1.0)
    strikes = [guard.strike() for _ in range(STRIKES)]
    assert strikes == [False] * (STRIKES - 1) + [True]
    for _ in range(CALM):
        guard.accept(1.0)
    assert guard.strikes == 0


# R17: twenty changes


def spoiled(name: str, index: int, factor: float = 1.5) -> Callable[[], None]:
    def change() -> None:
        arrays = tiny_arrays()
        arrays[name][index] *= factor
        npz(Path("data.npz"), arrays)

    return change


def with_masses() -> None:
    npz(Path("data.npz"), {**tiny_arrays(), "masses": np.full((12, 3), 1.0) + 0.5 * (np.arange(12) == 2)[:, None]})


def fewer() -> None:
    npz(Path("data.npz"), {k: a if k == "times" else a[:-1] for k, a in tiny_arrays().items()})


CHANGES: dict[str, tuple[str, dict[str, str] | Callable[[], None]]] = {
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
    "a source file": ("the code changed: surrogate/fit.py", lambda: None),
    "torch": (r"the code changed: torch 2\.99 -> ", lambda: None),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_r17_a_change_is_refused_by_its_name(what: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, change = CHANGES[what]
    shorter = {"train__epochs": "2", "train__velocity_epochs": "1"}
    if what in ("a source file", "torch"):
        inner = restart.code_identity
        with pytest.MonkeyPatch.context() as patch:
            key, value = ("surrogate/fit.py", "0" * 16) if what == "a source file" else ("torch", "2.99")
            patch.setattr(restart, "code_identity", lambda: {**inner(), key: value})
            run("run", **shorter)
    else:
        run("run", **shorter)
    before = tree(Path("run"))
    if callable(change):
        change()
    with pytest.raises(InputError, match=rf"run: cannot --resume: .*{said}"):
        run("run", resume=True, **{**shorter, **(change if isinstance(change, dict) else {})})
    assert tree(Path("run")) == before


def test_r17_masses(folder: Path) -> None:
    config = {"model__name": "integrator"}
    (folder / "tiny.toml").write_text('[model]\nname = "integrator"\nhidden = 8\n[data]\npaths = ["data.npz"]\n')
    short = {"train__epochs": "1", "train__threads": "1", **config}
    run("run", **short)
    with_masses()
    with pytest.raises(InputError, match="the data changed"):
        run("run", resume=True, **short)


def test_resume_anyway_goes_on_and_names_what_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("run")
    argv = [*ARGUMENTS, "--set", "train.velocity_epochs=6", "train.lr=2e-3"]
    with pytest.warns(UserWarning, match="although the configuration changed: train.lr train.velocity_ep"):
        main([*argv, "--resume-anyway"])
    assert len((folder / "run" / "metrics.csv").read_text().splitlines()) == 1 + 4 + 3
    assert load_config("run/config.toml").train.lr == 2e-3
    with (
        pytest.warns(UserWarning, match="model.hidden"),
        pytest.raises(InputError, match="fits another model"),
    ):
        main([*ARGUMENTS, "--set", "model.hidden=9", "--resume-anyway"])


def test_other_threads_are_told_not_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("run")
    monkeypatch.setattr(restart, "setting", lambda trainer: {"device": "cpu", "threads": 3, "processes": 1})
    with pytest.warns(UserWarning, match="was threads 1, now 3: the last bits may differ"):
        run("run", resume=True)


def test_the_probe_of_later_stages_changes_nothing(folder: Path) -> None:
    config = load_config("tiny.toml")
    trainer = Trainer(config, folder / "run", "cpu", "")
    trainer.start_stage(0)
    before = {name: value.clone() for name, value in trainer.tensors().items()}
    plan = trainer.plan()
    assert [stage.name for stage in plan.stages] == ["positions", "velocities"]
    assert plan.stages[0].cost == 1.0
    assert all(torch.equal(value, before[name]) for name, value in trainer.tensors().items())
    assert trainer.parameters == trainer.model.position_parameters()
    assert trainer_module.PROBES > 1
