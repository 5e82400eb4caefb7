"""The real long work behind the window, on shipped scenarios and models; the InlineRunner around it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.viewmodel.session import Session
from app.viewmodel.state.own_system import system_of_state
from app.viewmodel.state.setup import RandomTurn, Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of, result_parts
from app.viewmodel.worker.export import ExportRequest, export
from app.viewmodel.worker.ground_truth import growth_of
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.opening import describe_file
from app.viewmodel.worker.runner import InlineRunner
from physics.errors import InputError
from physics.scenarios import load_scenario
from resources.shipped import shipped_models
from tests.app.fakes import texts
from tests.surrogate.helpers import npz, saved_model, tiny_arrays

SHORT = """
title = "Two"
description = "Two charges."
law = "coulomb"
duration = 2.0
frame_interval = 0.1
[particles]
charges = [1.0, -1.0]
positions = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
velocities = [[0.0, 0.3, 0.0], [0.0, -0.3, 0.0]]
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The shipped equivariant network, and a small untrained plain one, for n = 3."""
    return {"egnn": default_model(), "gnn": str(saved_model(tmp_path_factory.mktemp("models") / "gnn", "gnn"))}


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(SHORT)
    return str(path)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_bound_in_every_dimension(models, n):
    result = result_of(Setup(scenario="bound", dims=n, model=models["egnn"], operations=(Turn(0, n - 1, 30.0),)))
    truth = result.comparison.truth
    assert truth.n_dims == n
    assert truth.system.n_particles == 5
    assert np.allclose(np.diff(truth.times), 1.0 / 25)
    assert result.growth.shape == result.truth_residual.shape == truth.times.shape
    assert result.truth_residual[0] < 1e-12
    assert result.comparison.equivariance_error < 1e-4
    assert set(result.energies) == {"truth", "forecast", "rollout"}
    assert result.drawn
    assert result.seed == 3
    assert result.seconds > 0


def test_a_rotation_turns_the_same_truth(models):
    setup = Setup(scenario="bound", model=models["egnn"])
    plain, turned = result_of(setup), result_of(Setup(**{**vars(setup), "operations": (RandomTurn(2),)}))
    assert plain.truth_residual is None
    R = turned.comparison.rotation
    assert np.allclose(turned.comparison.truth.positions[0], plain.comparison.truth.positions[0] @ R.T, atol=1e-10)


def test_the_plain_network_fails_the_same_check(models, scenario):
    result = result_of(
        Setup(scenario=scenario, model=models["egnn"], contrast=models["gnn"], operations=(Turn(0, 1, 40.0),))
    )
    assert result.comparison.equivariance_error < 1e-4 < result.contrast.equivariance_error
    assert result.contrast_note == ""


def test_a_contrast_that_cannot_is_a_note(models):
    result = result_of(Setup(scenario="bound", dims=4, model=models["egnn"], contrast=models["gnn"]))
    assert result.contrast is None
    assert "n = 3 only" in result.contrast_note


def test_a_model_that_cannot_is_refused(models):
    with pytest.raises(InputError, match="n = 3 only"):
        result_of(Setup(scenario="bound", dims=4, model=models["gnn"]))


def test_the_clamped_truth_itself_breaks(models):
    turned = Setup(scenario="bound", seed=2, model=models["egnn"], operations=(Turn(0, 1, 40.0),))
    clamped = result_of(Setup(**{**vars(turned), "clamped": True}))
    assert clamped.truth_residual.max() > 1e-2
    assert clamped.comparison.truth.system.law == "reference"
    assert "clamped" in clamped.comparison.scenario_name
    assert clamped.clamp_note == ""
    assert result_of(turned).truth_residual[:100].max() < 1e-9


def test_a_clamp_that_never_acts_is_found_and_a_seed_where_it_does(models):
    idle = Setup(scenario="bound", seed=3, clamped=True, model=models["egnn"], operations=(Turn(0, 1, 40.0),))
    result = result_of(idle)
    assert result.truth_residual.max() < 1e-9
    assert "never reached" in result.clamp_note
    seed = int(result.clamp_note.rsplit(" ", 1)[1])
    assert result_of(replace(idle, seed=seed)).truth_residual.max() > 1e-3
    assert result_of(replace(idle, clamped=False)).clamp_note == ""


def test_growth_starts_at_one_and_says_nothing_of_unknown_laws(models):
    truth = load_scenario("bound").trajectory(*load_scenario("bound").initial())
    growth = growth_of(truth)
    assert growth[0] == pytest.approx(1.0, rel=1e-6)
    assert growth.max() > 10.0
    starts = []

    def again(state):
        starts.append(state)
        return load_scenario("bound").trajectory(truth.system, state)

    beside = growth_of(truth, again)
    assert len(starts) == 1  # the truth itself is there already
    assert beside[0] == pytest.approx(1.0, rel=1e-6)
    early = growth < 100.0
    np.testing.assert_allclose(beside[early], growth[early], rtol=0.05)


def test_a_long_comparison_tells_how_far_it_is(models, monkeypatch):
    setup, told = Setup(scenario="binary", model=models["egnn"]), []
    monkeypatch.setattr(
        "app.viewmodel.worker.comparison.LONG", np.inf
    )  # however slow the machine, this one is quick
    list(result_parts(setup, told.append))
    assert told == []
    monkeypatch.setattr("app.viewmodel.worker.comparison.LONG", 0.0)
    list(result_parts(setup, told.append))
    assert told == sorted(told)
    assert len(told) > 2
    assert 0 < told[0] < told[-1] < 1


def test_masses_are_no_lack_of_equivariance(models):
    """The forecast of the state before the turn is made with the masses that the turned one is made with."""
    scenario = system_of_state(load_scenario("binary").trajectory(*load_scenario("binary").initial()), "own", 4.0)
    own = replace(scenario, masses=(1.0, 3.0))
    for operations in ((), (Turn(0, 1, 40.0),)):
        result = result_of(Setup(own=own, model=models["egnn"], operations=operations))
        assert result.comparison.equivariance_error < 1e-4
        assert (result.comparison.truth.system.masses == (1.0, 3.0)).all()


def test_a_large_system_goes_without_some_of_it_and_says_so(models, monkeypatch):
    monkeypatch.setattr("app.viewmodel.state.detail.MOST_IN_FULL", 4)
    large = Setup(scenario="bound", model=models["egnn"], seed=41)  # no other test's: truths are kept
    reduced, full = result_of(large), result_of(replace(large, in_full=True))
    assert np.allclose(np.diff(reduced.comparison.truth.times), 1.0 / 8)
    assert np.allclose(np.diff(full.comparison.truth.times), 1.0 / 25)
    assert np.allclose(reduced.comparison.truth.positions[8], full.comparison.truth.positions[25], atol=1e-9)
    assert "8 frames a horizon rather than 25" in reduced.left_out
    assert "no errors of the engine" in reduced.left_out
    assert full.left_out == ""
    assert set(reduced.symmetry) == {"model"}
    assert set(full.symmetry) == {"model", "engine"}
    assert len(reduced.symmetry["model"].frames) <= 12 < len(full.symmetry["model"].frames)
    assert reduced.comparison.equivariance_error < 1e-4


@pytest.mark.parametrize("name", shipped_models())
def test_every_shipped_model_opens_the_first_scene(name):
    assert result_of(Setup(scenario="bound", model=name)).comparison.model_name == name


def test_the_default_model_ships():
    assert default_model() in shipped_models()


def test_a_law_that_was_not_learned_comes_with_advice(models):
    clamped = result_of(Setup(scenario="published", model=models["egnn"]))
    assert any(reason.startswith("law ") for reason in clamped.comparison.outside_training)
    assert "--preset nbody-reference" in clamped.advice
    other = result_of(Setup(scenario="bound", model="egnn-nbody", dims=3, particles=6))
    assert "--dims 3 --particles 6" in other.advice
    assert "surrogate.train" in other.advice


def test_the_advice_makes_data_of_the_law_that_is_shown(models, tmp_path):
    path = tmp_path / "pair.toml"
    path.write_text(
        'title = "Pair"\nlaw = "gravity"\nduration = 4.0\nframe_interval = 0.5\n[parameters]\nG = 1.0\neps = 0.1\n'
        "[particles]\ncharges = [0.0, 0.0]\nmasses = [1.0, 2.0]\npositions = [[0.6, 0.0], [-0.6, 0.0]]\n"
        "velocities = [[0.0, 0.4], [0.0, -0.2]]\n"
    )
    advice = result_of(Setup(scenario=str(path), model=models["egnn"])).advice
    assert "--preset law-gravity --dims 2 --particles 2 --set eps=0.1 G=1" in advice
    assert "--config integrator-law --set model.couplings=masses" in advice


def test_stored_samples(models, tmp_path):
    path = npz(tmp_path / "data.npz", tiny_arrays(samples=4, frames=9, particles=3))
    setup = Setup(scenario="", data=str(path), model=models["egnn"], operations=(Turn(0, 1, 20.0),))
    result = result_of(setup)
    assert (result.n_samples, result.drawn, result.seed) == (4, False, None)
    assert result.comparison.scenario_name == "data.npz #0"
    assert not result.comparison.law_known
    assert result.energies == {}
    with pytest.raises(InputError, match="no sample 4"):
        result_of(Setup(**{**vars(setup), "index": 4}))


def test_describe_file(models, scenario, tmp_path):
    assert describe_file(scenario) == Setup(scenario=scenario)
    path = str(npz(tmp_path / "data.npz"))
    assert describe_file(path).data == path
    assert describe_file(models["gnn"]).model == models["gnn"]
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"\x00\x01")
    (tmp_path / "bad.toml").write_text("law = 3")
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    (tmp_path / "empty").mkdir()
    for name in ("junk.bin", "bad.toml", "bad.npz", "empty", "missing"):
        with pytest.raises(InputError) as caught:
            describe_file(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_export_writes_files_and_progress_never_falls(models, scenario, tmp_path):
    seen: list[float] = []
    request = ExportRequest(Setup(scenario=scenario, model=models["egnn"]), str(tmp_path / "out"), ("npz", "csv"))
    paths = export(request, seen.append, lambda: False)
    assert all(Path(p).is_file() for p in paths)
    assert {Path(p).name for p in paths} >= {"metrics.json", "comparison.json"}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_inline_runner_through_a_session(models, scenario, tmp_path):
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario=scenario, model=models["egnn"])))
    session.start()
    assert session.state.n_frames > 10
    session.world.rotate(0, 2, 45.0)
    assert session.state.result.truth_residual.max() < 1e-9
    session.system.choose_model(models["gnn"])
    assert session.state.result.comparison.equivariance_error > 1e-3
    session.system.choose_dims(4)
    assert texts(session)[0] == "error"
    assert session.state.setup.dims is None
    session.system.choose_model("no-such-model")
    assert texts(session)[0] == "error"
    assert session.state.setup.model == models["gnn"]
    session.files.open(str(npz(tmp_path / "data.npz", tiny_arrays(frames=9))))
    assert session.state.result.n_samples == 12
    session.files.open(str(tmp_path / "missing"))
    assert "no such file" in texts(session)[1]
    session.export.start(str(tmp_path / "out"), ("npz",))
    assert texts(session)[0] == "info", texts(session)
    assert (tmp_path / "out" / "comparison.json").is_file()
