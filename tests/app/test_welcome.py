"""The first run: a card that is closed with one key, does not come again, and can be asked for."""

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.preferences import load_preferences
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.first_run import SETUP, first_result
from tests.app.fakes import FakeDialogs, prompt_session


def test_it_is_closed_once_and_for_all(tmp_path):
    session = prompt_session(tmp_path)
    ACTIONS["welcome"].run(session, FakeDialogs())
    assert session.state.welcome
    ACTIONS["clear"].run(session, FakeDialogs())
    assert not session.state.welcome
    assert load_preferences(tmp_path)[0].welcomed
    session.preferences.reset()
    assert session.state.preferences.welcomed
    session.welcome.close()
    session.welcome.toggle()
    session.welcome.toggle()
    assert not session.state.welcome


def test_clearing_takes_everything_away():
    session = prompt_session()
    session.welcome.toggle()
    session.view.toggle_help()
    session.say("a message")
    session.overlays.clear()
    assert (session.state.welcome, session.state.view.show_help, session.state.message) == (False, False, None)
    session.overlays.clear()


@pytest.mark.gui
@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_the_card_at_the_first_start_only(open_window, own_config, qtbot, size):
    from PySide6.QtCore import Qt

    window = open_window(folder=own_config, first=True)
    card = window.overlays.welcome
    assert card.isVisible()
    window.resize(*size)
    qtbot.waitUntil(lambda: window.width() == size[0])
    assert window.viewport.widget.rect().contains(card.geometry())
    assert window.session.state.playback.playing
    if size[0] == 1280:
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    else:
        qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert not card.isVisible()
    window.close()
    again = open_window(folder=own_config, first=True)
    assert not again.overlays.welcome.isVisible()
    qtbot.keyClick(again, Qt.Key.Key_F1)
    assert again.overlays.welcome.isVisible()


def test_the_stored_film_is_what_the_shipped_models_forecast(tmp_path):
    stored, made = first_result(SETUP), result_of(SETUP)
    assert not stored.measured
    for a, b in (
        (stored.comparison.truth, made.comparison.truth),
        (stored.comparison.forecast, made.comparison.forecast),
        (stored.contrast.forecast, made.contrast.forecast),
    ):
        assert np.allclose(a.times, b.times)
        assert np.allclose(a.positions, b.positions, atol=1e-3)
    for a, b in ((stored.comparison, made.comparison), (stored.contrast, made.contrast)):
        for source in ("truth", "forecast"):
            assert np.allclose(a.energy_shares[source], b.energy_shares[source], rtol=1e-3, atol=1e-3)
    assert (stored.seed, stored.comparison.command) == (made.seed, made.comparison.command)
    assert stored.comparison.outside_training == made.comparison.outside_training
    assert stored.contrast.outside_training == made.contrast.outside_training
    assert stored.comparison.scenario_name == made.comparison.scenario_name
    assert first_result(Setup(scenario="binary")) is None
    assert first_result(SETUP, tmp_path / "missing.npz") is None


def test_the_film_is_that_of_the_first_start():
    from app.views.start import first_setup

    assert first_setup() == SETUP
