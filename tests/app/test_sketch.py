"""Draw where it goes: the pen's geometry, a hidden future, and honest scores."""

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.intents.sketch import fresh_sketch
from app.viewmodel.presenters.screen import REACH, nearest_particle, unprojected
from app.viewmodel.presenters.sketch import shown_coordinates, verdict
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.sketch import evenly, scores
from app.viewmodel.state.view_state import ViewState
from surrogate.render.picking import on_screen
from surrogate.render.projection import project
from tests.app.fakes import FakeDialogs, comparison, prompt_session, result_for, texts

RECTANGLE = (40.0, 10.0, 400.0, 300.0)


def perspective(seed: int) -> np.ndarray:
    """Projection times view of a camera that looks at the origin from somewhere."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    view = np.eye(4)
    view[:3, :3] = turn
    view[2, 3] = -8.0
    near, far, size = 1.0, 30.0, 3.0
    lens = np.array([
        [size, 0, 0, 0], [0, size * 4 / 3, 0, 0],
        [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)], [0, 0, -1, 0],
    ])  # fmt: skip
    return lens @ view


def parallel(seed: int) -> np.ndarray:
    matrix = perspective(seed)
    view = np.linalg.solve(np.diag([3.0, 4.0, 1.0, 1.0]), matrix)
    flat = np.diag([0.3, 0.4, -0.05, 1.0])
    rows = np.array([view[0], view[1], matrix[3], [0.0, 0.0, 0.0, 1.0]])
    return flat @ rows


@pytest.mark.parametrize("camera", [perspective, parallel])
@pytest.mark.parametrize("seed", range(5))
def test_a_pixel_becomes_the_point_on_the_plane_that_faces_the_camera(camera, seed):
    matrix = camera(seed)
    rng = np.random.default_rng(seed)
    through = rng.uniform(-1, 1, 3)
    x, y = rng.uniform(50, 300, 2)
    point = unprojected(x, y, through, matrix, RECTANGLE)
    pixels, depth, _ = on_screen(point[None], matrix, RECTANGLE)
    assert np.allclose(pixels, [[x, y]], atol=1e-9)
    assert depth == pytest.approx(on_screen(through[None], matrix, RECTANGLE)[1])
    back = on_screen(through[None], matrix, RECTANGLE)[0][0]
    assert np.allclose(unprojected(*back, through, matrix, RECTANGLE), through, atol=1e-9)
    # the plane is square to the direction of view: along the third row of the turn
    assert abs((point - through) @ matrix[3, :3]) < 1e-9


def test_the_nearest_particle_within_reach():
    matrix = perspective(0)
    points = np.array([[0.0, 0, 0], [0.5, 0.2, 0.1]])
    pixels, _, _ = on_screen(points, matrix, RECTANGLE)
    assert nearest_particle(*(pixels[1] + 2.0), points, matrix, RECTANGLE) == 1
    assert nearest_particle(*(pixels[0] + [0, REACH + 500]), points, matrix, RECTANGLE) is None


def test_a_path_is_walked_evenly():
    corner = np.array([[0.0, 0, 0], [3.0, 0, 0], [3.0, 1.0, 0]])
    assert np.allclose(evenly(corner, 4), [[1, 0, 0], [2, 0, 0], [3, 0, 0], [3, 1, 0]])
    assert np.allclose(evenly(corner[[1, 1]], 3), corner[[1, 1, 1]])
    assert np.allclose(evenly(corner[:1], 2), 0.0)


def session_with(n: int = 3, n_frames: int = 40, **changes):
    """A film of 40 frames at 0.1, horizon 1: ten frames ahead."""
    session = prompt_session(dims=n)
    setup = Setup(model="fake", dims=n)
    made = comparison(n, n_frames=n_frames, **changes)
    session.store.publish(result=result_for(setup, comparison=made), setup=setup)
    session.clock.seek(5)
    return session


@pytest.mark.parametrize("n", [2, 3, 5])
def test_who_draws_the_truth_is_right(n):
    session = session_with(n)
    ACTIONS["sketch"].run(session, FakeDialogs())
    sketch = session.state.sketch
    assert (sketch.start, sketch.n_frames, sketch.end) == (5, 10, 15)
    film = session.state.result.comparison
    for particle in (0, 3):
        session.sketch.draw(particle, project(film.truth.positions[6:16, particle], sketch.basis))
    made = scores(session.state.sketch, film)
    assert made["you"].end < 1e-12
    assert made["you"].path < made["straight"].path  # walked evenly, the truth is not
    # the fake forecast drifts away from the truth: the score is that of its drift in the drawn coordinates
    off = project(film.forecast.positions[15, [0, 3]] - film.truth.positions[15, [0, 3]], sketch.basis)
    assert made["model"].end == pytest.approx(np.sqrt((off**2).sum(axis=1).mean() / min(n, 3)))
    x, v = film.truth.positions[5, [0, 3]], film.truth.velocities[5, [0, 3]]
    miss = project(x + v * 1.0 - film.truth.positions[15, [0, 3]], sketch.basis)
    assert made["straight"].end == pytest.approx(np.sqrt((miss**2).sum(axis=1).mean() / min(n, 3)))
    rows = verdict(session.state.sketch, film)
    assert [row[0] for row in rows] == ["", "You", "Model", "x + v t"]
    assert rows[1][3] == "0×" or float(rows[1][3][:-1]) < 1e-9
    assert rows[3][3] == "1×"
    assert ("three" in shown_coordinates(n)) == (n > 3)


def test_the_future_is_hidden_until_it_is_revealed():
    session = session_with()
    session.clock.toggle_play()
    session.sketch.begin()
    assert not session.state.playback.playing
    for move in (lambda: session.clock.step(3), lambda: session.clock.seek(30), lambda: session.clock.tick(1.0)):
        move()
        assert session.state.frame == 5
    session.clock.toggle_play()
    assert not session.state.playback.playing
    assert "hidden" in texts(session)[1]
    session.clock.step(-2)
    assert session.state.frame == 3
    ACTIONS["sketch-reveal"].run(session, FakeDialogs())
    assert "at least one" in texts(session)[1]
    session.sketch.draw(99, np.zeros((1, 3)))
    session.sketch.draw(0, np.zeros((0, 3)))
    assert not session.state.sketch.paths
    session.sketch.draw(0, np.ones((1, 3)))
    ACTIONS["sketch-reveal"].run(session, FakeDialogs())
    assert (session.state.frame, session.state.playback.playing) == (5, True)
    for _ in range(60):
        session.clock.tick(0.1)
    assert (session.state.frame, session.state.playback.playing) == (15, False)
    session.sketch.draw(1, np.ones((1, 3)))  # too late
    assert list(session.state.sketch.paths) == [0]
    session.clock.toggle_play()
    session.clock.tick(0.3)
    assert session.state.frame > 15
    ACTIONS["sketch-wipe"].run(session, FakeDialogs())
    assert (session.state.frame, session.state.sketch.paths, session.state.sketch.revealed) == (5, {}, False)
    session.overlays.clear()
    assert session.state.sketch is None
    for act in (session.sketch.reveal, session.sketch.wipe, session.sketch.end):
        act()


def test_near_the_end_it_starts_earlier():
    session = session_with()
    session.clock.seek(39)
    session.sketch.begin()
    assert session.state.sketch.start == session.state.frame == 29


@pytest.mark.parametrize(
    "leave",
    [
        lambda s: s.system.choose_seed(9),
        lambda s: s.world.rotate(0, 1, 10.0),
        lambda s: s.view.set(axes=(0, 1, 4)),
        lambda s: s.sketch.toggle(),
    ],
)
def test_a_sketch_goes_with_what_it_was_drawn_over(leave):
    session = session_with(5)
    session.sketch.begin()
    session.sketch.draw(0, np.ones((1, 3)))
    session.picture.toggle_colour()
    assert session.state.sketch is not None
    leave(session)
    assert session.state.sketch is None


def test_where_there_is_nothing_to_draw_over():
    assert fresh_sketch(ViewState()) is None
    session = session_with(n_frames=8)
    session.sketch.begin()
    assert session.state.sketch is None
    assert "nothing to draw over" in texts(session)[1]
    assert fresh_sketch(session_with(horizon=None).state) is None
    empty = session_with()
    empty.sketch.begin()
    assert scores(empty.state.sketch, empty.state.result.comparison) == {}
    assert verdict(empty.state.sketch, empty.state.result.comparison) == []
    assert empty.state.basis.shape == (3, 3)


@pytest.mark.gui
def test_the_pen_in_the_window(open_window, qtbot):
    from PySide6.QtCore import QPoint, Qt

    window = open_window(scenario="bound")
    session, pen, left = window.session, window.sketch, Qt.MouseButton.LeftButton
    setup = session.state.result.setup
    session.store.publish(result=result_for(setup, comparison=comparison(3, n_frames=40)))
    session.clock.seek(5)
    qtbot.waitUntil(lambda: window.viewport.on_screen is not None)
    qtbot.keyClick(window, Qt.Key.Key_W)
    assert pen.card.isVisible()
    assert pen.canvas.isVisible()
    assert not pen.card.reveal.isEnabled()
    plotter = window.viewport.plotter
    camera = plotter.renderers[0].GetActiveCamera().GetPosition()
    matrix, rectangle = pen.pane()
    ratio = plotter.devicePixelRatioF()

    def at(point):
        ((x, y),) = on_screen(np.asarray(point)[None], matrix, rectangle)[0] / ratio
        return QPoint(round(x), round(plotter.height() - y))

    places = pen.places(session.state)
    start, goal = at(places[2]), at(places[2]) + QPoint(30, -20)
    before = np.asarray(window.grab().toImage().constBits()).copy()
    qtbot.mousePress(plotter, left, pos=start)
    for k in range(1, 6):
        qtbot.mouseMove(plotter, start + (goal - start) * (k / 5))
    qtbot.mouseRelease(plotter, left, pos=goal)
    (path,) = session.state.sketch.paths.values()
    particle = next(iter(session.state.sketch.paths))
    assert np.allclose(path[0], places[particle])
    end = at(path[-1]) - goal
    assert end.manhattanLength() <= 2
    assert np.array_equal(plotter.renderers[0].GetActiveCamera().GetPosition(), camera)  # the pen moved no camera
    assert (np.asarray(window.grab().toImage().constBits()) != before).any()
    qtbot.mouseClick(plotter, left, pos=QPoint(15, plotter.height() // 2))  # beside all: where the last one ends
    assert len(session.state.sketch.paths) == 1
    assert session.state.sketch.paths[particle].shape[0] >= 2
    qtbot.mouseClick(pen.card.reveal, left)
    assert session.state.sketch.revealed
    assert pen.card.cells[1][0].text() == "You"
    assert window.viewport.widget.rect().contains(pen.card.geometry())
    qtbot.mouseClick(pen.card.close_button, left)
    assert not pen.card.isVisible()
    assert not pen.canvas.isVisible()
