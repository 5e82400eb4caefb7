import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.render import DARK, LIGHT, ViewOptions, build_scene
from surrogate.render.offscreen import display_answers, offscreen_plotter, use_offscreen_gl
from surrogate.render.painter import Painter
from surrogate.render.spheres import fragment_code
from surrogate.render.theme import rgb

SIZE = (480, 200)


def _near(picture, colour, tolerance=40):
    """Pixels whose colour is about the given one."""
    return (np.abs(picture.astype(int) - rgb(colour)).max(axis=-1) < tolerance).sum()


def _changed(one, other):
    """Share of pixels that differ."""
    return (one != other).any(axis=-1).mean()


def _still(scene, size=SIZE, scale=1.0):
    with Painter.offscreen(scene, size, scale) as painter:
        return painter.frame()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_pane_shows_its_particles(n, comparison_of):
    picture = _still(build_scene(comparison_of(n), 6))
    assert picture.shape == (200, 480, 3)
    for pane in np.split(picture, 3, axis=1):
        assert _near(pane, DARK.positive) > 8
        assert _near(pane, DARK.negative) > 8


def test_a_perfect_forecast_looks_like_the_truth(comparison_of):
    """One camera and one scale: the same particles cover the same pixels of every pane."""
    c = comparison_of(3)
    scene = build_scene(replace(c, forecast=c.truth, rollout=c.truth), 8, ViewOptions(ghosts=False))
    left, middle, right = (pane[100:230, 60:-80] for pane in np.split(_still(scene, (960, 300)), 3, axis=1))
    assert _changed(left, middle) < 0.002  # single pixels on an edge round differently
    assert _changed(left, right) < 0.002
    other = _still(build_scene(c, 8, ViewOptions(ghosts=False)), (960, 300))
    assert _changed(np.split(other, 3, axis=1)[2][100:230, 60:-80], left) > 0.01  # the check can fail


def test_updating_in_place_gives_the_picture_of_a_new_painter(comparison_of):
    c = comparison_of(5)
    with Painter.offscreen(build_scene(c, 2), SIZE) as painter:
        before = painter.frame()
        actors = list(painter._panes)
        painter.update(build_scene(c, 11))
        after = painter.frame()
        assert list(painter._panes) == actors
    assert (before != after).any()
    np.testing.assert_array_equal(after, _still(build_scene(c, 11)))


def test_other_shapes_are_built_anew_under_the_same_camera(comparison_of):
    c = comparison_of(3)
    with Painter.offscreen(build_scene(c, 5), SIZE) as painter:
        painter.frame()
        position = painter._camera.GetPosition()
        painter.update(
            build_scene(c, 5, ViewOptions(theme=LIGHT, trail_length=3, colour_by="error", ghosts=False))
        )
        picture = painter.frame()
        assert painter._camera.GetPosition() == position
    assert _near(picture, LIGHT.background, 3) > 0.7 * picture[..., 0].size


def test_ghosts_and_links_appear_where_the_forecast_is_off(comparison_of):
    c = comparison_of(3)
    with_ghosts = np.split(_still(build_scene(c, 11)), 3, axis=1)
    without = np.split(_still(build_scene(c, 11, ViewOptions(ghosts=False))), 3, axis=1)
    np.testing.assert_array_equal(with_ghosts[0], without[0])
    assert (with_ghosts[2] != without[2]).sum() > 100


def test_a_still_of_twice_the_size_shows_the_same(comparison_of):
    scene = build_scene(comparison_of(3), 6)
    one, two = _still(scene), _still(scene, (960, 400), 2.0)
    assert two.shape == (400, 960, 3)
    assert _near(two, DARK.positive) == pytest.approx(4 * _near(one, DARK.positive), rel=0.5)


def test_too_few_subplots_are_refused(comparison_of):
    with Painter.offscreen(build_scene(comparison_of(3, rollout=False), 0), SIZE) as painter:
        plotter = painter._plotter
        with pytest.raises(InputError, match="must have 3 subplots; got 2"):
            Painter(plotter, build_scene(comparison_of(3), 0))


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
