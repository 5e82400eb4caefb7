"""Graphs and molecules in the window: opened, browsed, turned, exported, trained in view."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.sessions import load_session
from app.viewmodel.presenters.particles import particle_words
from app.viewmodel.presenters.readouts import readouts
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.session import Session
from app.viewmodel.state import task_scenarios
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.training import STARTS, TrainPlan, TrainReport, TrainRow, commands, configs, trouble
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.export import ExportRequest, export
from app.viewmodel.worker.opening import describe_file
from app.viewmodel.worker.runner import InlineRunner
from app.viewmodel.worker.task_samples import sample_result
from app.views.docks import Docks
from physics.errors import InputError
from resources import EXAMPLES
from surrogate.comparison.task_samples import GraphSample, MoleculeSample
from surrogate.tasks.array_sets import write_npz, write_zarr
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS
from surrogate.training.config import load_config
from surrogate.training.run import train
from tests.app.fakes import FakeDialogs, LaterRunner, result_for, texts

SMALL = {"model.hidden": "8", "model.layers": "2", "train.epochs": "1", "train.batch_size": "20"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A set of graphs, a set of molecules, and a barely trained model of each."""
    folder = tmp_path_factory.mktemp("samples")
    parts = {s: GRAPH_PRESETS["erdos-renyi"].part(s, count=40).arrays for s in ("train", "test")}
    write_zarr(folder / "er.zarr", {**parts, "valid": parts["test"]})
    write_npz(folder / "er.npz", parts["test"])
    sets = {"er": ("autoencoder-er", folder / "er.zarr"), "gnn": ("autoencoder-er-noise-gnn", folder / "er.zarr"),
            "alpha": ("egnn-qm9-alpha", EXAMPLES / "qm9-sample.npz")}  # fmt: skip
    for name, (config, data) in sets.items():
        made = load_config(config, SMALL | {"data.paths": repr([str(data)])})
        train(made, folder / name, resume=False, device="cpu", command="x", quiet=True)
    return folder


def opened(*paths: Path) -> Session:
    session = Session(InlineRunner(), ViewState(result=result_for(Setup(model="fake")), setup=Setup(model="fake")))
    for path in paths:
        session.files.open(str(path))
    return session


@pytest.mark.parametrize(
    ("name", "task"), [("er.zarr", "autoencoder"), ("er.npz", "autoencoder"), ("er", "autoencoder"),
                       ("alpha", "molecules"), ("ring.edges", "autoencoder"), ("water.xyz", "molecules")],
)  # fmt: skip
def test_a_file_says_whose_it_is(place, name, task):
    (place / "ring.edges").write_text("0 1\n1 2\n2 0\n")
    (place / "water.xyz").write_text("3\n\nO 0 0 0.12\nH 0 0.76 -0.47\nH 0 -0.76 -0.47\n")
    found = describe_file(str(place / name))
    assert (found.task, found.forecasts) == (task, False)
    assert found.split == "test"


def test_a_run_brings_the_set_it_was_trained_on(place):
    session = opened(place / "er")
    state = session.state
    assert texts(session) == ("info", "opened er")
    assert (state.result, state.n_dims, state.n_frames) == (None, 8, 0)
    assert Path(state.setup.data).name == "er.zarr"
    assert isinstance(state.shown, SampleResult)
    assert (state.shown.n_samples, state.shown.splits) == (40, ("train", "valid", "test"))
    assert len(state.planes) == 28


def test_places_turn_and_edges_stay(place):
    session = opened(place / "er")
    before = session.state.sample.sample
    assert isinstance(before, GraphSample)
    session.world.rotate(2, 7, 60.0)
    after = session.state.sample.sample
    matrix = Turn(2, 7, 60.0).matrix(8)
    assert np.allclose(after.z, before.z @ matrix.T, atol=1e-12)
    assert np.allclose(session.state.shown.rotation, matrix)
    assert np.allclose(after.probability, before.probability, atol=1e-5)
    session.history.undo()
    assert np.array_equal(session.state.sample.sample.z, before.z)
    session.world.random(3)
    session.world.reflect()
    assert np.linalg.det(session.state.shown.rotation) == pytest.approx(-1.0)


def test_the_edges_of_a_model_that_is_not_equivariant_change(place):
    session = opened(place / "gnn")
    before = session.state.sample.sample.probability
    session.world.random(1)
    assert np.abs(session.state.sample.sample.probability - before).max() > 1e-5


def test_samples_are_browsed_and_nodes_placed_anew(place):
    session = opened(place / "er")
    first = session.state.sample.sample
    session.system.new_noise()
    again = session.state.sample.sample
    assert np.array_equal(again.adjacency, first.adjacency)
    assert not np.allclose(again.z, first.z)
    session.data.step(-1)
    assert session.state.setup.index == 39
    session.system.next_seed()
    assert session.state.setup.index == 0
    session.data.choose_split("train")
    assert not np.array_equal(session.state.sample.sample.adjacency, first.adjacency)
    session.system.choose_sample(7)
    assert session.state.sample.sample.place.index == 7


def test_a_molecule_is_told_of(place):
    session = opened(place / "alpha")
    sample = session.state.sample.sample
    assert isinstance(sample, MoleculeSample)
    session.world.random(5)
    turned = session.state.sample.sample
    assert turned.told["alpha"] == pytest.approx(sample.told["alpha"], rel=1e-5)
    numbers = readouts(session.state)
    assert numbers.sources == ("alpha", "true")
    assert numbers.table[0][0] == "alpha [bohr^3]"
    assert "H, atom 1" in particle_words(session.state, 1)
    session.system.new_noise()
    assert texts(session)[1] == "only the nodes of graphs are placed from noise"


def test_back_to_a_scenario(place):
    session = opened(place / "er")
    session.world.rotate(0, 1, 30.0)
    session.comparison._runner = runner = InlineRunner()
    runner.submit = lambda request, callbacks: callbacks.done(result_for(request))
    session.system.choose_scenario("bound")
    state = session.state
    assert (state.sample, state.setup.task, state.setup.operations) == (None, "dynamics", ())
    assert state.result.setup.model == "fake"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task_model": "egnn-nbody"}, "is of the task 'dynamics'; expected 'autoencoder'"),
        ({"task_model": "nobody"}, "model"),
        ({"data": "gone.npz"}, "no such set of graphs"),
        ({"index": 40}, "index 40; it has 0 to 39"),
    ],
)
def test_what_cannot_be_shown_is_said_and_what_is_shown_stays(place, wrong, said):
    session = opened(place / "er")
    before = session.state.sample
    session.comparison.change(**wrong)
    assert texts(session)[0] == "error"
    assert said in texts(session)[1]
    assert session.state.sample is before
    assert session.state.setup == before.setup
    assert not session.state.busy


def test_a_set_without_a_model_asks_for_one(place, monkeypatch):
    monkeypatch.setattr(task_scenarios, "shipped_models_of_task", lambda task: {})
    session = opened(place / "er.npz")
    assert texts(session) == (
        "error",
        f"{place / 'er.npz'}: no model of the task 'autoencoder' ships; open one first",
    )
    assert session.state.result is not None


def test_scene_and_readouts(place):
    session = opened(place / "er")
    scene = scene_of(session.state)
    assert [pane.title for pane in scene.panes] == ["Graph", "er: decoded"]
    assert len(scene.labels) == 8
    session.picture.maximise(1)
    assert len(scene_of(session.state).panes) == 1
    numbers = readouts(session.state)
    assert [name for name, _ in numbers.table][:2] == ["nodes", "edges found"]
    assert particle_words(session.state, 2).startswith("node 2\nedges found")


def test_a_session_file_brings_it_back(place, tmp_path):
    session = opened(place / "er")
    session.world.rotate(1, 4, 15.0)
    session.files.save(str(tmp_path / "s.json"))
    saved = load_session(tmp_path / "s.json")
    other = opened()
    other.files.use(saved, "")
    assert np.array_equal(other.state.sample.sample.z, session.state.sample.sample.z)


def test_export_writes_what_is_seen_and_the_command_says_it(place, tmp_path):
    session = opened(place / "er")
    session.world.rotate(0, 3, 20.0)
    session.system.new_noise()
    dialogs = FakeDialogs()
    ACTIONS["copy-command"].run(session, dialogs)
    assert dialogs.copied == [
        f"python -m surrogate.compare {place / 'er'} --data {place / 'er.zarr'} --split test --index 0 "
        '--seed 1 --rotate "0-3:20" --out out/comparison'
    ]
    written = export(ExportRequest(session.state.setup, str(tmp_path / "out"), ()), lambda _: None, lambda: False)
    facts = json.loads((tmp_path / "out" / "graph.json").read_text())
    assert facts["command"] == dialogs.copied[0]
    assert sorted(Path(path).name for path in written) == ["edges.csv", "graph.json", "graph.png", "places.csv"]
    with pytest.raises(InputError, match="already exists"):
        export(ExportRequest(session.state.setup, str(tmp_path / "out"), ()), lambda _: None, lambda: False)


def test_a_plan_of_another_task(tmp_path):
    session = opened()
    session.training.set(config="autoencoder-er", out=str(tmp_path / "run"))
    plan = session.state.training.plan
    assert (plan.preset, plan.dims) == ("erdos-renyi", 8)
    assert trouble(plan) == {}
    (_, draw), (_, learn) = commands(plan)
    assert draw[2:6] == ["surrogate.graphs", "--preset", "erdos-renyi", "--out"]
    assert "model.embedding=8" in learn
    assert not any("train_samples" in a for a in learn)
    assert trouble(replace(plan, preset="charged-bound"))["data"].startswith("autoencoder-er learns from")
    session.training.set(preset="charged-bound")
    assert session.state.training.plan.config == STARTS["dynamics"]["config"]
    session.training.set(config="egnn-qm9-alpha")
    assert trouble(session.state.training.plan) == {}
    assert {"autoencoder-community", "egnn-qm9"} <= set(configs())


def test_a_training_is_seen_as_it_unfolds(place):
    session = opened()
    plan = TrainPlan(preset="", data=str(place / "er.zarr"), config="autoencoder-er", out=str(place / "er"))
    session.store.publish(training=replace(session.state.training, plan=plan, status="training"))
    session.training._report(TrainReport("training", (TrainRow("edges", 1, 2.0, 1.0),)))
    first = session.state.sample
    assert first.setup.task_model == str(place / "er")
    session.training._report(TrainReport("training", (TrainRow("edges", 1, 2.0, 1.0),) * 2))
    assert session.state.sample is not first
    assert session.state.models.of_tasks == (("autoencoder", str(place / "er")),)


def test_every_shipped_row_can_be_chosen():
    for name, row in task_scenarios.task_scenarios().items():
        found = sample_result(Setup(**task_scenarios.setup_fields(name)))
        assert found.sample.outside == (), name
        assert row.model == found.sample.model


@pytest.mark.gui
def test_the_window_shows_a_graph_and_makes_room_for_it(place, open_window, qtbot):
    window = open_window(runner=InlineRunner(), scenario="bound")
    session, docks = window.session, window.docks
    assert isinstance(docks, Docks)
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    session.files.open(str(place / "er"))
    qtbot.waitUntil(lambda: isinstance(window.viewport.on_screen, SampleResult))
    assert window.sample_bar.isVisible()
    assert not window.timeline.isVisible()
    assert docks.docks["curves"].isHidden()
    assert not window.actions_by_name["panel-curves"].isEnabled()
    assert window.actions_by_name["panel-train"].isEnabled()
    docks.bring_up("curves")
    assert "of trajectories only" in session.state.message.text
    assert len(window.panels["world"].planes.cells) >= 28
    window.panels["world"].plane_button(2, 7).click()
    session.world.set_angle(40.0)
    assert "2-7 by 40" in window.panels["world"].operations.text()
    assert "R" in window.panels["world"].matrix.text()
    window.sample_bar.forward.click()
    assert session.state.setup.index == 1
    assert window.sample_bar.index.value() == 1
    window.sample_bar.noise.click()
    assert window.sample_bar.seed.text() == "noise 1"
    assert window.panels["system"].particles.value() == len(session.state.sample.sample.z)
    session.system.choose_scenario("bound")
    qtbot.waitUntil(lambda: session.state.result is not None)
    assert not docks.docks["curves"].isHidden()
    assert window.actions_by_name["panel-curves"].isEnabled()
    assert window.timeline.isVisible()


QUIET = ("quit", "open", "save", "save-as", "start-training", "restore", "discard-kept", "paste-matrix")


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in QUIET])
def test_every_action_is_harmless_beside_a_sample(place, name, tmp_path):
    session = opened(place / "er")
    sample = session.state.sample
    session.comparison._runner = session.export._job._runner = LaterRunner()
    ACTIONS[name].run(session, FakeDialogs(folder=str(tmp_path / "out"), pasted="[[1]]"))
    for _ in range(3):
        session.clock.tick(0.1)
        session.tours.tick(0.1)
    assert session.state.sample is sample
    assert scene_of(session.state) is not None
    readouts(session.state)
