"""Training from the window: plans and commands, the Session's part, and a real run that is stopped and resumed."""

import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.session import Session
from app.viewmodel.state import training as plans
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.training import TrainPlan, TrainReport, TrainRow, commands, standing, trouble
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.process_runner import ProcessRunner
from app.viewmodel.worker.runner import Callbacks, InlineRunner
from app.viewmodel.worker.tasks.train import TrainTask
from physics.datasets.presets import PRESETS
from physics.datasets.request import request_from_options
from physics.errors import InputError
from resources import CONFIGS
from surrogate.models import MODELS
from surrogate.training.config import load_config, shipped_configs
from tests.app.fakes import FakeDialogs, later_session, texts
from tests.patience import PATIENCE
from tests.surrogate.helpers import npz, tiny_arrays

TINY = """
[model]
name = "egnn"
hidden = 8
layers = 2
[data]
[train]
batch_size = 4
threads = 1
"""


@pytest.fixture
def plan(tmp_path):
    """Own data, a tiny model, seconds."""
    (tmp_path / "tiny.toml").write_text(TINY)
    data = npz(tmp_path / "own.npz", tiny_arrays(samples=20, frames=6))
    return TrainPlan(
        preset="", data=str(data), config=str(tmp_path / "tiny.toml"), epochs=6, out=str(tmp_path / "run")
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"preset": "", "data": ""}, "data"), ({"preset": "", "data": "gone.npz"}, "data"), ({"preset": "x"}, "data"),
     ({"preset": "nbody-reference", "dims": 4}, "data"), ({"config": "x"}, "config"),
     ({"learning_rate": 0.0}, "learning_rate"), ({"learning_rate": float("nan")}, "learning_rate"),
     ({"dims": 9}, "dims"), ({"particles": 1}, "particles"), ({"samples": 3}, "samples"),
     ({"epochs": 0}, "epochs"), ({"minutes": -1.0}, "minutes"), ({"seed": -1}, "seed"), ({"out": " "}, "out")],
)  # fmt: skip
def test_what_is_wrong_with_a_plan(changes, field):
    good = TrainPlan(out="runs/mine")
    assert trouble(good) == {}
    assert field in trouble(replace(good, **changes))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_commands_of_every_preset_are_understood(preset, tmp_path):
    plan = TrainPlan(preset=preset, out=str(tmp_path / "run"), samples=20)
    (first, generate), (second, train) = commands(plan)
    assert (first, second) == ("data", "training")
    assert generate[2] == "physics.generate"
    assert train[train.index("--data") + 1] == generate[generate.index("--out") + 1] == plan.data_path
    fixed = PRESETS[preset].fixed_shape
    assert ("--dims" in generate) != fixed
    sizes = dict(item.split("=") for item in generate[generate.index("--split") + 1 :][:3])
    request_from_options(preset, sizes, None if fixed else 3, None if fixed else 5, None, {})  # refuses bad ones


def test_a_published_set_brings_its_shape():
    session, _ = later_session()
    session.training.set(preset="gravity-100", out="r")
    assert (session.state.training.plan.dims, session.state.training.plan.particles) == (3, 100)
    assert "data" not in trouble(session.state.training.plan)
    assert "n = 3, N = 100 only" in trouble(replace(session.state.training.plan, particles=5))["data"]


def test_the_shipped_configurations_are_offered():
    forecasting = [name for name in shipped_configs() if load_config(name).task == "dynamics"]
    assert plans.configs() == (*sorted(forecasting), *sorted(set(shipped_configs()) - set(forecasting)))
    lines = commands(TrainPlan(preset="", data="d.npz", config="egnn-nbody", out="r", epochs=40))
    assert "train.velocity_epochs=10" in lines[0][1]


def test_a_configuration_brings_its_learning_rate():
    session, _ = later_session()
    for name in ("segnn-nbody", "gnn-nbody", "egnn-nbody"):
        session.training.set(config=name)
        lines = commands(session.state.training.plan)
        assert f"train.lr={tomllib.loads((CONFIGS / f'{name}.toml').read_text())['train']['lr']!r}" in lines[1][1]
    session.training.set(config="gnn-nbody", learning_rate=0.01)
    assert session.state.training.plan.learning_rate == 0.01


def test_a_model_of_one_dimension_is_given_it_or_refuses_others(monkeypatch):
    flat = TrainPlan(dims=2, config="gnn-nbody", out="r")
    assert "model.dims=2" in commands(flat)[1][1]
    assert not any("model.dims" in word for word in commands(replace(flat, config="egnn-nbody"))[1][1])
    assert "Sym, the n of the data" in plans.description("gnn-nbody")
    monkeypatch.setitem(MODELS, "egnn", replace(MODELS["egnn"], dims="3", group="E(3)"))
    assert plans.description("egnn-nbody").endswith("E(3), n = 3")
    assert "runs in n = 3 alone" in trouble(replace(flat, config="egnn-nbody"))["config"]
    assert "config" not in trouble(replace(flat, config="egnn-nbody", dims=3))


def test_the_session_starts_reports_stops_and_uses(tmp_path, plan):
    session, runner = later_session()
    dialogs = FakeDialogs()
    ACTIONS["train"].run(session, dialogs)
    assert dialogs.shown == ["train"]
    session.training.set(**vars(plan))
    ACTIONS["start-training"].run(session, dialogs)
    task, callbacks = runner.pending[-1]
    assert task == TrainTask(plan)
    assert session.state.training.status == "training"
    session.training.set(epochs=99)  # not while it runs
    assert session.state.training.plan == plan
    rows = (TrainRow("positions", 1, 0.5, 0.4), TrainRow("positions", 2, 0.3, 0.2))
    callbacks.first(TrainReport("training", rows, "a line", 3.0, 130.0))
    assert standing(session.state.training) == "epoch 2, best 0.2, 3 s, about 2 min left"
    ACTIONS["stop-training"].run(session, dialogs)
    assert runner.jobs[-1].cancelled
    assert session.state.training.status == "stopping"
    callbacks.first(TrainReport("training", rows))
    assert session.state.training.status == "stopping"
    callbacks.done("stopped")
    assert "Resume goes on" in standing(session.state.training)
    ACTIONS["use-trained"].run(session, dialogs)
    assert "no trained model" in texts(session)[1]  # nothing was written by this fake
    ACTIONS["resume-training"].run(session, dialogs)
    assert "no run there" in texts(session)[1]


def test_a_failure_says_why_and_a_bad_plan_never_starts(plan):
    session, runner = later_session()
    session.training.set(**vars(replace(plan, config="nothing")))
    session.training.start()
    assert not runner.asked
    assert "nothing" in texts(session)[1]
    session.training.set(**vars(plan))
    session.training.start()
    runner.fail("the loss is not finite")
    assert standing(session.state.training) == "the loss is not finite"
    assert texts(session) == ("error", "training: the loss is not finite")


def test_a_whole_run_and_its_model_in_the_comparison(plan, tmp_path):
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="hexagon", model="integrator-nd")))
    session.start()
    session.training.set(**vars(plan))
    session.training.start()
    training = session.state.training
    assert (training.status, training.usable, training.resumable) == ("done", True, True)
    assert [row.epoch for row in training.report.rows] == [1, 2, 3, 4, 5, 6]
    assert training.report.line
    session.training.start()  # the folder is taken
    assert "resume it" in texts(session)[1]
    session.files.open(plan.data)
    ACTIONS["use-trained"].run(session, FakeDialogs())
    assert session.state.setup.model == plan.out
    assert session.state.result.comparison.model_name == "run", texts(session)
    assert session.state.models.opened == (plan.out,)


def test_a_preset_is_generated_first(tmp_path):
    plan = TrainPlan(
        preset="law-softcore", samples=10, particles=3, config=str(tmp_path / "tiny.toml"), epochs=2,
        out=str(tmp_path / "run"),
    )  # fmt: skip
    (tmp_path / "tiny.toml").write_text(TINY)
    reports = []
    assert TrainTask(plan).run(lambda _: None, lambda: False, reports.append) == "done"
    assert {r.phase for r in reports} == {"data", "training"}
    assert (Path(plan.data_path) / "manifest.json").is_file()
    assert (tmp_path / "run" / "best").is_dir()


def test_a_command_that_refuses_gives_its_line(plan):
    Path(plan.config).write_text(TINY.replace("threads = 1", "threads = -1"))
    with pytest.raises(InputError) as caught:
        TrainTask(plan).run(lambda _: None, lambda: False, lambda _: None)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).startswith("error")


def test_stopped_closed_and_resumed_in_real_processes(plan):
    """Stop keeps the state; closing the window stops the command; a resumed run reaches its end."""
    long = replace(plan, epochs=3000)
    posted, ended = [], []
    runner = ProcessRunner(lambda function: (posted.append(1), function()))
    reports = []

    def start(task):
        return runner.submit(task, Callbacks(ended.append, ended.append, first=reports.append))

    def wait(until):
        deadline = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < deadline, (ended, reports[-1:])
            time.sleep(0.05)

    job = start(TrainTask(long))
    wait(lambda: reports and reports[-1].rows)
    job.cancel()
    wait(lambda: ended)
    assert ended == ["stopped"]
    epoch = reports[-1].rows[-1].epoch
    assert 0 < epoch < 3000
    assert reports[-1].left is None or reports[-1].left > 0
    start(TrainTask(long, resume=True))
    wait(lambda: reports[-1].rows and reports[-1].rows[-1].epoch > epoch)
    runner.close()
    assert ended == ["stopped"]  # nothing is told to a window that is closed
    assert (Path(plan.out) / "latest").is_dir()
    last = len(reports)
    time.sleep(0.5)
    assert len(reports) == last


def test_a_time_limit_stops_it(plan):
    limited = replace(plan, epochs=100_000, minutes=0.02)
    assert TrainTask(limited).run(lambda _: None, lambda: False, lambda _: None) == "stopped"
    assert (Path(plan.out) / "best").is_dir()
