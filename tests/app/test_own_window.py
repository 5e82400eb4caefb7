"""Data of the user's own at the real window: drawn before any forecast, read in their own units."""

import numpy as np
import pytest

from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.runner import InlineRunner
from app.viewmodel.worker.stored import truth_alone
from tests.app.fakes import LaterRunner
from tests.app.own_data import stored

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore::UserWarning")]


def test_many_particles_play_while_nothing_is_forecast(open_window, qtbot, tmp_path):
    runner = LaterRunner()
    window = open_window(runner=runner, scenario="", data=stored(tmp_path, n=2000, frames=12), model="fake")
    setup, callbacks = runner.pending.pop()
    callbacks.first(truth_alone(setup))
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    before = window.viewport.renders
    qtbot.waitUntil(lambda: window.session.state.frame > 1 and window.viewport.renders > before + 1)
    truth, forecast = window.viewport.scene.panes
    assert len(truth.points) == 2000
    assert truth.radii.all()
    assert not forecast.radii.any()
    assert "on its way" in forecast.subtitle
    for name in ("particles", "equivariance", "data", "scene", "models", "curves"):
        window.show_panel(name)
        qtbot.waitUntil(window.panels[name].isVisible)
    assert window.panels["particles"].model.rowCount() == 2000
    assert window.panels["system"].particles.value() == 2000
    window.session.comparison.cancel()
    assert "stopped" in window.viewport.scene.panes[1].badge


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_a_file_of_femtoseconds_says(open_window, qtbot, tmp_path, theme):
    path = stored(tmp_path, length=1e-10, time=1e-15, leave=("velocities", "charges"))
    window = open_window(runner=InlineRunner(), scenario="", data=path, model="integrator-nd")
    session, timeline = window.session, window.timeline
    session.view.set(theme=theme)
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    session.clock.seek(19)
    assert timeline.time.text() == "t = 2.00e-15 / 2.90e-15"
    timeline.time.lineEdit().setText("t = 1.5e-15 / 2.90e-15")
    timeline.time.interpretText()
    timeline.time.editingFinished.emit()
    assert session.state.frame == 14
    assert "frames a second" in timeline.speed.toolTip()
    for panel, words in (("data", "notes"), ("system", "description")):
        window.show_panel(panel)
        qtbot.waitUntil(window.panels[panel].isVisible)
        text = getattr(window.panels[panel], words).text()
        assert "velocities by backward differences" in text
        assert "charges set to zero" in text
    window.show_panel("scene")
    editor = window.panels["scene"]
    qtbot.waitUntil(lambda: "law is unknown" in editor.trouble.text())
    assert editor.table.rowCount() == 0
    assert not editor.apply.isEnabled()
    window.show_panel("curves")
    charts = window.panels["curves"]
    qtbot.waitUntil(lambda: len(charts.error.curves) == 1)
    assert charts.energy.title == "energy: law unknown"
    low, high = charts.error.plot.getViewBox().viewRange()[0]
    assert 0.1 < high - low < 100  # drawn in a decade of its own
    assert "1.50e-15" in charts.error.words_at(1.5e-15)
    session.comparison.change(scenario="bound", data="")
    window.show_panel("scene")
    qtbot.waitUntil(lambda: editor.table.rowCount() == 5)
    assert window.panels["system"].particles.value() == 5


def test_a_refused_drop_leaves_the_playing_data(open_window, qtbot, tmp_path):
    window = open_window(runner=InlineRunner(), scenario="", data=stored(tmp_path), model="egnn-nbody")
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    shown = window.session.state.result
    (tmp_path / "bad.csv").write_text("time,particle,x0\n0,0,nan\n")
    window.session.files.open(str(tmp_path / "bad.csv"))
    assert window.session.state.message.kind == "error"
    assert window.session.state.result is shown
    assert window.session.state.setup == Setup(scenario="", data=shown.setup.data, model="egnn-nbody")
    assert np.isfinite(shown.errors()[10:]).all()


def test_a_small_file_after_a_large_one_keeps_its_number_of_particles(open_window, qtbot, tmp_path):
    """The box of N takes the sizes of systems that are drawn; what it cannot take is no request of the user's."""
    runner = LaterRunner()
    window = open_window(runner=runner, scenario="", data=stored(tmp_path, n=2000, frames=12), model="fake")
    setup, callbacks = runner.pending.pop()
    callbacks.first(truth_alone(setup))
    small = tmp_path / "small"
    small.mkdir()
    window.session.comparison.change(data=stored(small, n=6, frames=12))
    setup, callbacks = runner.pending.pop()
    callbacks.first(truth_alone(setup))
    window.show_panel("system")
    qtbot.waitUntil(lambda: window.panels["system"].particles.value() != 2000)
    assert window.panels["system"].particles.value() == 6
    assert window.session.state.setup.particles is None
