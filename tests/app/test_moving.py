"""Moving particles in the view: without a window, then with the mouse and the keys."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.edited_system import ARROW_TIME, drawing, in_view, nudge_length
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.session import Session
from app.viewmodel.state.draft import Moving
from app.viewmodel.state.setup import Turn
from app.viewmodel.state.view_state import ViewState
from surrogate.render.picking import on_screen
from tests.app.fakes import FakeDialogs, PromptRunner, later_session, prompt_session, texts
from tests.app.test_editor import FIELDED, SCENE, session_with
from tests.app.test_editor_window import cell


def run(session: Session, name: str) -> FakeDialogs:
    dialogs = FakeDialogs()
    ACTIONS[name].run(session, dialogs)
    return dialogs


def turned(n: int) -> Session:
    session = prompt_session(dims=n, operations=(Turn(0, n - 1, 40.0),))
    run(session, "move-particles")
    return session


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_particle_is_dragged_in_the_drawn_coordinates_alone(n):
    session = turned(n)
    edited = drawing(session.state)
    shift = np.array([0.3, -0.2, 0.4 if n > 2 else 0.0])
    session.moving.grab(1)
    assert session.state.selection.particles == (1,)
    session.moving.drag(edited.places[1] + shift)
    after = drawing(session.state)
    np.testing.assert_allclose(after.places[1], edited.places[1] + shift, atol=1e-12)
    np.testing.assert_array_equal(np.delete(after.places, 1, axis=0), np.delete(edited.places, 1, axis=0))
    assert after.system.velocities == edited.system.velocities
    # what the view hides stays: the way in n dimensions is as long as the one that is seen
    way = np.array(after.system.positions[1]) - np.array(edited.system.positions[1])
    assert np.linalg.norm(way) == pytest.approx(np.linalg.norm(shift))
    session.moving.cancel()
    session.moving.grab(2, velocity=True)
    session.moving.drag(edited.tips[2] + shift)
    after = drawing(session.state)
    np.testing.assert_allclose(after.tips[2], edited.tips[2] + shift, atol=1e-12)
    assert after.system.positions == edited.system.positions
    change = np.array(after.system.velocities[2]) - np.array(edited.system.velocities[2])
    assert np.linalg.norm(change) == pytest.approx(np.linalg.norm(shift) / ARROW_TIME)


def test_the_truth_pane_shows_the_first_state_while_it_is_dragged():
    session = turned(3)
    frames = session.state.result.frames
    session.clock.seek(5)
    edited = drawing(session.state)
    pane, other = scene_of(session.state, frames).panes[:2]
    np.testing.assert_allclose(pane.points, edited.places, atol=1e-6)
    assert pane.title == "Scene editor"
    assert pane.trails.shape[1] == 0
    assert other.title.startswith("fake")
    assert "film at t = " in scene_of(session.state, frames).headline
    session.moving.grab(0)
    session.moving.drag(edited.places[0] + [0.5, 0.0, 0.0])
    pane = scene_of(session.state, frames).panes[0]
    np.testing.assert_allclose(pane.points[0], edited.places[0] + [0.5, 0.0, 0.0], atol=1e-6)
    assert pane.badge == "not simulated yet"
    assert pane.footer.startswith("particle 0   x = (")
    session.moving.end()
    assert scene_of(session.state, frames).panes[0].title == "Ground truth"


def test_one_drag_is_one_step_back_and_simulated_when_let_go():
    session, runner = later_session()
    run(session, "move-particles")
    before = session.state.setup
    session.moving.grab(3)
    place, way = drawing(session.state).places[3], np.array([0.5, 0.0, 0.0])
    for k in range(1, 6):
        session.moving.drag(place + 0.2 * k * way)
    assert runner.asked == []  # nothing is simulated while it is held
    assert not session.state.can_undo
    session.moving.drop()
    (asked,) = runner.asked
    np.testing.assert_allclose(np.array(asked.own.positions[3]) - before_scene(session)[3], way)
    np.testing.assert_allclose(drawing(session.state).places[3], place + way)  # it does not fall back
    runner.finish()
    assert session.state.draft is None
    assert session.state.selection.particles == (3,)  # still the same one
    assert session.state.moving == Moving()
    session.history.undo()
    assert session.state.setup == before
    runner.finish()
    assert not session.state.can_undo
    np.testing.assert_allclose(drawing(session.state).places[3], place)
    session.history.redo()
    assert session.state.setup == asked


def before_scene(session: Session) -> np.ndarray:
    return np.array(session.state.result.system.positions)


def test_escape_lets_go_then_leaves_the_mode_then_the_selection():
    session, runner = later_session()
    run(session, "move-particles")
    session.moving.grab(1)
    session.moving.drag(np.array([9.0, 9.0, 9.0]))
    run(session, "clear")
    assert session.state.moving == Moving()
    session.moving.drag(np.zeros(3))  # the button is still down
    session.moving.drop()
    assert runner.asked == []
    assert session.state.draft is None
    run(session, "clear")
    assert session.state.moving is None
    assert session.state.selection.particles == (1,)
    run(session, "clear")
    assert session.state.selection.particles == ()


@pytest.mark.parametrize(
    ("name", "way"), [("right", (1, 0)), ("left", (-1, 0)), ("up", (0, 1)), ("down", (0, -1))]
)
def test_keys_nudge_the_selected_particle(name, way):
    session = prompt_session()
    run(session, f"nudge-{name}")
    assert "Shift+M" in texts(session)[1]
    run(session, "move-particles")
    run(session, f"nudge-{name}")
    assert "select a particle" in texts(session)[1]
    session.selection.pick(2)
    before = drawing(session.state)
    step = nudge_length(before.system)
    expected = step * np.array([*way, 0])
    run(session, f"nudge-{name}")
    after = drawing(session.state)
    np.testing.assert_allclose(after.places[2] - before.places[2], expected, atol=1e-12)
    assert session.state.setup.own == after.system  # simulated
    run(session, f"nudge-velocity-{name}")
    faster = drawing(session.state)
    np.testing.assert_allclose(faster.tips[2] - after.tips[2], expected, atol=1e-12)
    assert faster.system.positions == after.system.positions
    session.history.undo()
    session.history.undo()
    np.testing.assert_allclose(drawing(session.state).places, before.places)


def test_arrow_keys_are_the_clocks_again_outside_the_mode():
    session = prompt_session()
    for name in ("step-forward", "skip-back"):
        assert ACTIONS[name].enabled(session.state)
    assert not ACTIONS["nudge-right"].enabled(session.state)
    assert run(session, "move-particles").shown == ["scene"]
    assert not ACTIONS["step-forward"].enabled(session.state)
    assert ACTIONS["nudge-velocity-left"].enabled(session.state)


def test_a_draft_is_moved_with_its_other_edits_and_not_simulated_where_it_is_wrong():
    session = session_with()
    session.editor.set_value(0, "charge", "2")
    run(session, "move-particles")
    assert drawing(session.state).system.charges[0] == 2.0
    session.moving.grab(1)
    session.moving.drag(np.array([-1.0, 0.5, 0.0]))
    session.moving.drop()
    assert session.state.setup.own.charges[0] == 2.0
    np.testing.assert_allclose(session.state.setup.own.positions[1], [-1.0, 0.5, 0.0], atol=1e-12)
    session.editor.set_value(1, "mass", "-3")
    shown = session.state.setup
    session.moving.grab(1)
    session.moving.drag(np.array([-1.0, 0.7, 0.0]))
    session.moving.drop()
    assert texts(session)[0] == "error"
    assert session.state.setup == shown
    assert session.state.draft.system.positions[1][1] == pytest.approx(0.7)  # kept in the draft
    session.history.undo()
    assert session.state.draft.system.positions[1][1] == 0.5


def test_a_draft_with_what_is_no_mass_is_drawn():
    session = session_with()
    run(session, "move-particles")
    session.editor.set_value(1, "mass", "-2.5")
    scene = scene_of(session.state, session.state.result.frames)
    truth = next(pane for pane in scene.panes if pane.source == "truth")
    assert np.isfinite(truth.radii).all()
    assert (truth.radii > 0).all()


def test_a_click_changes_nothing_but_the_selection():
    session, runner = later_session()
    run(session, "move-particles")
    session.moving.grab(4)
    session.moving.drop()
    assert session.state.selection.particles == (4,)
    assert runner.asked == []
    assert not session.state.can_undo


def test_what_cannot_be_moved():
    empty = Session(PromptRunner(), ViewState())
    empty.moving.begin()
    assert "no particle to move yet" in texts(empty)[1]
    session = session_with()
    session.editor.set_dims(5)
    session.moving.begin()
    assert "another number of dimensions" in texts(session)[1]
    session.moving.grab(0)
    assert session.state.moving == Moving()
    assert drawing(session.state) is None
    session.editor.revert()
    session.editor.add()
    session.moving.grab(9)
    assert session.state.moving == Moving()
    for number in (0, 3):
        session.moving.grab(number)
        assert session.state.moving.particle == number  # the one that is only in the draft, too
        session.moving.cancel()


def test_it_has_the_truth_pane_and_shares_it_with_nobody():
    session = prompt_session()
    session.picture.toggle_layout()
    assert not in_view(session.state)
    run(session, "move-particles")
    assert session.state.view.layout == "twin"
    session.sketch.begin()
    assert session.state.moving is None
    session.picture.maximise(1)
    run(session, "move-particles")
    assert in_view(session.state)
    session.picture.maximise(1)
    session.moving.grab(0)
    assert session.state.moving == Moving()  # the truth is not seen


def test_more_particles_in_the_draft_than_in_the_film_are_drawn():
    session = session_with()
    run(session, "move-particles")
    session.editor.set_particles(9)
    session.selection.pick(1)
    session.store.publish(selection=replace(session.state.selection, particles=(1, 4)))
    frames = session.state.result.frames
    assert len(scene_of(session.state, frames).panes[0].points) == 9
    session.editor.set_particles(2)
    scene = scene_of(session.state, frames)
    assert (len(scene.panes[0].points), scene.selected) == (2, (1,))
    assert SCENE.n_particles == 3


@pytest.mark.gui
def test_dragging_in_the_window(open_window, qtbot):
    from PySide6.QtCore import QPoint, Qt

    own = replace(FIELDED, duration=3.0)
    window = open_window(real=True, model="integrator-nd", scenario="", own=own)
    window.session.clock.toggle_play()
    session, key, left = window.session, Qt.Key, Qt.MouseButton.LeftButton
    still, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.waitUntil(lambda: session.state.result is not None and not session.state.busy)
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    qtbot.keyClick(window, key.Key_M, shift)
    mover, panel, plotter = window.mover, window.panels["scene"], window.viewport.plotter
    assert session.state.moving == Moving()
    assert mover.canvas.isVisible()
    qtbot.waitUntil(panel.isVisible)
    assert panel.moves.isChecked()
    qtbot.wait(50)

    def at(point) -> QPoint:
        ratio = plotter.devicePixelRatioF()
        ((x, y),) = on_screen(np.asarray(point)[None], *mover.pane())[0] / ratio
        return QPoint(round(x), round(plotter.height() - y))

    def drag(start: QPoint, way: QPoint, modifier=still) -> None:
        qtbot.mousePress(plotter, left, modifier, start)
        for k in range(1, 6):
            qtbot.mouseMove(plotter, start + way * (k / 5))

    camera = plotter.renderers[0].GetActiveCamera()
    before, looks = drawing(session.state), camera.GetPosition()
    plain = np.asarray(window.grab().toImage().constBits()).copy()
    drag(at(before.places[2]), QPoint(24, -18))
    moved = drawing(session.state)
    assert session.state.moving.particle == 2
    assert (at(moved.places[2]) - at(before.places[2]) - QPoint(24, -18)).manhattanLength() <= 2
    assert not session.state.busy
    assert (np.asarray(window.grab().toImage().constBits()) != plain).any()
    qtbot.keyClick(window, key.Key_Escape)
    qtbot.mouseRelease(plotter, left, still, at(before.places[2]))
    assert session.state.setup.own == own
    np.testing.assert_array_equal(drawing(session.state).places, before.places)

    drag(at(before.places[2]), QPoint(24, -18))
    qtbot.mouseRelease(plotter, left, still, at(before.places[2]) + QPoint(24, -18))
    qtbot.waitUntil(lambda: session.state.draft is None and not session.state.busy)
    assert session.state.result.system.positions == moved.system.positions
    np.testing.assert_array_equal(camera.GetPosition(), looks)  # the hand moved no camera

    drag(at(moved.places[2]), QPoint(-20, 10), shift)
    faster = drawing(session.state)
    assert (at(faster.tips[2]) - at(moved.places[2]) - QPoint(-20, 10)).manhattanLength() <= 2
    qtbot.mouseRelease(plotter, left, shift, at(moved.places[2]) + QPoint(-20, 10))
    qtbot.waitUntil(lambda: session.state.draft is None and not session.state.busy)
    assert session.state.result.system.velocities[2] == faster.system.velocities[2]

    frame = session.state.frame
    for pressed, modifier in ((key.Key_Up, still), (key.Key_Left, shift)):
        scene = session.editor.draft.system
        qtbot.keyClick(window, pressed, modifier)
        assert session.editor.draft.system != scene
    assert session.state.frame == frame
    qtbot.waitUntil(lambda: not session.state.busy)
    for _ in range(4):
        window.actions_by_name["undo"].trigger()
        qtbot.waitUntil(lambda: not session.state.busy)
    assert session.state.setup.own == own
    drag(QPoint(30, plotter.height() - 40), QPoint(40, 0))  # beside every particle the mouse is the camera's
    qtbot.mouseRelease(plotter, left, still, QPoint(70, plotter.height() - 40))
    assert session.state.setup.own == own
    qtbot.keyClick(window, key.Key_Escape)
    assert session.state.moving is None
    assert not mover.canvas.isVisible()
    assert not panel.moves.isChecked()
    frame = session.state.frame
    qtbot.keyClick(window, key.Key_Right)
    assert session.state.frame == frame + 1

    # the fields of the same panel, typed
    qtbot.mouseClick(panel.tabs[1], left)
    qtbot.waitUntil(panel.fields.table.isVisible)
    cell(qtbot, panel.fields.table, 1, 3, "-2.5")
    assert session.editor.draft.system.magnetic == (2.0, 0.5, -2.5)
    assert panel.fields.table.item(2, 2).text() == "2.5"
    assert not panel.fields.table.item(2, 2).flags() & Qt.ItemFlag.ItemIsEditable
    cell(qtbot, panel.fields.table, 0, 0, "up")
    assert "not a number" in panel.trouble.text()
    qtbot.mouseClick(panel.fields.clear, left)
    assert session.editor.draft.system.magnetic == ()
    assert panel.fields.table.item(0, 0).text() == "0"
    assert panel.trouble.text() == "not applied yet"
