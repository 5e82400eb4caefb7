"""The formula panel: its search in the session, a real one in a task, and what it draws."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.formula import parameter_rows, rich_formula
from app.viewmodel.session import Session
from app.viewmodel.state.formula import FormulaReport, FormulaSearch
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.tasks.formula import FormulaTask
from tests.app.fakes import FakeDialogs, LaterRunner, later_session, prompt_session, result_for, texts
from tests.surrogate.helpers import npz, saved_model

R = np.geomspace(0.2, 5, 20)
YUKAWA = "F_ij = q_i q_j [1.01 r (1 + d/2) exp(-d/2) / d^3, d^2 = r^2 + 0.1^2]"


def report(form: str = "yukawa") -> FormulaReport:
    curves = {"learned": 1 / R**2, "true": 1 / R**2} | ({"formula": 1.01 / R**2} if form else {})
    parameters = (("k", 1.01, 0.002), ("length", 2.0, 0.01)) if form else ()
    return FormulaReport(form, YUKAWA if form else "no simple form", parameters, ("largest 1 %",), R, curves)


def test_a_search_says_what_it_does_and_shows_what_it_finds():
    session, runner = later_session(scenario="", data="d.npz")
    dialogs = FakeDialogs()
    ACTIONS["find-formula"].run(session, dialogs)
    task, callbacks = runner.pending.pop()
    assert task == FormulaTask(session.state.result.setup)
    callbacks.first("fitting the data: yukawa")
    callbacks.progress(0.5)
    found = session.state.formula
    assert (found.status, found.doing, found.progress) == ("running", "fitting the data: yukawa", 0.5)
    session.formula.find()
    assert not runner.pending
    callbacks.done(report())
    assert session.state.formula.report.form == "yukawa"
    assert session.state.formula.status == "done"


def test_a_search_is_cancelled_and_fails_with_its_reason():
    session, runner = later_session(scenario="", data="d.npz")
    session.formula.find()
    _, callbacks = runner.pending.pop()
    ACTIONS["cancel-formula"].run(session, FakeDialogs())
    assert runner.jobs[-1].cancelled
    callbacks.done(report())
    assert session.state.formula == FormulaSearch()
    session.formula.find()
    runner.pending.pop()[1].failed("it has no pair law")
    assert (session.state.formula.status, session.state.formula.reason) == ("failed", "it has no pair law")
    assert texts(session) == ("error", "it has no pair law")


def test_without_data_it_says_what_to_open():
    session = prompt_session()
    session.formula.find()
    assert "open the data" in texts(session)[1]


def test_the_task_finds_a_formula_or_stops(tmp_path):
    model = str(saved_model(tmp_path / "run", "integrator", couplings="charges"))
    data = str(npz(tmp_path / "d.npz"))
    task = FormulaTask(Setup(scenario="", data=data, model=model))
    said, shares = [], []
    found = task.run(shares.append, lambda: False, said.append)
    assert found is not None
    assert found.formula.startswith("F_ij" if found.form else "no simple form")
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert any("fitting the data" in text for text in said)
    assert found.curves["learned"].shape == found.distances.shape
    assert task.run(id, lambda: True, id) is None


def test_formulas_are_written_as_mathematics_has_them():
    assert rich_formula(YUKAWA) == (
        "F<sub>ij</sub> = q<sub>i</sub> q<sub>j</sub> [1.01 r (1 + d/2) exp(−d/2) / d<sup>3</sup>, "
        "d<sup>2</sup> = r<sup>2</sup> + 0.1<sup>2</sup>]"
    )
    assert rich_formula("2 r / (r^2 + 0.1^2)^((2 + 1)/2)").endswith("<sup>((2 + 1)/2)</sup>")
    assert rich_formula("1.5e-07 r for r < 2") == "1.5·10<sup>−7</sup> r for r &lt; 2"
    assert parameter_rows(report()) == [("<i>k</i>", "1.0100 ± 0.0020"), ("λ", "2.000 ± 0.010")]
    small = replace(report(), parameters=(("k", -3e-9, 1e-12),))
    assert parameter_rows(small) == [("<i>k</i>", "(−3.0000 ± 0.0010)·10<sup>−9</sup>")]


@pytest.mark.gui
def test_the_panel_shows_formula_parameters_and_curves(qtbot):
    from app.views.formula_panel import FormulaPanel

    session = Session(LaterRunner(), ViewState(setup=Setup(model="fake")))
    panel = FormulaPanel(session)
    qtbot.addWidget(panel)
    panel.show_state(session.state)
    assert not panel.search.isEnabled()
    assert "Ctrl+O" in panel.standing.text()
    data = Setup(scenario="", data="some.npz", model="fake")
    there = ViewState(setup=data, result=result_for(data, n_samples=7))
    panel.show_state(there)
    assert panel.search.isEnabled()
    for search in (FormulaSearch("running", data, 0.5, "fitting"), FormulaSearch("done", data, 1.0, "", report())):
        panel.show_state(ViewState(setup=data, result=there.result, formula=search))
        assert panel.stop.isVisibleTo(panel) == (search.status == "running")
    assert "<sub>" in panel.formula.text()
    assert len(panel.plot.plotItem.listDataItems()) == 3
    none = FormulaSearch("done", data, 1.0, "", report(""))
    panel.show_state(ViewState(setup=data, result=there.result, formula=none))
    assert "no simple form" in panel.formula.text()
    assert not panel.parameters.isVisibleTo(panel)
    assert len(panel.plot.plotItem.listDataItems()) == 2
