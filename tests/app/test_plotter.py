"""The GL widget: fewer samples while a slow picture moves, all of them at rest; one drawing a paint."""

import sys

import pytest

pytestmark = pytest.mark.gui


@pytest.fixture
def plotter(open_window, qtbot):
    window = open_window()
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    if window.session.state.playback.playing:
        window.session.clock.toggle_play()
    return window.viewport.plotter


@pytest.fixture
def module(plotter):
    """That of this plotter: a test may have loaded it anew."""
    return sys.modules[type(plotter).__module__]


def samples_of(plotter, n: int) -> list[int]:
    """Samples of `n` pictures drawn one after the other."""
    found = []
    for _ in range(n):
        plotter.moved()
        plotter.grabFramebuffer()
        found.append(plotter.render_window.GetMultiSamples())
    return found


def test_a_slow_picture_moves_with_one_sample_and_rests_with_all(plotter, module, qtbot, monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 0.0)
    monkeypatch.setattr(module, "COARSE_BUDGET", 0.0)
    assert samples_of(plotter, module.JUDGED_BY + 2)[-2:] == [0, 0]
    qtbot.waitUntil(lambda: plotter.render_window.GetMultiSamples() == module.SAMPLES)
    plotter.grabFramebuffer()  # nothing moved: a paint for another reason is as fine
    assert plotter.render_window.GetMultiSamples() == module.SAMPLES


def test_a_quick_picture_keeps_its_samples(plotter, module, monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 1e9)
    monkeypatch.setattr(module, "COARSE_BUDGET", 1e9)
    assert set(samples_of(plotter, module.JUDGED_BY + 2)) == {module.SAMPLES}


def test_the_first_picture_has_one_sample_and_the_rest_all(open_window, qtbot, module):
    window = open_window()
    window.session.clock.toggle_play()
    plotter, seen = window.viewport.plotter, []

    def look() -> None:
        if plotter.blank is None:
            seen.append((plotter.filling, plotter.render_window.GetMultiSamples()))

    plotter.frameSwapped.connect(look)
    assert plotter.filling
    qtbot.waitUntil(lambda: seen[-1:] == [(False, module.SAMPLES)])
    plotter.frameSwapped.disconnect(look)
    parts = [samples for filling, samples in seen if filling]
    assert parts
    assert set(parts) == {0}


def test_where_one_sample_is_slow_all_are_not_tried_in_motion(plotter, module, monkeypatch):
    monkeypatch.setattr(module, "COARSE_BUDGET", 0.0)
    plotter.full_times.clear()
    plotter.coarse_times.extend([1.0] * module.JUDGED_BY)
    assert samples_of(plotter, 4) == [0] * 4
    monkeypatch.setattr(module, "COARSE_BUDGET", 1e9)
    assert set(samples_of(plotter, 2)) == {module.SAMPLES}


def test_turning_the_camera_draws_at_the_paint_alone(plotter, qtbot):
    from PySide6.QtCore import QPoint, Qt

    drawn, window = [], plotter.render_window
    tag = window.AddObserver("StartEvent", lambda *_: drawn.append(plotter.painting))
    before = plotter.renderers[0].GetActiveCamera().GetPosition()
    middle = QPoint(plotter.width() // 3, plotter.height() // 2)
    qtbot.mousePress(plotter, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(1, 4):
        qtbot.mouseMove(plotter, middle + QPoint(12 * step, 5))
    qtbot.mouseRelease(plotter, Qt.MouseButton.LeftButton, pos=middle + QPoint(36, 5))
    qtbot.waitUntil(lambda: bool(drawn))
    window.RemoveObserver(tag)
    assert plotter.renderers[0].GetActiveCamera().GetPosition() != before
    assert all(drawn)
