import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.bench.rendering import many_particles
from surrogate.render import DARK, LIGHT, ViewOptions, build_scene
from surrogate.render.offscreen import display_answers, offscreen_plotter, use_offscreen_gl
from surrogate.render.options import FieldVectors
from surrogate.render.painter import Painter, camera_matrix
from surrogate.render.picking import on_screen
from surrogate.render.spheres import fragment_code
from surrogate.render.theme import rgb

SIZE = (660, 280)


def _near(picture, colour, tolerance=40):
    """Pixels whose colour is about the given one."""
    return (np.abs(picture.astype(int) - rgb(colour)).max(axis=-1) < tolerance).sum()


def _changed(one, other):
    """Share of pixels that differ."""
    return (one != other).any(axis=-1).mean()


def _still(scene, size=SIZE, scale=1.0):
    with Painter.offscreen(scene, size, scale) as painter:
        return painter.frame()


@contextmanager
def _painted(scene, size=SIZE):
    """A painter, and the plotter it draws in."""
    plotter = offscreen_plotter(len(scene.panes), size, scene.theme)
    with Painter(plotter, scene) as painter:
        yield painter, plotter


def _camera(plotter):
    return plotter.renderers[0].GetActiveCamera()


def _drawn(plotter):
    """All that stands in the panes: solid things and words."""
    return [prop for renderer in plotter.renderers for prop in renderer.GetViewProps()]


def _texts(renderer):
    """The words in a pane that can be seen."""
    props = renderer.GetViewProps()
    return [prop for prop in props if prop.IsA("vtkTextActor") and prop.GetVisibility() and prop.GetInput()]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_pane_shows_its_particles(n, comparison_of):
    picture = _still(build_scene(comparison_of(n), 6))
    assert picture.shape == (280, 660, 3)
    for pane in np.split(picture, 3, axis=1):
        assert _near(pane, DARK.positive) > 8
        assert _near(pane, DARK.negative) > 8


def test_part_by_part_it_becomes_the_whole_picture(comparison_of):
    scene, later = (build_scene(comparison_of(3), frame) for frame in (2, 6))
    with Painter(offscreen_plotter(3, SIZE), scene, at_once=False) as painter:
        empty = painter.frame()
        assert _near(empty, DARK.positive) == 0
        assert not painter.complete
        painter.add_part()
        words = painter.frame()
        assert _near(words, DARK.positive) == 0
        assert _changed(words, empty) > 0.002
        painter.update(later)
        painter.add_part()
        one = painter.frame()
        assert [_near(pane, DARK.positive) > 8 for pane in np.split(one, 3, axis=1)] == [True, False, False]
        painter.add_part()
        assert not painter.complete
        painter.add_part()
        assert painter.complete
        assert _changed(painter.frame(), _still(later)) < 0.002


@pytest.mark.parametrize(("size", "n_lines"), [((660, 280), 1), ((660, 900), 3)])
def test_a_long_badge_takes_what_room_there_is_above_the_particles(size, n_lines, comparison_of):
    reason = "law coulomb (trained: nbody-reference); t = 3.1 to 14.1 (trained: 3.1), as never seen before"
    scene = build_scene(comparison_of(3, outside_training=(reason,)), 2)
    with _painted(scene, size) as (painter, plotter):
        painter.frame()
        words = [text.GetInput() for text in _texts(plotter.renderers[1])]
    (badge,) = (word for word in words if word.startswith("outside training"))
    assert len(badge.split("\n")) == n_lines


def test_a_perfect_forecast_looks_like_the_truth(comparison_of):
    """One camera and one scale: the same particles cover the same pixels of every pane."""
    c = comparison_of(3)
    scene = build_scene(replace(c, forecast=c.truth, rollout=c.truth), 8, ViewOptions(ghosts=False))
    left, middle, right = (pane[90:205, 60:-80] for pane in np.split(_still(scene, (960, 300)), 3, axis=1))
    assert _changed(left, middle) < 0.002  # single pixels on an edge round differently
    assert _changed(left, right) < 0.002
    other = _still(build_scene(c, 8, ViewOptions(ghosts=False)), (960, 300))
    assert _changed(np.split(other, 3, axis=1)[2][90:205, 60:-80], left) > 0.01  # the check can fail


def test_updating_in_place_gives_the_picture_of_a_new_painter(comparison_of):
    c = comparison_of(5)
    with _painted(build_scene(c, 2)) as (painter, plotter):
        before = painter.frame()
        drawn = _drawn(plotter)
        painter.update(build_scene(c, 11))
        after = painter.frame()
        assert _drawn(plotter) == drawn
    assert (before != after).any()
    np.testing.assert_array_equal(after, _still(build_scene(c, 11)))


def test_other_shapes_are_built_anew_under_the_same_camera(comparison_of):
    c = comparison_of(3)
    with Painter.offscreen(build_scene(c, 5), SIZE) as painter:
        painter.frame()
        camera = painter.camera()
        painter.update(
            build_scene(c, 5, ViewOptions(theme=LIGHT, trail_length=3, colour_by="error", ghosts=False))
        )
        picture = painter.frame()
        assert painter.camera() == camera
    assert _near(picture, LIGHT.background, 3) > 0.7 * picture[..., 0].size


def test_ghosts_and_links_appear_where_the_forecast_is_off(comparison_of):
    c = comparison_of(3)
    with_ghosts = np.split(_still(build_scene(c, 11)), 3, axis=1)
    without = np.split(_still(build_scene(c, 11, ViewOptions(ghosts=False))), 3, axis=1)
    np.testing.assert_array_equal(with_ghosts[0], without[0])
    assert (with_ghosts[2] != without[2]).sum() > 100


def test_a_still_of_twice_the_size_shows_the_same(comparison_of):
    scene = build_scene(comparison_of(3), 6)
    one, two = _still(scene), _still(scene, (1320, 560), 2.0)
    assert two.shape == (560, 1320, 3)
    assert _near(two, DARK.positive) == pytest.approx(4 * _near(one, DARK.positive), rel=0.5)


def test_too_few_subplots_are_refused(comparison_of):
    plotter = offscreen_plotter(2, SIZE)
    with pytest.raises(InputError, match="must have 3 subplots; got 2"):
        Painter(plotter, build_scene(comparison_of(3), 0))
    plotter.close()


def test_signs_are_drawn_on_charged_particles_only():
    assert "twinInk" in fragment_code("ball", -1, "#000000")
    assert "min(twinBar" in fragment_code("ball", 1, "#000000")
    assert "twinInk" not in fragment_code("ball", 0, "#000000")
    assert "{" not in fragment_code("ball", 0, "#000000").replace("{ discard; }", "")


@pytest.mark.parametrize("display", ["", "nonsense", ":x", ":54321"])
def test_a_display_nobody_serves(display):
    assert not display_answers(display)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is chosen on Linux only")
def test_egl_is_chosen_only_without_a_display(monkeypatch):
    monkeypatch.delenv("VTK_DEFAULT_OPENGL_WINDOW", raising=False)
    monkeypatch.setattr("surrogate.render.offscreen.display_answers", lambda display: display == ":1")
    assert not use_offscreen_gl({"DISPLAY": ":1"})
    assert "VTK_DEFAULT_OPENGL_WINDOW" not in os.environ
    assert not use_offscreen_gl({"VTK_DEFAULT_OPENGL_WINDOW": "vtkXOpenGLRenderWindow"})
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "")  # so that monkeypatch puts it back
    assert use_offscreen_gl({"DISPLAY": ":2"})
    assert use_offscreen_gl({})
    assert os.environ["VTK_DEFAULT_OPENGL_WINDOW"] == "vtkEGLRenderWindow"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is chosen on Linux only")
def test_without_opengl_the_error_is_one_line():
    """In a process that finds no EGL driver; the file names are those of libglvnd."""
    code = "from surrogate.render.offscreen import offscreen_plotter; offscreen_plotter(1, (100, 100))"
    hidden = {"__EGL_VENDOR_LIBRARY_FILENAMES": os.devnull, "DISPLAY": "", "VTK_DEFAULT_OPENGL_WINDOW": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **hidden}, check=False)
    assert "Error: no usable OpenGL 3.2" in done.stderr or done.returncode == 0  # OSMesa may be installed
    assert done.returncode in (0, 1)  # no crash
    assert "WARN" not in done.stderr


def test_a_machine_without_opengl_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("surrogate.render.offscreen.opengl_usable", lambda: False)
    with pytest.raises(InputError, match=r"^no usable OpenGL.*apt-get install"):
        offscreen_plotter(1, (100, 100))


def test_a_choice_that_changes_a_size_makes_only_that_part_anew(comparison_of):
    c = comparison_of(4)
    field = FieldVectors(np.eye(4), np.eye(4), 1.0)
    with _painted(build_scene(c, 5)) as (painter, plotter):
        plain, drawn = painter.frame(), _drawn(plotter)
        for options in (
            ViewOptions(selected=(0, 3)),
            ViewOptions(trail_length=4),
            ViewOptions(trail_of="selected"),
            ViewOptions(vectors=field),
            ViewOptions(colour_by="speed"),
            ViewOptions(hud=False),
        ):
            painter.update(build_scene(c, 5, options))
            shown = painter.frame()
            assert (shown != plain).any(), options
            np.testing.assert_array_equal(shown, _still(build_scene(c, 5, options)))
            left = [prop for prop in drawn if prop in _drawn(plotter)]
            assert len(left) > 0.7 * len(drawn), options
        painter.update(build_scene(c, 5))
        np.testing.assert_array_equal(painter.frame(), plain)


def test_selected_particles_have_a_halo_in_every_pane(comparison_of):
    c = comparison_of(3)
    for theme in (DARK, LIGHT):
        none = _still(build_scene(c, 6, ViewOptions(theme=theme, hud=False)))
        some = _still(build_scene(c, 6, ViewOptions(theme=theme, hud=False, selected=(2,))))
        for before, after in zip(np.split(none, 3, axis=1), np.split(some, 3, axis=1), strict=True):
            assert _near(after, theme.selection, 12) > _near(before, theme.selection, 12) + 10


def test_a_halo_is_seen_in_a_crowd():
    c = many_particles(200, 3)
    plain = _still(build_scene(c, 2, ViewOptions(hud=False)), (900, 400))
    shown = _still(build_scene(c, 2, ViewOptions(hud=False, selected=(5,))), (900, 400))
    rows, columns = np.nonzero((plain != shown)[:, :450].any(axis=-1))
    assert np.ptp(rows) > 12
    assert np.ptp(columns) > 12


def test_the_camera_goes_along_with_the_followed_particle(comparison_of):
    c = comparison_of(3)
    with _painted(build_scene(c, 0)) as (painter, plotter):
        camera = _camera(plotter)
        start = np.array(camera.GetPosition()) - camera.GetFocalPoint()
        for frame in (3, 11):
            scene = build_scene(c, frame, ViewOptions(follow=1))
            painter.update(scene)
            np.testing.assert_allclose(camera.GetFocalPoint(), scene.panes[0].points[1], atol=1e-6)
            np.testing.assert_allclose(np.array(camera.GetPosition()) - camera.GetFocalPoint(), start, atol=1e-6)
        painter.update(build_scene(c, 11))  # no longer: back to the middle
        np.testing.assert_allclose(camera.GetFocalPoint(), scene.centre, atol=1e-6)


def test_an_overlay_shows_the_truth_through_the_forecast(comparison_of):
    c = comparison_of(3, rollout=False)
    far = np.array([0.0, 0.0, 1.2])
    moved = type(c.truth)(c.truth.times, c.truth.positions + far, c.truth.velocities, c.truth.system)
    scene = build_scene(replace(c, forecast=moved), 6, ViewOptions(layout="overlay", trail_length=0, hud=False))
    assert len(scene.panes) == 1
    picture = _still(scene, (500, 400))
    solid = _still(replace(scene, panes=(replace(scene.panes[0], ghosts=None),)), (500, 400))
    with _painted(scene, (500, 400)) as (painter, plotter):
        painter.frame()
        matrix = camera_matrix(_camera(plotter), 500 / 400)
        pixels, _, scale = on_screen(scene.panes[0].ghosts, matrix, (0.0, 0.0, 500.0, 400.0))
    strengths = []
    beside = pixels - np.stack([0.4 * scale * scene.panes[0].radii, np.zeros(5)], axis=1)  # off the link
    for (x, y), colour in zip(beside.round().astype(int), scene.panes[0].ghost_colours, strict=True):
        there = picture[399 - y, x].astype(float)
        if (solid[399 - y, x] == rgb(DARK.background)).all():
            strengths.append(((there - rgb(DARK.background)) @ (colour - rgb(DARK.background)))
                             / ((colour - rgb(DARK.background)) ** 2).sum())  # fmt: skip
    assert len(strengths) >= 2
    assert all(0.1 < strength < 0.75 for strength in strengths), strengths  # neither gone nor solid


def test_arrows_of_a_field_are_drawn_in_every_pane(comparison_of):
    c = comparison_of(3)
    points = np.stack(np.meshgrid(*[np.linspace(-1.5, 1.5, 3)] * 3), axis=-1).reshape(-1, 3)
    field = FieldVectors(points, np.roll(points, 1, axis=1), 2.0)
    plain = _still(build_scene(c, 6, ViewOptions(hud=False)))
    with_arrows = _still(build_scene(c, 6, ViewOptions(hud=False, vectors=field)))
    for before, after in zip(np.split(plain, 3, axis=1), np.split(with_arrows, 3, axis=1), strict=True):
        assert _changed(before, after) > 0.01


@pytest.mark.parametrize("width", [180, 240, 320])
def test_the_name_of_the_model_is_never_cut(width, comparison_of):
    c = comparison_of(3, model_name="integrator-nd", outside_training=("t = 3.1 to 14.1 (trained: 3.1)",))
    with _painted(build_scene(c, 6), (3 * width, 520)) as (painter, plotter):
        painter.frame()
        for renderer in plotter.renderers[1:3]:
            (title,) = (text for text in _texts(renderer) if "integrator-nd" in text.GetInput())
            assert "..." not in title.GetInput()
            box = [0.0] * 4
            title.GetBoundingBox(renderer, box)
            assert box[1] - box[0] <= width


def test_legend_and_axes_give_way_in_a_tiny_pane(comparison_of):
    scene = build_scene(comparison_of(5), 6)
    for height, shown in ((500, True), (120, False)):
        with _painted(scene, (480, height)) as (painter, plotter):
            painter.frame()
            first, *_, last = ({t.GetInput() for t in _texts(renderer)} for renderer in plotter.renderers[:3])
            assert (set(scene.labels) <= first) == shown
            assert (scene.legend.title in last) == shown


def test_what_is_framed_stays_framed_in_another_shape_of_pane(comparison_of):
    """And who has zoomed keeps the zoom: the distance goes along with the shape of the pane."""
    scene = build_scene(comparison_of(3), 2)
    with _painted(scene, (900, 300)) as (painter, plotter):
        painter.frame()
        camera = _camera(plotter)
        start = np.array(camera.GetPosition())
        plotter.render_window.SetSize(450, 300)  # panes half as wide as high
        painter.frame()
        narrow = np.array(camera.GetPosition())
        focus = np.array(camera.GetFocalPoint())
        assert np.allclose(narrow - focus, 2.0 * (start - focus))
        near, far = camera.GetClippingRange()
        assert near < np.linalg.norm(narrow - focus) - scene.radius
        assert far > np.linalg.norm(narrow - focus) + scene.radius
        plotter.render_window.SetSize(900, 300)
        painter.frame()
        assert np.allclose(camera.GetPosition(), start)


def test_a_look_along_an_axis(comparison_of):
    scene = build_scene(comparison_of(5), 2)
    with _painted(scene) as (painter, plotter):
        camera, far = _camera(plotter), _camera(plotter).GetDistance()
        for axis in range(5):
            painter.look_along(axis)
            towards = -np.array(camera.GetDirectionOfProjection())
            assert np.allclose(towards, scene.axes[axis] / np.linalg.norm(scene.axes[axis]))
            assert camera.GetDistance() == pytest.approx(far)
            assert abs(np.dot(towards, camera.GetViewUp())) < 0.999
    flat = build_scene(comparison_of(2), 2)
    with Painter.offscreen(flat, SIZE) as painter:
        before = painter.camera()
        painter.look_along(0)
        assert painter.camera() == before


def test_words_have_the_same_size_on_a_fine_screen(comparison_of):
    """A window on a screen of 144 dots per inch says so to VTK; sizes are in pixels all the same."""
    scene = build_scene(comparison_of(3), 2)
    plain = _still(scene)
    with _painted(scene) as (painter, plotter):
        plotter.render_window.SetDPI(144)
        assert _changed(painter.frame(), plain) < 0.002


def test_a_released_plotter_may_have_another_painter(comparison_of):
    scene = build_scene(comparison_of(3), 2)
    with _painted(scene) as (painter, plotter):
        once = painter.frame()
        painter.release()
        assert _changed(painter.frame(), once) > 0.01
        assert painter.scale == 1.0
        again = Painter(plotter, scene)
        assert _changed(again.frame(), once) < 0.002
        again.release()


@pytest.mark.parametrize("n", [2, 5])
def test_a_camera_is_put_where_another_one_stood(comparison_of, n):
    """In a scene of another size and panes of another shape: what was looked at is seen from the same side."""
    scene = build_scene(comparison_of(n), 2)
    with Painter.offscreen(scene, SIZE) as painter:
        home = painter.camera()
        assert home.trouble == ""
        assert home.distance == pytest.approx(1.0)
        assert np.allclose(home.shift, 0.0)
        towards = (0.0, 0.0, 1.0) if n == 2 else (0.6, 0.0, 0.8)
        wanted = replace(home, towards=towards, up=(0.0, 1.0, 0.0), distance=0.5, shift=(0.2, -0.1, 0.0))
        painter.place_camera(wanted)
        before = painter.frame()
        painter.place_camera(None)
        assert painter.camera() == home
        assert np.abs(painter.frame().astype(int) - before).max() > 50
    with Painter.offscreen(replace(scene, radius=3.0 * scene.radius), (500, 700)) as painter:
        painter.place_camera(wanted)
        found = painter.camera()
        assert np.allclose(found.towards + found.up + found.shift, wanted.towards + wanted.up + wanted.shift)
        assert found.distance == pytest.approx(0.5)
        painter.place_camera(replace(wanted, flat=not wanted.flat))
        assert np.allclose(painter.camera().towards, home.towards)
