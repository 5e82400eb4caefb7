"""One run by two processes: the weights of one process, stopped, killed and resumed."""

import multiprocessing
import os
import signal
import socket
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch

from physics.cli import run_command
from physics.errors import InputError
from surrogate.train import main
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import config_from_tree
from surrogate.training.distributed import Processes
from surrogate.training.state import Trainer
from tests.patience import PATIENCE
from tests.surrogate.helpers import npz, tiny_arrays, tree

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")
CONFIG = """
[model]
name = "egnn"
hidden = 8
layers = 2
velocity_head = true
[data]
paths = ["data.npz"]
[train]
epochs = {epochs}
batch_size = 8
validate_every = 5
velocity_epochs = 2
ema = 0.9
dtype = "float64"
threads = 1
"""
ARGUMENTS = ["--config", "tiny.toml", "--device", "cpu", "--out"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz", tiny_arrays(44))
    (tmp_path / "tiny.toml").write_text(CONFIG.format(epochs=10), encoding="utf-8")
    return tmp_path


def child(rank: int, count: int, port: int, argv: list[str]) -> None:
    """What torchrun starts, with what it writes in files."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    with Path(f"said-{rank}").open("w", encoding="utf-8") as stream:
        sys.stdout = sys.stderr = stream
        torch.set_num_threads(1)
        status = run_command(main, argv)
    os._exit(status)


def started(*argv: str, count: int = 2) -> list[BaseProcess]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["surrogate.train", "tests.surrogate.training.test_distributed"])
    processes: list[BaseProcess] = [
        context.Process(target=child, args=(rank, count, port, [*ARGUMENTS, *argv])) for rank in range(count)
    ]
    for process in processes:
        process.start()
    return processes


def ended(processes: list[BaseProcess]) -> list[int | None]:
    for process in processes:
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
            pytest.fail("a process did not end: " + Path("said-0").read_text() + Path("said-1").read_text())
    return [process.exitcode for process in processes]


def kept(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(out).items() if name != "run.json"}


def test_two_processes_have_the_weights_of_one(folder: Path) -> None:
    """50 steps in double precision, and the velocity head's after them."""
    assert ended(started("two")) == [0, 0], Path("said-0").read_text() + Path("said-1").read_text()
    assert run_command(main, [*ARGUMENTS, "one"]) == 0
    for part, count in (("best", 1), ("latest", 1)):
        two, one = (read_checkpoint(Path(name, part)).tensors for name in ("two", "one"))
        assert two.keys() == one.keys()
        differences = [float((two[k].double() - one[k].double()).abs().max()) for k in two if "random" not in k]
        assert max(differences) < 1e-10
        assert len(differences) > count
    assert read_checkpoint("two/latest").info["setting"]["processes"] == 2
    assert "done" in Path("said-0").read_text()
    assert Path("said-1").read_text() == ""


def test_stopped_and_killed_two_processes_end_with_the_bytes_of_whole_ones(folder: Path) -> None:
    (folder / "tiny.toml").write_text(CONFIG.format(epochs=40), encoding="utf-8")
    assert ended(started("run")) == [0, 0]
    expected = kept(Path("run"))
    Path("run").rename("whole")

    def reached(rows: int) -> None:
        until = time.monotonic() + PATIENCE
        metrics = Path("run/metrics.csv")
        while time.monotonic() < until and not (
            metrics.is_file() and len(metrics.read_text().splitlines()) > rows
        ):
            time.sleep(0.005)

    processes = started("run")
    reached(2)
    assert processes[1].pid is not None
    os.kill(processes[1].pid, signal.SIGTERM)  # one is asked, both stop
    assert ended(processes) == [130, 130]
    assert "keeps its state (positions, epoch" in Path("said-0").read_text()

    processes = started("run", "--resume")
    reached(5)
    processes[1].kill()
    assert ended(processes) == [2, -signal.SIGKILL]
    said = Path("said-0").read_text().splitlines()[-1]
    assert said.startswith("error: another process of this run has ended; run keeps its state; go on with: python")
    assert "Traceback" not in Path("said-0").read_text()
    read_checkpoint("run/latest")

    assert ended(started("run", "--resume")) == [0, 0]
    found = kept(Path("run"))
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_batch_has_something_for_every_process(folder: Path) -> None:
    config = config_from_tree(
        {"model": {"name": "linear"}, "data": {"paths": ["data.npz"]}, "train": {"batch_size": 2}}, "test"
    )
    Trainer(config, folder / "run", "cpu", "", Processes(0, 2))
    with pytest.raises(InputError, match="less than one window of each data set for 3 processes"):
        Trainer(config, folder / "run", "cpu", "", Processes(0, 3))


def test_grids_are_for_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate.training.launch.joined_processes", lambda device: Processes(0, 2))
    with pytest.raises(InputError, match="run in one process, not under torchrun"):
        main([*ARGUMENTS, "run", "--sweep", "train.lr=1e-3,1e-2"])
