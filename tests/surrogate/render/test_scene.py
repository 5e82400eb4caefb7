import gc
import subprocess
import sys
import weakref
from dataclasses import fields, replace

import numpy as np
import pytest

from physics import System
from physics.errors import InputError
from physics.rotations import parse_operations
from physics.types import Trajectory
from surrogate.render import DARK, THEMES, ViewOptions, build_scene, comparison_framing
from surrogate.render import captions as words
from surrogate.render.animation import animation_of, particle_radii
from surrogate.render.colourings import charge_colours
from surrogate.render.options import FieldVectors
from surrogate.render.projection import axis_view_basis
from surrogate.render.theme import blended, ramp_colours, rgb

COLOUR_BLIND = {
    "protan": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deutan": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}
"""Linear RGB as it is seen without red or green cones (Machado, Oliveira and Fernandes 2009, severity 1)."""


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
            assert (pane.trails.shape, pane.trail_colours.shape) == ((61, 5, 3), (61, 5, 4))


def test_trails_end_at_the_particle_and_never_show_the_future(comparison_of):
    c = comparison_of(3)
    for frame in (0, 3, 11):
        pane = build_scene(c, frame, ViewOptions(trail_length=6)).panes[1]
        np.testing.assert_array_equal(pane.trails[-1], pane.points)
        for knot, age in zip(pane.trails[::-1], range(7), strict=True):
            then = c.forecast.positions[max(frame - age, 0)]
            np.testing.assert_allclose(knot, then, rtol=1e-6)
        opacity = pane.trail_colours[..., 3].astype(int)
        assert (np.diff(opacity, axis=0) > 0).all()  # fades by age
        assert (opacity[0] == 0).all()
    even = build_scene(c, 8, ViewOptions(trail_length=6, trail_fade=False)).panes[1].trail_colours[..., 3]
    assert (even == even.max()).all()
    assert build_scene(c, 4, ViewOptions(trail_length=0)).panes[0].trails.shape == (1, 5, 3)


def test_trails_of_the_selected_only(comparison_of):
    c = comparison_of(3)
    everybody = build_scene(c, 8, ViewOptions(selected=(3, 1))).panes[2]
    some = build_scene(c, 8, ViewOptions(selected=(3, 1), trail_of="selected")).panes[2]
    np.testing.assert_array_equal(some.trails, everybody.trails[:, [3, 1]])
    np.testing.assert_array_equal(some.trail_colours, everybody.trail_colours[:, [3, 1]])
    assert build_scene(c, 8, ViewOptions(trail_of="selected")).panes[0].trails.shape == (61, 0, 3)


def test_a_frame_is_slices_of_what_was_made_once(comparison_of):
    """No matter the number of frames: nothing is projected or coloured anew, no trail is copied."""
    c = comparison_of(5, n_frames=30)
    options = ViewOptions(trail_length=20, colour_by="energy", fade_hidden=0.5)
    made = animation_of(c, options, None)
    for frame in range(30):
        followed = replace(options, selected=(frame % 5,), follow=frame % 5)
        pane = build_scene(c, frame, followed).panes[1]
        assert animation_of(c, followed, None) is made
        assert np.shares_memory(pane.trails, made.tracks["forecast"].points)
        assert np.shares_memory(pane.trails, pane.points)
    assert animation_of(c, replace(options, trail_length=5), None) is not made


def test_what_was_made_goes_with_its_comparison(comparison_of):
    c = comparison_of(3)
    build_scene(c, 0)
    track = weakref.ref(animation_of(c, ViewOptions(), None).tracks["truth"])
    for length in range(1, 9):
        animation_of(c, ViewOptions(trail_length=length), None)
    gc.collect()
    assert track() is None  # pushed out by others
    track = weakref.ref(animation_of(c, ViewOptions(), None).tracks["truth"])
    del c
    gc.collect()
    assert track() is None


def test_an_overlay_has_the_truth_as_glass(comparison_of):
    c = comparison_of(3)
    scene = build_scene(c, 9, ViewOptions(layout="overlay", ghosts=False, trail_length=4))
    assert [pane.source for pane in scene.panes] == ["forecast", "rollout"]
    truth = build_scene(c, 9, ViewOptions(trail_length=4)).panes[0]
    for pane in scene.panes:
        assert pane.ghost_style == "glass"
        np.testing.assert_array_equal(pane.ghosts, truth.points)
        np.testing.assert_array_equal(pane.ghost_colours, truth.colours)
        np.testing.assert_array_equal(pane.trails[:, 5:], truth.trails)
        assert (pane.trail_colours[-1, 5:, 3] < pane.trail_colours[-1, :5, 3]).all()
    assert "energy drift of the truth" in scene.headline
    assert "glass: truth" in scene.legend.notes
    one = ViewOptions(layout="overlay", panes=("truth", "forecast"))
    assert [pane.source for pane in build_scene(c, 9, one).panes] == ["forecast"]
    alone = build_scene(c, 9, ViewOptions(layout="overlay", panes=("truth",)))
    assert [pane.source for pane in alone.panes] == ["truth"]
    assert alone.panes[0].ghosts is None


def test_the_followed_particle_is_what_the_camera_looks_at(comparison_of):
    c = comparison_of(4)
    for frame in (0, 11):
        scene = build_scene(c, frame, ViewOptions(follow=2))
        np.testing.assert_array_equal(scene.focus, scene.panes[0].points[2])
        assert (scene.focus != scene.panes[1].points[2]).any() or frame == 0  # one focus for all panes
        free = build_scene(c, frame)
        np.testing.assert_array_equal(free.focus, free.centre)


def test_field_vectors_are_projected_and_scaled(comparison_of):
    points = np.eye(4)
    values = np.array([[2.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 0, 5.0], [0, 0, 8.0, 0]])
    field = FieldVectors(points, values, longest=2.0)
    scene = build_scene(comparison_of(4), 0, ViewOptions(vectors=field, basis=axis_view_basis(4)))
    length = np.linalg.norm(scene.vectors.spans, axis=1) / (0.3 * scene.radius)
    np.testing.assert_allclose(length, [1.0, 0.5, 0.0, 1.0], rtol=1e-6)
    np.testing.assert_array_equal(scene.vectors.points, points[:, :3])
    with pytest.raises(InputError, match=r"\(n_vectors, 4\)"):
        build_scene(comparison_of(4), 0, ViewOptions(vectors=FieldVectors(points[:, :3], values[:, :3], 1.0)))
    with pytest.raises(InputError, match="above 0; got 0"):
        build_scene(comparison_of(4), 0, ViewOptions(vectors=FieldVectors(points, values, 0.0)))


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
    assert scene.colour_range == (0.0, frames.error_limit)
    assert (scene.legend.title, scene.legend.low) == ("error [length]", "0")
    np.testing.assert_array_equal(scene.panes[0].colours, np.tile(rgb(DARK.error_ramp[0]), (5, 1)))
    expected = ramp_colours(c.particle_errors(c.rollout)[8] / frames.error_limit, DARK.error_ramp)
    np.testing.assert_array_equal(scene.panes[2].colours, expected)


def test_pane_texts(comparison_of):
    c = comparison_of(3, outside_training=("n = 3",))
    truth, forecast, rollout = build_scene(c, 4).panes
    assert truth.title == "Ground truth"
    assert truth.badge == ""
    assert truth.footer.startswith("energy drift")
    assert "sliding forecast" in forecast.title
    assert "truth 0.5 time units earlier" in forecast.subtitle
    assert "chained roll-out" in rollout.title
    assert forecast.badge == rollout.badge == "outside training: n = 3"
    assert forecast.footer.startswith(f"RMSE {c.position_rmse()[4]:.4f}   energy drift ")
    plain = build_scene(comparison_of(3, rollout=False), 4)
    assert [pane.title for pane in plain.panes] == ["Ground truth", "egnn-nbody: forecast"]


def test_headline_names_the_rotation_only_when_there_is_one(comparison_of):
    assert "turned" not in build_scene(comparison_of(4), 2).headline
    turned = comparison_of(4, rotation=parse_operations("0-3:45", 4)[0], details={"turns": "0-3 by 45°"})
    assert build_scene(turned, 2).headline.split("\n")[0] == "world turned (0-3 by 45°)"
    unknown = comparison_of(4, rotation=np.diag([1.0, 1.0, 1.0, -1.0]), law_known=False)
    line = build_scene(unknown, 2).headline
    assert line.split("\n")[0] == "world turned by a 4-D rotation with reflection"
    assert line.endswith("law unknown")


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
    assert _contrast(theme.positive, theme.negative) > 1.8  # distinguishable without hue
    assert all(_contrast(getattr(theme, s), theme.background) > 2.2 for s in ("positive", "negative"))
    steps = np.diff([_luminance(colour) for colour in theme.error_ramp])
    assert (steps > 0).all() or (steps < 0).all()
    assert _contrast(theme.selection, theme.background) > 7.0
    low, *_, high = theme.two_sided
    assert _contrast(low, high) > 1.8
    assert all(_contrast(colour, theme.background) > 1.8 for colour in theme.two_sided)
    for colours in (theme.two_sided, theme.error_ramp):
        for matrix in COLOUR_BLIND.values():
            seen = np.stack([np.clip((rgb(colour) / 255.0) ** 2.2 @ matrix.T, 0, 1) for colour in colours])
            apart = np.linalg.norm(seen[:, None] ** 0.45 - seen[None] ** 0.45, axis=-1)
            assert apart[~np.eye(len(colours), dtype=bool)].min() > 0.1


def test_blending():
    np.testing.assert_array_equal(blended([[255, 255, 255]], "#000000", [0.0]), [[0, 0, 0]])
    np.testing.assert_array_equal(blended([[255, 255, 255]], "#000000", [1.0]), [[255, 255, 255]])


def test_refusals(comparison_of):
    with pytest.raises(InputError, match="0 to 11; got 12"):
        build_scene(comparison_of(3), 12)
    with pytest.raises(InputError, match="no rollout"):
        build_scene(comparison_of(3, rollout=False), 0, ViewOptions(panes=("rollout",)))
    with pytest.raises(InputError, match="particle 5 does not exist; there are 5"):
        build_scene(comparison_of(3), 0, ViewOptions(selected=(1, 5)))
    with pytest.raises(InputError, match="particle -1"):
        build_scene(comparison_of(3), 0, ViewOptions(follow=-1))
    with pytest.raises(InputError, match="layout"):
        build_scene(comparison_of(3), 0, ViewOptions(layout="stacked"))
    with pytest.raises(InputError, match="view basis"):
        build_scene(comparison_of(3), 0, ViewOptions(basis=np.ones((3, 3))))


def test_trails_of_a_large_system(comparison_of):
    c = comparison_of(3, rollout=False)
    positions = np.random.default_rng(0).standard_normal((12, 2000, 3))
    big = Trajectory(c.truth.times, positions, positions, System(charges=np.ones(2000)))
    scene = build_scene(replace(c, truth=big, forecast=big), 11, ViewOptions(trail_length=5))
    assert scene.panes[0].trails.shape == (6, 2000, 3)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1.0, "1"), (0.25, "0.25"), (3.4e-5, "3.4e-05"), (12345.6, "12346")]
)
def test_short_numbers(value, text):
    assert words.short_number(value) == text


def test_importing_the_package_loads_no_vtk_and_no_matplotlib():
    heavy = ("pyvista", "vtkmodules", "vtk", "matplotlib", "torch", "PySide6", "imageio_ffmpeg")
    code = f"import sys, surrogate.render, surrogate.export; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scenes_are_values(comparison_of):
    scene = build_scene(comparison_of(3), 0)
    with pytest.raises(AttributeError):
        scene.radius = 2.0
    assert {f.name for f in fields(scene)} >= {"panes", "centre", "radius", "axes", "labels", "theme"}
