import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from physics import System
from physics.errors import InputError
from physics.rotations import composed
from physics.types import Trajectory
from surrogate.render import DARK, THEMES, ViewOptions, build_scene, comparison_framing
from surrogate.render import captions as words
from surrogate.render.scene import charge_colours, particle_radii, trail_frames
from surrogate.render.theme import blended, ramp_colours, rgb


def _luminance(colour: str) -> float:
    linear = (rgb(colour) / 255.0) ** 2.2
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_every_frame_has_the_same_shapes(n, comparison_of):
    c = comparison_of(n)
    scenes = [build_scene(c, frame) for frame in (0, 5, 11)]
    for scene in scenes:
        assert [pane.source for pane in scene.panes] == ["truth", "forecast", "rollout"]
        assert scene.axes.shape == (n, 3)
        assert scene.flat == (n < 3)
        assert scene.radius == scenes[0].radius
        for pane in scene.panes:
            assert (pane.points.shape, pane.points.dtype) == ((5, 3), np.float32)
            assert (pane.radii.shape, pane.radii.dtype) == ((5,), np.float32)
            assert (pane.colours.shape, pane.colours.dtype) == ((5, 3), np.uint8)
            assert pane.trails.shape == pane.trail_colours.shape == (5, 61, 3)


def test_trails_end_at_the_particle_and_never_show_the_future(comparison_of):
    c = comparison_of(3)
    for frame in (0, 3, 11):
        pane = build_scene(c, frame, ViewOptions(trail_length=6)).panes[1]
        np.testing.assert_array_equal(pane.trails[:, -1], pane.points)
        assert trail_frames(frame, 6).max() == frame
        assert trail_frames(frame, 6).min() >= 0
        np.testing.assert_array_equal(pane.trail_colours[:, 0], np.tile(rgb(DARK.background), (5, 1)))
    assert build_scene(c, 4, ViewOptions(trail_length=0)).panes[0].trails.shape == (5, 1, 3)


def test_ghosts_are_the_truth(comparison_of):
    scene = build_scene(comparison_of(3), 9)
    assert scene.panes[0].ghosts is None
    for pane in scene.panes[1:]:
        np.testing.assert_array_equal(pane.ghosts, scene.panes[0].points)
    assert build_scene(comparison_of(3), 9, ViewOptions(ghosts=False)).panes[1].ghosts is None


def test_errors_share_one_scale(comparison_of):
    c = comparison_of(3)
    options = ViewOptions(colour_by="error")
    scene = build_scene(c, 8, options)
    frames = comparison_framing(c)
    assert scene.colour_limit == frames.error_limit
    assert "error 0 to" in scene.legend
    np.testing.assert_array_equal(scene.panes[0].colours, np.tile(rgb(DARK.error_ramp[0]), (5, 1)))
    expected = ramp_colours(c.particle_errors(c.rollout)[8] / frames.error_limit, DARK.error_ramp)
    np.testing.assert_array_equal(scene.panes[2].colours, expected)


def test_pane_texts(comparison_of):
    c = comparison_of(3, outside_training=("n = 3",))
    truth, forecast, rollout = build_scene(c, 4).panes
    assert truth.title == "Ground truth"
    assert truth.badge == truth.footer == ""
    assert "sliding forecast" in forecast.title
    assert "truth 0.5 time units earlier" in forecast.subtitle
    assert "chained roll-out" in rollout.title
    assert forecast.badge == rollout.badge == "outside training: n = 3"
    assert forecast.footer == f"RMSE {c.position_rmse()[4]:.4f}"
    plain = build_scene(comparison_of(3, rollout=False), 4)
    assert [pane.title for pane in plain.panes] == ["Ground truth", "egnn-nbody: forecast"]


def test_headline_names_the_rotation_only_when_there_is_one(comparison_of):
    assert "turned" not in build_scene(comparison_of(4), 2).headline
    turned = comparison_of(4, rotation=composed(4, [(0, 3, 45.0)]), details={"turns": [(0, 3, 45.0)]})
    assert build_scene(turned, 2).headline == "world turned (0-3 by 45°)\nt = 0.20   n = 4   N = 5   coulomb"
    unknown = comparison_of(4, rotation=np.diag([1.0, 1.0, 1.0, -1.0]), law_known=False)
    line = build_scene(unknown, 2).headline
    assert line == "world turned by a 4-D rotation with reflection\nt = 0.20   n = 4   N = 5   law unknown"


def test_hidden_particles_fade(comparison_of):
    c = comparison_of(5)
    plain = build_scene(c, 4).panes[0].colours.astype(int)
    faded = build_scene(c, 4, ViewOptions(fade_hidden=1.0)).panes[0].colours.astype(int)
    back = rgb(DARK.background)
    assert (np.abs(faded - back).sum(1) < np.abs(plain - back).sum(1)).all()


def test_sizes_follow_mass_and_crowd():
    light, heavy = particle_radii(np.array([1.0, 8.0]), 1.0)
    assert heavy > light
    assert particle_radii(np.ones(1000), 1.0)[0] < particle_radii(np.ones(5), 1.0)[0]


def test_neutral_particles_have_their_own_colour():
    colours = charge_colours(np.array([2.0, 0.0, -0.5]), DARK)
    np.testing.assert_array_equal(colours, [rgb(DARK.positive), rgb(DARK.neutral), rgb(DARK.negative)])


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_palettes_can_be_read(theme):
    for name in ("text", "muted", "truth", "forecast", "rollout", "warning"):
        assert _contrast(getattr(theme, name), theme.background) > 4.5, name
    assert _contrast(theme.positive, theme.negative) > 1.8  # told apart without hue
    assert all(_contrast(getattr(theme, s), theme.background) > 2.2 for s in ("positive", "negative"))
    steps = np.diff([_luminance(colour) for colour in theme.error_ramp])
    assert (steps > 0).all() or (steps < 0).all()


def test_blending():
    np.testing.assert_array_equal(blended([[255, 255, 255]], "#000000", [0.0]), [[0, 0, 0]])
    np.testing.assert_array_equal(blended([[255, 255, 255]], "#000000", [1.0]), [[255, 255, 255]])


def test_refusals(comparison_of):
    with pytest.raises(InputError, match="0 to 11; got 12"):
        build_scene(comparison_of(3), 12)
    with pytest.raises(InputError, match="no rollout"):
        build_scene(comparison_of(3, rollout=False), 0, ViewOptions(panes=("rollout",)))
    with pytest.raises(InputError, match="view basis"):
        build_scene(comparison_of(3), 0, ViewOptions(basis=np.ones((3, 3))))


def test_a_large_system_is_cheap_per_frame(comparison_of):
    c = comparison_of(3, rollout=False)
    positions = np.random.default_rng(0).standard_normal((12, 2000, 3))
    big = Trajectory(c.truth.times, positions, positions, System(charges=np.ones(2000)))
    scene = build_scene(replace(c, truth=big, forecast=big), 11, ViewOptions(trail_length=5))
    assert scene.panes[0].trails.shape == (2000, 6, 3)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1.0, "1"), (0.25, "0.25"), (3.4e-5, "3.4e-05"), (12345.6, "12346")]
)
def test_short_numbers(value, text):
    assert words.short_number(value) == text


@pytest.mark.parametrize(
    ("turns", "text"),
    [(None, ""), ("0-1:30", "0-1:30"), ([[0, 1, 30.0]], "0-1 by 30°"), (["reflect 0"], "reflect 0")],
)
def test_turns_in_words(turns, text):
    assert words.turns_text(turns) == text


def test_importing_the_package_loads_no_vtk_and_no_matplotlib():
    heavy = ("pyvista", "vtkmodules", "vtk", "matplotlib", "torch", "PySide6", "imageio_ffmpeg")
    code = f"import sys, surrogate.render, surrogate.exporters; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scenes_are_values(comparison_of):
    scene = build_scene(comparison_of(3), 0)
    with pytest.raises(AttributeError):
        scene.radius = 2.0
    assert {f.name for f in fields(scene)} >= {"panes", "centre", "radius", "axes", "labels", "theme"}
