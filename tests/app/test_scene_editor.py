"""The scene editor without a window: drafts, undo, validation, files; then with the real simulation."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.readouts import readouts
from app.viewmodel.session import Session
from app.viewmodel.state import own_fields, own_scene
from app.viewmodel.state.draft import Draft, shown
from app.viewmodel.state.own_scene import columns, problems, scenario_of_scene, values
from app.viewmodel.state.saved import SavedSession, load_session, save_session
from app.viewmodel.state.setup import OwnScene, Setup, Turn
from app.viewmodel.state.view_state import Playback, View, ViewState
from app.viewmodel.worker.commands import command_of
from app.viewmodel.worker.runner import InlineRunner
from app.viewmodel.worker.work import ExportRequest, export, prepare
from physics.cli import run_command
from physics.errors import InputError
from physics.forces import FORCES
from physics.laws import parameter_limits
from physics.scenarios import load_scenario
from surrogate.compare import main as compare
from surrogate.render.hud import sizes_line
from tests.app.fakes import FakeDialogs, later_session, prompt_session, texts

SCENE = OwnScene(
    "Three",
    "coulomb",
    (("eps", 0.1), ("p", 2.0), ("kappa", 0.0)),
    (1.0, -1.0, 1.0),
    (1.0, 2.0, 1.0),
    ((1.0, 0.0, 0.0), (-1.0, 0.1, 0.0), (0.0, 1.5, 1 / 3)),
    ((0.0, 0.3, 0.0), (0.0, -0.3, 0.1), (0.2, 0.0, 0.0)),
    duration=4.0,
)


def session_with(scene: OwnScene = SCENE) -> Session:
    session = prompt_session(scenario="", own=scene)
    assert session.state.prepared.scene == scene
    return session


def test_what_cannot_be_is_said_and_changes_nothing():
    session = prompt_session()
    session.scene.set_particles(2)
    for at in range(2):
        session.scene.set_value(at, "mass", "0")
    before = session.state.draft
    session.scene.zero_momentum()
    assert "no centre of mass" in texts(session)[1]
    session.scene.scale("1e308")
    session.scene.scale("1e308")
    assert "too large" in texts(session)[1]
    assert np.isfinite(session.state.draft.scene.positions).all()
    assert session.state.draft.scene.velocities == before.scene.velocities


def test_pure_edits():
    assert columns(SCENE) == ["charge", "mass", "x0", "x1", "x2", "v0", "v1", "v2"]
    assert values(SCENE)[1] == [-1.0, 2.0, -1.0, 0.1, 0.0, 0.0, -0.3, 0.1]
    more = own_scene.with_particle(SCENE)
    assert (more.n_particles, more.charges[-1], more.velocities[-1]) == (4, -1.0, (0.0, 0.0, 0.0))
    assert more.positions[-1] not in SCENE.positions
    copy = own_scene.duplicated(SCENE, 1)
    assert copy.masses == (1.0, 2.0, 1.0, 2.0)
    assert copy.positions[3] != copy.positions[1]
    assert own_scene.without(SCENE, (0, 2)).charges == (-1.0,)
    assert own_scene.resized(SCENE, 5).n_particles == 5
    assert own_scene.resized(SCENE, 2).positions == SCENE.positions[:2]
    still = own_scene.at_rest(SCENE)
    assert np.allclose(np.array(still.masses) @ np.array(still.velocities), 0.0, atol=1e-15)
    assert own_scene.scaled(SCENE, 2.0).positions[0] == (2.0, 0.0, 0.0)
    flat = own_scene.with_dims(SCENE, 2)
    assert (flat.n_dims, flat.positions[2]) == (2, (0.0, 1.5))
    assert own_scene.with_dims(flat, 4).positions[2] == (0.0, 1.5, 0.0, 0.0)
    drawn = own_scene.drawn(SCENE, "charged-bound", 4)
    assert drawn == own_scene.drawn(SCENE, "charged-bound", 4) != own_scene.drawn(SCENE, "charged-bound", 5)
    assert len(set(own_scene.drawn(SCENE, "law-gravity", 4).masses)) == 3
    assert own_scene.with_value(SCENE, 2, "v1", 9.0).velocities[2] == (0.2, 9.0, 0.0)
    assert own_scene.with_value(SCENE, 0, "mass", 3.0).masses == (3.0, 2.0, 1.0)


@pytest.mark.parametrize("law", FORCES)
def test_every_law_brings_its_parameters_with_defaults_and_limits(law):
    scene = own_scene.with_law(SCENE, law)
    assert [name for name, _ in scene.parameters] == list(FORCES[law].defaults)
    assert problems(replace(scene, masses=(1.0, 1.0, 1.0))) == {}
    for name, _ in scene.parameters:
        assert parameter_limits(name)
        bad = problems(own_scene.with_parameter(scene, name, -1.0))
        limited = parameter_limits(name) in ("0 or more", "above 0")
        assert (f"parameter {name}" in bad) == limited


@pytest.mark.parametrize(
    ("change", "field"),
    [({"title": " "}, "title"), ({"duration": 0.01}, "duration"), ({"masses": (1.0, 0.0, 1.0)}, "mass 1"),
     ({"parameters": (("eps", -1.0),)}, "parameter eps"),
     ({"law": "reference", "parameters": (), "positions": ((0.0,) * 3,) * 3}, "particles")],
)  # fmt: skip
def test_what_is_wrong_is_said_by_field(change, field):
    assert field in problems(replace(SCENE, **change))
    assert problems(SCENE) == {}


def test_edits_are_a_draft_until_applied_and_each_can_be_undone():
    session = session_with()
    session.scene.set_value(0, "x0", "1.25")
    session.scene.set_parameter("p", "gauss")
    session.scene.set_law("gravity")
    session.scene.set_parameter("G", "0.5")
    assert session.state.setup.own == SCENE  # nothing simulated yet
    draft = session.scene.draft
    assert draft.edited
    assert dict(draft.scene.parameters) == {"eps": 0.1, "G": 0.5}
    session.undo()
    session.undo()
    assert dict(session.scene.draft.scene.parameters)["p"] == "gauss"
    session.undo()
    assert session.scene.draft.scene == own_scene.with_value(SCENE, 0, "x0", 1.25)
    session.redo()
    ACTIONS["apply-scene"].run(session, FakeDialogs())
    own = session.state.setup.own
    assert own.title == "Three (edited)"
    assert dict(own.parameters)["p"] == "gauss"
    assert session.state.draft is None
    assert session.state.prepared.scene == own
    session.undo()
    assert session.state.setup.own == SCENE
    assert session.scene.draft.edited  # as before it was applied
    ACTIONS["revert-scene"].run(session, FakeDialogs())
    assert session.scene.draft == Draft(SCENE, SCENE)


def test_what_is_no_number_stays_beside_its_message_and_is_not_applied():
    session = session_with()
    session.scene.set_value(1, "mass", "heavy")
    draft = session.scene.draft
    assert draft.text("mass 1", 2.0) == "heavy"
    assert "not a number" in draft.trouble()["mass 1"]
    ACTIONS["apply-scene"].run(session, FakeDialogs())
    assert texts(session) == ("error", "mass 1: 'heavy' is not a number")
    session.scene.set_value(1, "mass", "-3")
    assert "above 0" in session.scene.draft.trouble()["mass 1"]
    session.scene.set_value(1, "mass", "3")
    assert session.scene.draft.trouble() == {}
    session.scene.set_duration("inf")
    session.scene.set_parameter("eps", "-1")
    assert set(session.scene.draft.trouble()) == {"duration", "parameter eps"}


def test_a_text_that_stands_there_already_does_not_round_the_value():
    session = session_with()
    assert shown(1 / 3) == "0.3333"
    session.scene.set_value(2, "x2", "0.3333")
    session.scene.set_duration("4")
    session.scene.set_parameter("eps", "0.1")
    assert not session.scene.draft.edited
    session.scene.set_value(2, "x2", "0.333")
    assert session.scene.draft.scene.positions[2][2] == 0.333


def test_actions_on_particles():
    session, dialogs = session_with(), FakeDialogs()
    ACTIONS["edit-scene"].run(session, dialogs)
    assert dialogs.shown == ["scene"]
    ACTIONS["add-particle"].run(session, dialogs)
    session.scene.duplicate((0, 1))
    session.scene.remove((0,))
    assert session.scene.draft.scene.n_particles == 5
    session.scene.set_particles(999)
    assert session.scene.draft.scene.n_particles == own_scene.MAX_PARTICLES
    session.scene.set_particles(3)
    session.scene.set_dims(5)
    session.scene.draw("charged-iso", 3)
    ACTIONS["zero-momentum"].run(session, dialogs)
    session.scene.scale("2")
    scene = session.scene.draft.scene
    assert (scene.n_dims, scene.n_particles) == (5, 3)
    session.scene.scale("twice")
    assert texts(session)[0] == "error"
    session.scene.remove((0, 1))
    assert f"2 to {own_scene.MAX_PARTICLES}" in session.scene.draft.trouble()["particles"]


def test_the_draft_goes_when_something_else_is_shown_and_stays_under_a_turn():
    session, runner = later_session()
    session.scene.add()
    session.world.rotate(0, 1, 20.0)
    runner.finish()
    assert session.state.draft is not None
    session.system.choose_dims(4)
    runner.finish()
    assert session.state.draft is None


def test_a_draft_that_cannot_be_simulated_is_kept_with_the_reason():
    session, runner = later_session()
    session.scene.set_value(0, "x0", "77")
    session.scene.apply()
    runner.fail("the simulation does not like it")
    assert texts(session) == ("error", "the simulation does not like it")
    assert session.scene.draft.scene.positions[0][0] == 77.0
    assert session.state.setup.own is None


def test_nothing_to_edit_before_the_first_comparison():
    session = Session(InlineRunner(), ViewState())
    session.scene.add()
    session.scene.apply()
    session.scene.save("never.toml")
    assert session.scene.draft is None


def test_a_rotation_keeps_the_planes_there_are():
    session = prompt_session(scenario="", own=SCENE, operations=(Turn(0, 2, 30.0), Turn(0, 1, 5.0)))
    session.scene.set_dims(2)
    session.scene.apply()
    assert session.state.setup.operations == (Turn(0, 1, 5.0),)


def test_a_session_file_holds_the_scene(tmp_path):
    own = replace(SCENE, parameters=(("eps", 0.1), ("p", "gauss"), ("kappa", 0.0)))
    saved = SavedSession(Setup(scenario="", own=own), View(), Playback(), (0, 1))
    save_session(tmp_path / "s.json", saved)
    assert load_session(tmp_path / "s.json") == saved
    tree = json.loads((tmp_path / "s.json").read_text())
    tree["content"]["setup"]["own"]["charges"] = [1.0]
    (tmp_path / "s.json").write_text(json.dumps(tree))
    with pytest.raises(InputError, match=r"own\.charges"):
        load_session(tmp_path / "s.json")


def test_the_command_names_the_file_to_save():
    session, dialogs = session_with(), FakeDialogs()
    ACTIONS["copy-command"].run(session, dialogs)
    assert "own-scene.toml" in dialogs.copied[0].splitlines()[0]
    assert dialogs.copied[0].startswith("# save your scene")
    assert "--scenario own-scene.toml" in command_of(session.state.setup, "m")


def test_a_drawn_scenario_edited_and_unedited_is_the_same_film(tmp_path):
    drawn = prepare(Setup(scenario="bound", model="integrator-nd"))
    own = prepare(Setup(scenario="", own=drawn.scene, model="integrator-nd"))
    assert np.array_equal(drawn.comparison.truth.positions, own.comparison.truth.positions)
    assert np.array_equal(drawn.comparison.truth.times, own.comparison.truth.times)
    assert own.scene == drawn.scene
    assert own.comparison.outside_training == drawn.comparison.outside_training


def test_a_saved_scene_opens_with_the_same_bits_and_compare_takes_it(tmp_path):
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="", own=SCENE, model="integrator-nd")))
    session.start()
    session.scene.draw("charged-iso", 8)
    session.scene.set_value(0, "x0", "0.1234567890123456789")
    wanted = session.scene.draft.scene
    path = str(tmp_path / "mine.toml")
    ACTIONS["save-scene"].run(session, FakeDialogs(scenario=path))
    assert session.state.setup.scenario == path
    assert session.state.setup.own is None
    assert texts(session) == ("info", "saved mine.toml")
    assert session.state.preferences.recent[0] == path
    system, state = load_scenario(path).initial()
    assert state.positions.tolist() == [list(row) for row in wanted.positions]
    assert system.masses.tolist() == list(wanted.masses)
    assert replace(session.state.prepared.scene, title="") == replace(wanted, title="")
    assert f"--scenario {path}" in session.state.prepared.comparison.command
    session.files.open(path)
    assert session.state.setup.scenario == path
    given = ["integrator-nd", "--scenario", path, "--evaluations", "4", "--formats", "npz"]
    assert run_command(compare, [*given, "--out", str(tmp_path / "out")]) == 0
    assert run_command(compare, [*given, "--tolerance", "0", "--out", str(tmp_path / "no")]) == 2
    assert run_command(compare, ["gnn-nbody", *given[1:], "--out", str(tmp_path / "no")]) == 2
    ACTIONS["save-scene"].run(session, FakeDialogs(scenario=str(tmp_path / "no" / "where.toml")))
    assert texts(session)[0] == "error"


def test_coincident_particles_are_refused_before_the_simulation():
    scene = own_scene.with_law(replace(SCENE, positions=((0.0,) * 3,) * 3), "reference")
    with pytest.raises(InputError):
        prepare(Setup(scenario="", own=scene, model="integrator-nd"))
    assert scenario_of_scene(SCENE).initial()[1].n_dims == 3


def test_every_number_of_the_fields_is_edited_undone_and_refused_by_name():
    session = session_with()
    for name in own_fields.field_names(3):
        session.scene.set_field(name, "0.5")
        assert own_fields.field_values(session.scene.draft.scene)[name] == 0.5
    scene = session.scene.draft.scene
    assert (scene.electric, scene.magnetic, scene.drag, scene.trap) == ((0.5,) * 3, (0.5,) * 3, 0.5, 0.5)
    assert session.scene.draft.trouble() == {}
    session.scene.set_field("B0-2", "0")
    assert session.scene.draft.scene.magnetic == (0.5, 0.0, 0.5)
    session.undo()
    assert session.scene.draft.scene == scene
    session.scene.set_field("E1", "north")
    session.scene.set_field("drag", "-2")
    assert session.scene.draft.trouble() == {
        "E1": "'north' is not a number", "drag": "drag must be 0 or more; got -2",
    }  # fmt: skip
    ACTIONS["clear-fields"].run(session, FakeDialogs())
    assert session.scene.draft == Draft(SCENE, SCENE)
    session.scene.set_law("reference")
    session.scene.set_field("B0-1", "1")
    assert "takes no magnetic field" in session.scene.draft.trouble()["fields"]
    with pytest.raises(InputError, match="no field 'B0-3' in 3 dimensions"):
        own_fields.with_field(SCENE, "B0-3", 1.0)


def test_fields_follow_the_dimension_and_are_the_engines():
    scene = replace(SCENE, electric=(0.1, 0.2, 0.3), magnetic=(1.0, 2.0, 3.0), drag=0.5, trap=-1.0)
    four = own_scene.with_dims(scene, 4)
    assert (four.electric, four.magnetic) == ((0.1, 0.2, 0.3, 0.0), (1.0, 2.0, 0.0, 3.0, 0.0, 0.0))
    assert own_scene.with_dims(four, 3) == scene
    assert own_scene.with_dims(scene, 2).magnetic == (1.0,)
    assert own_scene.with_dims(replace(scene, magnetic=(0.0, 0.0, 3.0)), 2).magnetic == ()
    fields = own_fields.fields_of(scene)
    assert fields.magnetic.tolist() == [[0.0, 1.0, 2.0], [-1.0, 0.0, 3.0], [-2.0, -3.0, 0.0]]
    assert own_fields.with_fields_of(SCENE, fields) == scene
    with pytest.raises(InputError, match="magnetic must have 3 planes for n = 3; got 2"):
        scenario_of_scene(replace(scene, magnetic=(1.0, 2.0)))


FIELDED = replace(
    SCENE, electric=(0.3, 0.0, -0.1), magnetic=(2.0, 0.5, 0.0), drag=0.1, trap=0.4, duration=2.0, dt=2e-3
)


def test_a_scene_with_fields_is_simulated_turned_along_and_said_to_be_outside_training(tmp_path):
    plain = prepare(Setup(scenario="", own=FIELDED, model="integrator-nd"))
    assert plain.scene == FIELDED  # a draft of it is the same scene
    assert "electric field, magnetic field, drag, trap (trained: none)" in plain.comparison.outside_training
    assert plain.comparison.details["fields"]["drag"] == 0.1
    assert "coulomb, electric field, magnetic field" in sizes_line(plain.comparison)
    assert plain.advice == ""
    turned = prepare(Setup(scenario="", own=FIELDED, model="integrator-nd", operations=(Turn(0, 2, 50.0),)))
    assert turned.truth_residual.max() < 1e-9  # E as R E, B as R B R^T
    for made in (plain, turned):
        errors = made.symmetry["engine"].errors
        assert max(errors[name].max() for name in ("rotation", "reflection", "permutation")) < 1e-6
        assert errors["translation"].max() > 0.01
        text = readouts(ViewState(setup=made.setup, prepared=made)).explanation
        assert "A translation is no symmetry of it: the trap is about the origin." in text
    assert turned.scene == FIELDED
    drops = np.diff(plain.energies["truth"])
    assert (drops < 0).all()  # the drag's


def test_fields_are_in_the_session_file_and_in_the_scenario_file(tmp_path):
    saved = SavedSession(Setup(scenario="", own=FIELDED), View(), Playback(), (0, 1))
    save_session(tmp_path / "s.json", saved)
    assert load_session(tmp_path / "s.json") == saved
    session = session_with(FIELDED)
    session.scene.set_field("E2", "0.1234567890123456789")
    wanted = own_fields.fields_of(session.scene.draft.scene)
    path = str(tmp_path / "fields.toml")
    ACTIONS["save-scene"].run(session, FakeDialogs(scenario=path))
    assert texts(session) == ("info", "saved fields.toml")
    assert load_scenario(path).fields.packed(3).tobytes() == wanted.packed(3).tobytes()


def test_an_export_of_an_own_scene_holds_its_file(tmp_path):
    request = ExportRequest(Setup(scenario="", own=SCENE, model="integrator-nd"), str(tmp_path / "out"), ("npz",))
    paths = export(request, lambda _: None, lambda: False)
    assert str(tmp_path / "out" / "own-scene.toml") in paths
    _, state = load_scenario(paths[-1]).initial()
    assert state.positions.tolist() == [list(row) for row in SCENE.positions]
