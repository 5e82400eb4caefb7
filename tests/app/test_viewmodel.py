"""Setup, actions, scene and read-outs; and that the view model stays free of Qt, VTK and PyTorch."""

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS, AREAS
from app.viewmodel.actions.file import EXPORT_FORMATS
from app.viewmodel.presenters.readouts import MEANINGS, ReadOut, energy_errors, readouts
from app.viewmodel.presenters.scene import pane_texts, scene_of
from app.viewmodel.session import Session
from app.viewmodel.state.commands import command_of
from app.viewmodel.state.draft import Moving
from app.viewmodel.state.setup import RandomTurn, Reflect, Setup, Turn, planes, rotation_matrix
from app.viewmodel.state.symmetry import NAMES
from app.viewmodel.state.view import MAX_PANES, View, chosen_basis
from app.viewmodel.state.view_state import ViewState
from surrogate.export import EXPORTERS
from surrogate.render.captions import short_number
from surrogate.render.projection import rounded_up
from tests.app.fakes import FakeDialogs, PromptRunner, comparison, prompt_session, result_for
from tests.patience import PATIENCE

# --- the rotation as options ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operations",
    [
        (),
        (Turn(0, 4, 30.0),),
        (Turn(0, 1, 123.4567), Turn(3, 2, -0.1 - 0.2), Turn(0, 1, 1e-7)),
        (RandomTurn(17),),
        (Reflect(2),),
        (Turn(1, 2, 45.0), Turn(0, 3, -170.0), Reflect(4)),
        (RandomTurn(2**32 - 1), Turn(1, 2, 45.0), Reflect(4), Turn(0, 1, 10.0), RandomTurn(0)),
    ],
)
def test_the_options_of_compare_give_the_same_matrix(operations):
    from surrogate.compare import command_parser
    from surrogate.comparison.ground_truth import rotation_of

    option = Setup(operations=operations).rotate_option
    parsed = command_parser().parse_args(["model", "--out", "x", *shlex.split(option)])
    same = rotation_of(5, parsed.rotate, parsed.random_rotation, parsed.reflect)
    assert np.allclose(same.matrix, rotation_matrix(operations, 5), rtol=0, atol=1e-12)


def test_the_command_is_one_that_compare_takes():
    from surrogate.compare import command_parser

    setup = Setup(scenario="bound", dims=5, particles=6, seed=2, operations=(Turn(0, 4, 30.0),))
    parsed = command_parser().parse_args(shlex.split(command_of(setup, "egnn-nd"))[3:])
    assert (parsed.model, parsed.scenario, parsed.dims, parsed.particles, parsed.seed) == (
        "egnn-nd", "bound", 5, 6, 2,
    )  # fmt: skip
    stored = command_of(Setup(scenario="", data="a.npz", index=3, model="m"), "m")
    parsed = command_parser().parse_args(shlex.split(stored)[3:])
    assert (parsed.data, parsed.index, parsed.split) == ("a.npz", 3, "test")


def test_the_command_names_the_clamped_law():
    from surrogate.compare import command_parser

    for clamped, law in ((True, "reference"), (False, None)):
        command = command_of(Setup(scenario="bound", clamped=clamped), "egnn-nd")
        assert command_parser().parse_args(shlex.split(command)[3:]).law == law


@pytest.mark.parametrize(("contrast", "n_lines"), [("", 1), ("other", 2)])
def test_a_copied_command_for_each_model(contrast, n_lines):
    session, dialogs = prompt_session(contrast=contrast), FakeDialogs()
    ACTIONS["copy-command"].run(session, dialogs)
    command, *second = dialogs.copied[0].split("\n")
    assert len(second) == n_lines - 1
    assert command.startswith("python -m surrogate.compare")
    assert all(line.startswith(f"python -m surrogate.compare {contrast}") for line in second)
    assert shlex.split(dialogs.copied[0], comments=True)[0] == "python"


def test_a_path_with_a_space_stays_one_word():
    from surrogate.compare import command_parser

    setup = Setup(scenario="my scenes/a b.toml", model="my runs/x")
    parsed = command_parser().parse_args(shlex.split(command_of(setup, "x"))[3:])
    assert (parsed.model, parsed.scenario) == ("my runs/x", "my scenes/a b.toml")


def test_planes_and_operations_in_words():
    assert planes(1) == []
    assert [len(planes(n)) for n in (2, 5, 8)] == [1, 10, 28]
    assert [str(o) for o in (Turn(0, 4, 30.0), RandomTurn(3), Reflect(1))] == [
        "0-4 by 30°", "random 3", "reflect x1",
    ]  # fmt: skip


# --- actions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 5])
@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_runs(name, dims):
    session, dialogs = prompt_session(dims=dims), FakeDialogs(pasted=repr(np.eye(dims).tolist()))
    ACTIONS[name].run(session, dialogs)
    assert session.state.message is None or session.state.message.kind == "info"
    assert session.state.spinning == (name == "spin" and dims > 1)


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_runs_before_there_is_a_picture(name):
    session = Session(PromptRunner())
    ACTIONS[name].run(session, FakeDialogs(path="", folder=""))


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_says_what_it_is(name):
    action = ACTIONS[name]
    assert action.title
    assert action.group in (
        "File",
        "Edit",
        "Playback",
        "Picture",
        "World",
        "Tours",
        "Scene",
        "Models",
        "View",
        "Help",
    )
    if action.one_of_many:
        session = prompt_session()
        action.run(session, FakeDialogs())
        assert action.checked(session.state)
        action.run(session, FakeDialogs())
        assert action.checked(session.state)
    elif action.checked is not None:
        session = prompt_session()
        before = action.checked(session.state)
        action.run(session, FakeDialogs())
        assert action.checked(session.state) != before
        action.run(session, FakeDialogs())
        assert action.checked(session.state) == before


def test_no_two_areas_name_the_same_action():
    counts = Counter(name for area in AREAS for name in area.ACTIONS)
    assert counts == dict.fromkeys(ACTIONS, 1)


def test_shortcuts_are_unique():
    from app.views.panels import COMMANDS

    for moving in (None, Moving()):
        state = replace(ViewState(), moving=moving)
        able = [a for a in COMMANDS.values() if a.enabled is None or a.enabled(state)]
        counts = Counter(a.shortcut.lower() for a in able if a.shortcut)
        assert len(counts) > len(ACTIONS) // 2
        assert [shortcut for shortcut, count in counts.items() if count > 1] == []


def test_what_the_actions_do():
    session, dialogs = prompt_session(dims=4), FakeDialogs()
    for _ in range(7):
        ACTIONS["next-plane"].run(session, dialogs)
    assert session.state.plane == (0, 2)
    ACTIONS["previous-plane"].run(session, dialogs)
    assert session.state.plane == (0, 1)
    ACTIONS["turn"].run(session, dialogs)
    ACTIONS["turn"].run(session, dialogs)
    ACTIONS["turn-back"].run(session, dialogs)
    assert session.state.setup.operations == (Turn(0, 1, 15.0),)
    ACTIONS["copy-command"].run(session, dialogs)
    ACTIONS["copy-matrix"].run(session, dialogs)
    assert dialogs.copied[0].startswith("python -m surrogate.compare")
    assert np.allclose(json.loads(dialogs.copied[1]), rotation_matrix((Turn(0, 1, 15.0),), 4))
    ACTIONS["quit"].run(session, dialogs)
    assert dialogs.quits == 1
    ACTIONS["open"].run(session, dialogs)
    assert session.state.setup.scenario == dialogs.path
    ACTIONS["export"].run(session, dialogs)
    assert f"exported {len(EXPORT_FORMATS)} files" in session.state.message.text
    assert set(EXPORT_FORMATS) <= set(EXPORTERS)


# --- scene ------------------------------------------------------------------------------------------------


def state_of(setup: Setup = Setup(model="a"), **view: object) -> ViewState:  # noqa: B008  (frozen)
    return ViewState(setup=setup, result=result_for(setup), view=View(**view))


@pytest.mark.parametrize(
    ("contrast", "rollout", "count"), [("", False, 2), ("", True, 3), ("b", False, 3), ("b", True, 4)]
)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_panes(n, contrast, rollout, count):
    state = state_of(Setup(model="a", contrast=contrast, dims=n), show_rollout=rollout)
    scene = scene_of(state, state.result.frames)
    assert len(scene.panes) == count <= MAX_PANES
    assert [p.source for p in scene.panes][:2] == ["truth", "forecast"]
    assert len(scene.labels) == n
    assert scene.flat == (n < 3)
    if contrast:
        assert scene.panes[-1].source == "forecast"
        assert "b" in scene.panes[-1].title


@pytest.mark.parametrize("rollout", [False, True])
def test_the_whole_words_of_every_pane(rollout):
    setup = Setup(model="a", contrast="b")
    other = replace(comparison(3, model_name="b"), outside_training=("law coulomb",))
    state = ViewState(setup, result_for(setup, contrast=other), view=View(show_rollout=rollout))
    scene = scene_of(state, state.result.frames)
    texts = pane_texts(scene)
    assert len(texts) == len(scene.panes)
    for text, pane in zip(texts, scene.panes, strict=True):
        assert text.split("\n") == [part for part in (pane.title, pane.subtitle, pane.badge) if part]
    assert texts[-1].endswith("outside training: law coulomb")
    assert pane_texts(None) == []


def test_no_picture_no_scene():
    assert scene_of(ViewState(), result_for(Setup()).frames) is None


def test_the_contrast_is_shown_at_the_same_time():
    setup = Setup(model="a", contrast="b")
    result = result_for(setup)
    late = comparison(3, 12)
    cut = {name: getattr(late.truth, name)[4:] for name in ("times", "positions", "velocities")}
    truth = replace(late.truth, **cut)
    result = replace(result, contrast=replace(late, truth=truth, forecast=truth, rollout=None))
    state = ViewState(setup=setup, result=result)
    state = replace(state, playback=replace(state.playback, position=9.0))
    scene = scene_of(state, result.frames)
    expected = late.truth.positions[9]
    seen = scene.panes[-1].points
    assert np.allclose(np.linalg.norm(seen, axis=1), np.linalg.norm(expected, axis=1), atol=1e-5)


def test_chosen_axes_are_the_ones_drawn():
    state = state_of(Setup(model="a", dims=5), axes=(4, 1, 2))
    scene = scene_of(state, state.result.frames)
    truth = state.result.comparison.truth.positions[0]
    assert np.allclose(scene.panes[0].points, truth[:, [4, 1, 2]], atol=1e-6)
    assert chosen_basis(View(), 5) is None
    assert chosen_basis(View(axes=(0, 1, 2)), 3) is None


@pytest.mark.parametrize("n", [2, 3, 5])
def test_no_rotation_changes_the_frame(n):
    plain = result_for(Setup(model="a", dims=n)).frames
    for operations in ((Turn(0, 1, 33.0),), (RandomTurn(3),), (Reflect(0),), (RandomTurn(1), Turn(0, n - 1, 5.0))):
        turned = result_for(Setup(model="a", dims=n, operations=operations)).frames
        assert turned.radius == plain.radius
        assert turned.error_limit == plain.error_limit
        assert not turned.centre.any()


def test_the_frame_holds_the_truth_but_not_a_runaway():
    result = result_for(Setup(model="a"))
    truth = result.comparison.truth
    reach = np.linalg.norm(truth.positions, axis=-1).max()
    assert result.frames.radius >= reach
    lost = replace(truth, positions=truth.positions * 1e9)
    wild = replace(result, comparison=replace(result.comparison, forecast=lost))
    assert wild.frames.radius < 20 * reach


@pytest.mark.parametrize("value", [0.0137, 1.0, 2.0, 9.99, 123.4])
def test_rounded_up(value):
    up = rounded_up(value)
    assert value < up <= 1.13 * value
    assert rounded_up(value * (1 + 1e-9)) == up
    assert rounded_up(0.0) == rounded_up(float("nan")) == 1.0


# --- read-outs --------------------------------------------------------------------------------------------


def test_readouts_follow_the_frame():
    assert readouts(ViewState()) == ReadOut()
    state = state_of(Setup(model="a", contrast="b", operations=(Turn(0, 1, 10.0),)))
    now = readouts(state)
    assert now.sources == ("a", "b", "engine")
    assert all(len(values) == 3 for _, values in now.table)
    assert set(dict(now.table)) | set(dict(now.lines)) <= set(MEANINGS)
    assert set(NAMES) < set(dict(now.table))
    assert dict(now.table)["reflection"] == ("1e-07", "1e-01", "1e-13")
    later = readouts(replace(state, playback=replace(state.playback, position=9.0)))
    expected = state.result.comparison.position_rmse()[9]
    assert dict(later.table)["RMSE"][0] == short_number(float(expected))
    assert dict(later.table)["RMSE"] != dict(now.table)["RMSE"]
    assert "a is equivariant to round-off. b is not equivariant" in now.explanation


def test_energy_errors_are_a_share_of_the_kinetic_energy():
    energies = {"truth": np.array([1.0, 1.5]), "forecast": np.array([1.5, -1.0])}
    result = result_for(Setup(model="a"), energies=energies, kinetic=2.0)
    errors = energy_errors(result)
    assert errors["truth"].tolist() == [0.0, 0.25]
    assert errors["forecast"].tolist() == [0.25, -1.0]
    assert dict(readouts(ViewState(result=result)).table)["energy"][0] == "+0.25"
    unknown = replace(result, energies={})
    assert energy_errors(unknown) == {}
    assert "energy" not in dict(readouts(ViewState(result=unknown)).table)


def test_a_clamp_that_never_acts_is_said():
    result = result_for(Setup(model="a", clamped=True), clamp_note="the clamp was never reached: try seed 1")
    assert readouts(ViewState(result=result)).explanation.startswith("The clamp was never reached: try seed 1.")


# --- what is imported -------------------------------------------------------------------------------------


def test_the_view_model_loads_no_qt_no_vtk_no_torch():
    code = (
        "import sys, pkgutil, importlib, app.viewmodel as p\n"
        "for m in pkgutil.walk_packages(p.__path__, 'app.viewmodel.'): importlib.import_module(m.name)\n"
        "import app.__main__\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('PySide6', 'vtkmodules', 'pyvista', 'pyvistaqt', 'pyqtgraph', 'torch', 'matplotlib')])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert out.stdout.strip() == "[]"


def test_only_the_views_name_qt():
    from pathlib import Path

    import app

    word = re.compile(r"^\s*(from|import)\s+(PySide6|pyvistaqt|pyvista|pyqtgraph|vtkmodules|vtk)\b", re.MULTILINE)
    files = [p for p in Path(app.__file__).parent.rglob("*.py") if "views" not in p.parts]
    assert len(files) > 8
    assert [p.name for p in files if word.search(p.read_text())] == []
