"""Two models, their effort, and the table of all models: through the Session, and with the real models."""

from dataclasses import replace

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.model_rows import COLUMNS, outdated, standing
from app.viewmodel.state.commands import command_of, copied_commands
from app.viewmodel.state.models import ModelRow
from app.viewmodel.state.setup import Effort, Setup, Turn
from app.viewmodel.worker.comparison import result_of, result_parts
from app.viewmodel.worker.loaded_models import tuned_model
from app.viewmodel.worker.tasks.model_table import ModelTableTask
from physics.errors import InputError
from resources.shipped import shipped_models
from tests.app.fakes import FakeDialogs, later_session, prompt_session, result_for, texts

ROW = ModelRow(
    "fake", "fake", error_median=0.01, error_end=0.02, valid_time=3.0, equivariance=1e-7, evaluations=10
)


def test_effort_as_text_and_as_options():
    assert (str(Effort()), Effort().options) == ("", [])
    assert str(Effort(20, 1e-3)) == "20 rounds, tolerance 0.001"
    assert Effort(20, 1e-3).options == ["--evaluations 20", "--tolerance 0.001"]
    command = command_of(Setup(scenario="bound", model="m", effort=Effort(20)), "m")
    assert command.startswith("python -m surrogate.compare m --evaluations 20 --scenario bound")


def test_the_effort_is_a_step_that_can_be_undone_and_another_model_has_its_own():
    session = prompt_session(contrast="other")
    session.models.set_effort(False, 20, None)
    session.models.set_effort(True, None, 0.01)
    assert (session.state.setup.effort, session.state.setup.contrast_effort) == (Effort(20), Effort(None, 0.01))
    session.history.undo()
    assert session.state.setup.contrast_effort == Effort()
    session.history.redo()
    session.models.swap()
    setup = session.state.setup
    assert (setup.model, setup.contrast) == ("other", "fake")
    assert (setup.effort, setup.contrast_effort) == (Effort(None, 0.01), Effort(20))
    session.system.choose_model("third")
    assert session.state.setup.effort == Effort()


@pytest.mark.parametrize(("rounds", "tolerance"), [(0, None), (1001, None), (None, 0.0), (None, float("inf"))])
def test_an_effort_that_cannot_be_is_refused(rounds, tolerance):
    session = prompt_session()
    session.models.set_effort(False, rounds, tolerance)
    assert session.state.setup.effort == Effort()
    assert texts(session)[0] == "error"


def test_measuring_all_models_row_by_row():
    session, runner = later_session(contrast="worse")
    dialogs = FakeDialogs()
    session.models.add("runs/mine")
    ACTIONS["measure-models"].run(session, dialogs)
    assert dialogs.shown == ["models"]
    task, callbacks = runner.pending[-1]
    assert isinstance(task, ModelTableTask)
    assert task.models == (*shipped_models(), "runs/mine", "fake", "worse")
    assert session.state.models.progress == 0.0
    ACTIONS["measure-models"].run(session, dialogs)  # once is enough
    assert len(runner.pending) == 1
    callbacks.first((ROW,))
    callbacks.progress(0.5)
    assert (session.state.models.rows, session.state.models.progress) == ((ROW,), 0.5)
    assert "1 done" in standing(session.state.models, False)
    callbacks.done((ROW, replace(ROW, model="b", reason="no")))
    assert session.state.models.progress is None
    assert len(session.state.models.rows) == 2
    assert not outdated(session.state)
    session.system.choose_model("b")
    runner.pending.pop(0)
    runner.finish()
    assert not outdated(session.state)  # the same state, whoever forecasts it
    session.system.choose_seed(9)
    runner.finish()
    assert outdated(session.state)
    assert "again" in standing(session.state.models, True)


def test_measuring_is_cancelled_and_what_comes_late_is_dropped():
    session, runner = later_session()
    ACTIONS["measure-models"].run(session, FakeDialogs())
    _, callbacks = runner.pending[-1]
    callbacks.first((ROW,))
    ACTIONS["cancel-measuring"].run(session, FakeDialogs())
    assert runner.jobs[-1].cancelled
    assert session.state.models.progress is None
    callbacks.done((ROW, ROW))
    assert session.state.models.rows == (ROW,)
    ACTIONS["measure-models"].run(session, FakeDialogs())
    runner.pending[-1][1].failed("no such thing")
    assert texts(session) == ("error", "no such thing")
    assert session.state.models.progress is None


def test_swapping_and_leaving_the_second_model():
    session, dialogs = prompt_session(contrast="other"), FakeDialogs()
    ACTIONS["swap-models"].run(session, dialogs)
    assert session.state.setup.model == "other"
    ACTIONS["no-second-model"].run(session, dialogs)
    assert session.state.setup.contrast == ""
    ACTIONS["swap-models"].run(session, dialogs)
    assert session.state.setup.model == "other"


def test_an_opened_model_is_offered():
    session = prompt_session()
    session.runner.found = lambda path: Setup(scenario="", model=path)
    session.files.open("runs/mine")
    assert session.state.setup.model == "runs/mine"
    assert session.state.models.opened == ("runs/mine",)
    session.models.add(next(iter(shipped_models())))
    session.models.add("runs/mine")
    assert session.state.models.opened == ("runs/mine",)


def test_every_column_has_a_text_for_a_full_and_for_an_empty_row():
    for name, (meaning, text) in COLUMNS.items():
        assert meaning, name
        assert text(ModelRow("a", "a")) == "-"
        assert text(replace(ROW, force_evaluations=3.0, milliseconds=0.1)) not in ("", "-")
    assert COLUMNS["valid\ntime"][1](replace(ROW, valid_to_end=True)) == "≥ 3"


def test_two_commands_for_two_models():
    setup = Setup(model="a", contrast="b", effort=Effort(20), contrast_effort=Effort(None, 0.01))
    made = result_for(setup)
    made = replace(made, comparison=replace(made.comparison, command=command_of(setup, "a")))
    commands, left_out = copied_commands(made)
    assert left_out == []
    assert "compare a --evaluations 20 " in commands[0]
    assert "compare b --tolerance 0.01 " in commands[1]
    assert len({c.rsplit(" ", 1)[1] for c in commands}) == 2  # each into a folder of its own


def test_all_shipped_models_on_a_turned_state():
    parts, seen = [], []
    setup = Setup(scenario="bound", model="integrator-nd", effort=Effort(5), operations=(Turn(0, 1, 30.0),))
    rows = ModelTableTask(setup, tuple(shipped_models())).run(seen.append, lambda: False, parts.append)
    assert [r.model for r in rows] == list(shipped_models())
    assert len(parts) == len(rows)
    assert seen[-1] == 1.0
    by_name = {r.model: r for r in rows}
    assert by_name["integrator-nd"].label == "integrator-nd (5 rounds)"
    assert by_name["integrator-nd"].evaluations == 5
    assert by_name["integrator-nd"].force_evaluations > 0
    assert by_name["gnn-nbody"].equivariance > 1e-3 > by_name["integrator-nd"].equivariance
    for row in rows:
        assert not row.reason
        assert row.error_median > 0
        assert row.milliseconds > 0
    shown = result_of(setup)
    assert by_name["integrator-nd"].error_end == pytest.approx(shown.comparison.position_rmse()[-1])


def test_models_that_do_not_fit_say_why(tmp_path):
    heavy = tmp_path / "heavy.toml"
    heavy.write_text(
        'title = "Heavy"\nlaw = "coulomb"\nduration = 2.0\n[particles]\ncharges = [1.0, -1.0]\n'
        "masses = [1.0, 2.0]\npositions = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]\n"
        "velocities = [[0.0, 0.3, 0.0], [0.0, -0.3, 0.0]]\n"
    )
    names = ("gnn-nbody", "integrator-nd", "no-such-model")

    def reasons(**setup):
        return [row.reason for row in ModelTableTask(Setup(**setup), names).run(id, lambda: False, id)]

    plane, taken, unknown = reasons(scenario="bound", dims=4)
    assert ("n = 3 only" in plane, taken) == (True, "")
    assert "unknown model" in unknown
    assert "unit masses" in reasons(scenario=str(heavy))[0]
    assert ModelTableTask(Setup(), names).run(id, lambda: True, id) == ()


def test_the_same_model_at_two_efforts_side_by_side():
    made = result_of(
        Setup(scenario="bound", model="integrator-nd", contrast="integrator-nd", contrast_effort=Effort(2))
    )
    assert made.contrast.model_name == "integrator-nd (2 rounds)"
    assert made.comparison.model_name == "integrator-nd"  # the loaded model keeps its name
    assert made.contrast.position_rmse().mean() > made.comparison.position_rmse().mean()
    assert set(made.energies) == {"truth", "forecast", "rollout", "second"}
    assert made.comparison.details["chooses"]
    with pytest.raises(InputError, match="cannot choose"):
        tuned_model("gnn-nbody", Effort(3))
    loose = next(result_parts(Setup(scenario="bound", model="integrator-nd", effort=Effort(None, 1e-1))))
    assert "tolerance 0.1" in loose.comparison.model_name
