"""The system editor without a window: drafts, undo, validation, files; then with the real simulation."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.sessions import SavedSession, load_session, save_session
from app.viewmodel.presenters.readouts import readouts
from app.viewmodel.session import Session
from app.viewmodel.state import own_fields, own_system
from app.viewmodel.state.commands import command_of
from app.viewmodel.state.draft import Draft, shown
from app.viewmodel.state.own_system import columns, problems, scenario_of_system, values
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import OwnSystem, Setup, Turn
from app.viewmodel.state.view import View
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.export import ExportRequest, export
from app.viewmodel.worker.runner import InlineRunner
from physics.cli import run_command
from physics.errors import InputError
from physics.laws import LAWS
from physics.scenarios import load_scenario
from surrogate.compare import main as compare
from surrogate.render.hud import sizes_line
from tests.app.fakes import FakeDialogs, later_session, prompt_session, texts

SCENE = OwnSystem(
    "Three",
    "coulomb",
    (("eps", 0.1), ("p", 2.0), ("kappa", 0.0)),
    (1.0, -1.0, 1.0),
    (1.0, 2.0, 1.0),
    ((1.0, 0.0, 0.0), (-1.0, 0.1, 0.0), (0.0, 1.5, 1 / 3)),
    ((0.0, 0.3, 0.0), (0.0, -0.3, 0.1), (0.2, 0.0, 0.0)),
    duration=4.0,
)


def session_with(system: OwnSystem = SCENE) -> Session:
    session = prompt_session(scenario="", own=system)
    assert session.state.result.system == system
    return session


def test_what_cannot_be_is_said_and_changes_nothing():
    session = prompt_session()
    session.editor.set_particles(2)
    for at in range(2):
        session.editor.set_value(at, "mass", "0")
    before = session.state.draft
    session.editor.zero_momentum()
    assert "no centre of mass" in texts(session)[1]
    session.editor.scale("1e308")
    session.editor.scale("1e308")
    assert "too large" in texts(session)[1]
    assert np.isfinite(session.state.draft.system.positions).all()
    assert session.state.draft.system.velocities == before.system.velocities


def test_pure_edits():
    assert columns(SCENE) == ["charge", "mass", "x0", "x1", "x2", "v0", "v1", "v2"]
    assert values(SCENE)[1] == [-1.0, 2.0, -1.0, 0.1, 0.0, 0.0, -0.3, 0.1]
    more = own_system.with_particle(SCENE)
    assert (more.n_particles, more.charges[-1], more.velocities[-1]) == (4, -1.0, (0.0, 0.0, 0.0))
    assert more.positions[-1] not in SCENE.positions
    copy = own_system.duplicated(SCENE, 1)
    assert copy.masses == (1.0, 2.0, 1.0, 2.0)
    assert copy.positions[3] != copy.positions[1]
    assert own_system.without(SCENE, (0, 2)).charges == (-1.0,)
    assert own_system.resized(SCENE, 5).n_particles == 5
    assert own_system.resized(SCENE, 2).positions == SCENE.positions[:2]
    still = own_system.at_rest(SCENE)
    assert np.allclose(np.array(still.masses) @ np.array(still.velocities), 0.0, atol=1e-15)
    assert own_system.scaled(SCENE, 2.0).positions[0] == (2.0, 0.0, 0.0)
    flat = own_system.with_dims(SCENE, 2)
    assert (flat.n_dims, flat.positions[2]) == (2, (0.0, 1.5))
    assert own_system.with_dims(flat, 4).positions[2] == (0.0, 1.5, 0.0, 0.0)
    drawn = own_system.drawn(SCENE, "charged-bound", 4)
    assert drawn == own_system.drawn(SCENE, "charged-bound", 4) != own_system.drawn(SCENE, "charged-bound", 5)
    assert len(set(own_system.drawn(SCENE, "law-gravity", 4).masses)) == 3
    assert own_system.with_value(SCENE, 2, "v1", 9.0).velocities[2] == (0.2, 9.0, 0.0)
    assert own_system.with_value(SCENE, 0, "mass", 3.0).masses == (3.0, 2.0, 1.0)


def test_a_mass_of_zero_is_a_test_particle_of_gravity_alone():
    tracers = replace(own_system.with_law(SCENE, "gravity"), masses=(1.0, 0.0, 0.0))
    assert problems(tracers) == {}
    session_with(tracers)
    for bad in (replace(tracers, law="coulomb", parameters=SCENE.parameters), replace(tracers, trap=1.0)):
        assert "mass 1" in problems(bad)
    assert list(problems(replace(tracers, masses=(1.0, -1.0, 0.0)))) == ["mass 1"]


@pytest.mark.parametrize("law", LAWS)
def test_every_law_brings_its_parameters_with_defaults_and_limits(law):
    system = own_system.with_law(SCENE, law)
    assert [name for name, _ in system.parameters] == list(LAWS[law].defaults)
    assert problems(replace(system, masses=(1.0, 1.0, 1.0))) == {}
    for name, _ in system.parameters:
        limits = LAWS[law].parameters[name].limits
        assert limits
        bad = problems(own_system.with_parameter(system, name, -1.0))
        limited = limits in ("0 or more", "above 0")
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
    session.editor.set_value(0, "x0", "1.25")
    session.editor.set_parameter("p", "gauss")
    session.editor.set_law("gravity")
    session.editor.set_parameter("G", "0.5")
    assert session.state.setup.own == SCENE  # nothing simulated yet
    draft = session.editor.draft
    assert draft.edited
    assert dict(draft.system.parameters) == {"eps": 0.1, "G": 0.5}
    session.history.undo()
    session.history.undo()
    assert dict(session.editor.draft.system.parameters)["p"] == "gauss"
    session.history.undo()
    assert session.editor.draft.system == own_system.with_value(SCENE, 0, "x0", 1.25)
    session.history.redo()
    ACTIONS["apply-system"].run(session, FakeDialogs())
    own = session.state.setup.own
    assert own.title == "Three (edited)"
    assert dict(own.parameters)["p"] == "gauss"
    assert session.state.draft is None
    assert session.state.result.system == own
    session.history.undo()
    assert session.state.setup.own == SCENE
    assert session.editor.draft.edited  # as before it was applied
    ACTIONS["revert-system"].run(session, FakeDialogs())
    assert session.editor.draft == Draft(SCENE, SCENE)


def test_what_is_no_number_stays_beside_its_message_and_is_not_applied():
    session = session_with()
    session.editor.set_value(1, "mass", "heavy")
    draft = session.editor.draft
    assert draft.text("mass 1", 2.0) == "heavy"
    assert "not a number" in draft.trouble()["mass 1"]
    ACTIONS["apply-system"].run(session, FakeDialogs())
    assert texts(session) == ("error", "mass 1: 'heavy' is not a number")
    session.editor.set_value(1, "mass", "-3")
    assert "above 0" in session.editor.draft.trouble()["mass 1"]
    session.editor.set_value(1, "mass", "3")
    assert session.editor.draft.trouble() == {}
    session.editor.set_duration("inf")
    session.editor.set_parameter("eps", "-1")
    assert set(session.editor.draft.trouble()) == {"duration", "parameter eps"}


def test_a_text_that_stands_there_already_does_not_round_the_value():
    session = session_with()
    assert shown(1 / 3) == "0.3333"
    session.editor.set_value(2, "x2", "0.3333")
    session.editor.set_duration("4")
    session.editor.set_parameter("eps", "0.1")
    assert not session.editor.draft.edited
    session.editor.set_value(2, "x2", "0.333")
    assert session.editor.draft.system.positions[2][2] == 0.333


def test_actions_on_particles():
    session, dialogs = session_with(), FakeDialogs()
    ACTIONS["edit-system"].run(session, dialogs)
    assert dialogs.shown == ["scene"]
    ACTIONS["add-particle"].run(session, dialogs)
    session.editor.duplicate((0, 1))
    session.editor.remove((0,))
    assert session.editor.draft.system.n_particles == 5
    session.editor.set_particles(999)
    assert session.editor.draft.system.n_particles == own_system.MAX_PARTICLES
    session.editor.set_particles(3)
    session.editor.set_dims(5)
    session.editor.draw("charged-iso", 3)
    ACTIONS["zero-momentum"].run(session, dialogs)
    session.editor.scale("2")
    system = session.editor.draft.system
    assert (system.n_dims, system.n_particles) == (5, 3)
    session.editor.scale("twice")
    assert texts(session)[0] == "error"
    session.editor.remove((0, 1))
    assert f"2 to {own_system.MAX_PARTICLES}" in session.editor.draft.trouble()["particles"]


def test_the_draft_goes_when_something_else_is_shown_and_stays_under_a_turn():
    session, runner = later_session()
    session.editor.add()
    session.world.rotate(0, 1, 20.0)
    runner.finish()
    assert session.state.draft is not None
    session.system.choose_dims(4)
    runner.finish()
    assert session.state.draft is None


def test_a_draft_that_cannot_be_simulated_is_kept_with_the_reason():
    session, runner = later_session()
    session.editor.set_value(0, "x0", "77")
    session.editor.apply()
    runner.fail("the simulation does not like it")
    assert texts(session) == ("error", "the simulation does not like it")
    assert session.editor.draft.system.positions[0][0] == 77.0
    assert session.state.setup.own is None


def test_nothing_to_edit_before_the_first_comparison():
    session = Session(InlineRunner(), ViewState())
    session.editor.add()
    session.editor.apply()
    session.editor.save("never.toml")
    assert session.editor.draft is None


def test_a_rotation_keeps_the_planes_there_are():
    session = prompt_session(scenario="", own=SCENE, operations=(Turn(0, 2, 30.0), Turn(0, 1, 5.0)))
    session.editor.set_dims(2)
    session.editor.apply()
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
    assert "own-system.toml" in dialogs.copied[0].splitlines()[0]
    assert dialogs.copied[0].startswith("# save your scene")
    assert "--scenario own-system.toml" in command_of(session.state.setup, "m")


def test_a_drawn_scenario_edited_and_unedited_is_the_same_film(tmp_path):
    drawn = result_of(Setup(scenario="bound", model="integrator-nd"))
    own = result_of(Setup(scenario="", own=drawn.system, model="integrator-nd"))
    assert np.array_equal(drawn.comparison.truth.positions, own.comparison.truth.positions)
    assert np.array_equal(drawn.comparison.truth.times, own.comparison.truth.times)
    assert own.system == drawn.system
    assert own.comparison.outside_training == drawn.comparison.outside_training


def test_a_saved_scene_opens_with_the_same_bits_and_compare_takes_it(tmp_path):
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="", own=SCENE, model="integrator-nd")))
    session.start()
    session.editor.draw("charged-iso", 8)
    session.editor.set_value(0, "x0", "0.1234567890123456789")
    wanted = session.editor.draft.system
    path = str(tmp_path / "mine.toml")
    ACTIONS["save-system"].run(session, FakeDialogs(scenario=path))
    assert session.state.setup.scenario == path
    assert session.state.setup.own is None
    assert texts(session) == ("info", "saved mine.toml")
    assert session.state.preferences.recent[0] == path
    system, state = load_scenario(path).initial()
    assert state.positions.tolist() == [list(row) for row in wanted.positions]
    assert system.masses.tolist() == list(wanted.masses)
    assert replace(session.state.result.system, title="") == replace(wanted, title="")
    assert f"--scenario {path}" in session.state.result.comparison.command
    session.files.open(path)
    assert session.state.setup.scenario == path
    given = ["integrator-nd", "--scenario", path, "--evaluations", "4", "--formats", "npz"]
    assert run_command(compare, [*given, "--out", str(tmp_path / "out")]) == 0
    assert run_command(compare, [*given, "--tolerance", "0", "--out", str(tmp_path / "no")]) == 2
    assert run_command(compare, ["gnn-nbody", *given[1:], "--out", str(tmp_path / "no")]) == 2
    ACTIONS["save-system"].run(session, FakeDialogs(scenario=str(tmp_path / "no" / "where.toml")))
    assert texts(session)[0] == "error"


def test_coincident_particles_are_refused_before_the_simulation():
    system = own_system.with_law(replace(SCENE, positions=((0.0,) * 3,) * 3), "reference")
    with pytest.raises(InputError):
        result_of(Setup(scenario="", own=system, model="integrator-nd"))
    assert scenario_of_system(SCENE).initial()[1].n_dims == 3


def test_every_number_of_the_fields_is_edited_undone_and_refused_by_name():
    session = session_with()
    for name in own_fields.field_names(3):
        session.editor.set_field(name, "0.5")
        assert own_fields.field_values(session.editor.draft.system)[name] == 0.5
    system = session.editor.draft.system
    assert (system.electric, system.magnetic, system.drag, system.trap) == ((0.5,) * 3, (0.5,) * 3, 0.5, 0.5)
    assert session.editor.draft.trouble() == {}
    session.editor.set_field("B0-2", "0")
    assert session.editor.draft.system.magnetic == (0.5, 0.0, 0.5)
    session.history.undo()
    assert session.editor.draft.system == system
    session.editor.set_field("E1", "north")
    session.editor.set_field("drag", "-2")
    assert session.editor.draft.trouble() == {
        "E1": "'north' is not a number", "drag": "drag must be 0 or more; got -2",
    }  # fmt: skip
    ACTIONS["clear-fields"].run(session, FakeDialogs())
    assert session.editor.draft == Draft(SCENE, SCENE)
    session.editor.set_law("reference")
    session.editor.set_field("B0-1", "1")
    assert "takes no magnetic field" in session.editor.draft.trouble()["fields"]
    with pytest.raises(InputError, match="no field 'B0-3' in 3 dimensions"):
        own_fields.with_field(SCENE, "B0-3", 1.0)


def test_fields_follow_the_dimension_and_are_the_engines():
    system = replace(SCENE, electric=(0.1, 0.2, 0.3), magnetic=(1.0, 2.0, 3.0), drag=0.5, trap=-1.0)
    four = own_system.with_dims(system, 4)
    assert (four.electric, four.magnetic) == ((0.1, 0.2, 0.3, 0.0), (1.0, 2.0, 0.0, 3.0, 0.0, 0.0))
    assert own_system.with_dims(four, 3) == system
    assert own_system.with_dims(system, 2).magnetic == (1.0,)
    assert own_system.with_dims(replace(system, magnetic=(0.0, 0.0, 3.0)), 2).magnetic == ()
    fields = own_fields.fields_of(system)
    assert fields.magnetic.tolist() == [[0.0, 1.0, 2.0], [-1.0, 0.0, 3.0], [-2.0, -3.0, 0.0]]
    assert own_fields.with_fields_of(SCENE, fields) == system
    with pytest.raises(InputError, match="magnetic must have 3 planes for n = 3; got 2"):
        scenario_of_system(replace(system, magnetic=(1.0, 2.0)))


FIELDED = replace(
    SCENE, electric=(0.3, 0.0, -0.1), magnetic=(2.0, 0.5, 0.0), drag=0.1, trap=0.4, duration=2.0, dt=2e-3
)


def test_a_scene_with_fields_is_simulated_turned_along_and_said_to_be_outside_training(tmp_path):
    plain = result_of(Setup(scenario="", own=FIELDED, model="integrator-nd"))
    assert plain.system == FIELDED  # a draft of it is the same system
    assert "electric field, magnetic field, drag, trap (trained: none)" in plain.comparison.outside_training
    assert plain.comparison.details["fields"]["drag"] == 0.1
    assert "coulomb, electric field, magnetic field" in sizes_line(plain.comparison)
    assert plain.advice == ""
    turned = result_of(Setup(scenario="", own=FIELDED, model="integrator-nd", operations=(Turn(0, 2, 50.0),)))
    assert turned.truth_residual.max() < 1e-9  # E as R E, B as R B R^T
    for made in (plain, turned):
        errors = made.symmetry["engine"].errors
        assert max(errors[name].max() for name in ("rotation", "reflection", "permutation")) < 1e-6
        assert errors["translation"].max() > 0.01
        text = readouts(ViewState(setup=made.setup, result=made)).explanation
        assert "A translation is no symmetry of it: the trap is about the origin." in text
    assert turned.system == FIELDED
    drops = np.diff(plain.energies["truth"])
    assert (drops < 0).all()  # the drag's


def test_fields_are_in_the_session_file_and_in_the_scenario_file(tmp_path):
    saved = SavedSession(Setup(scenario="", own=FIELDED), View(), Playback(), (0, 1))
    save_session(tmp_path / "s.json", saved)
    assert load_session(tmp_path / "s.json") == saved
    session = session_with(FIELDED)
    session.editor.set_field("E2", "0.1234567890123456789")
    wanted = own_fields.fields_of(session.editor.draft.system)
    path = str(tmp_path / "fields.toml")
    ACTIONS["save-system"].run(session, FakeDialogs(scenario=path))
    assert texts(session) == ("info", "saved fields.toml")
    assert load_scenario(path).fields.packed(3).tobytes() == wanted.packed(3).tobytes()


def test_an_export_of_an_own_system_holds_its_file(tmp_path):
    request = ExportRequest(Setup(scenario="", own=SCENE, model="integrator-nd"), str(tmp_path / "out"), ("npz",))
    paths = export(request, lambda _: None, lambda: False)
    assert str(tmp_path / "out" / "own-system.toml") in paths
    _, state = load_scenario(paths[-1]).initial()
    assert state.positions.tolist() == [list(row) for row in SCENE.positions]
