from dataclasses import replace

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.render import DARK, ViewOptions, build_scene, comparison_framing
from surrogate.render.depth import OUTSIDE_SLICE, hidden_distance, visibility, visible_fraction
from surrogate.render.projection import axis_view_basis, default_view_basis
from surrogate.render.theme import rgb

V = axis_view_basis(5)


def test_distances_off_the_drawn_space():
    x = np.array([[9.0, 9.0, 9.0, 3.0, -4.0]])
    zero = np.zeros(5)
    assert hidden_distance(x, ViewOptions(), V, zero) == pytest.approx(5.0)
    assert hidden_distance(x, ViewOptions(depth_by="axis", hidden_axis=3), V, zero) == pytest.approx(3.0)
    assert hidden_distance(x, ViewOptions(depth_by="axis"), V, zero) == pytest.approx(4.0)
    assert hidden_distance(x, ViewOptions(depth_by="axis"), V, np.full(5, 1.0)) == pytest.approx(5.0)


def test_a_slice_keeps_what_is_near_and_fades_what_is_far(comparison_of):
    frames = comparison_framing(comparison_of(5))
    off = np.linspace(0.0, 3.0, 31)
    x = frames.centre + off[:, None] * np.eye(5)[4]
    kept = visibility(x, ViewOptions(slice_thickness=1.0), V, frames)
    assert (kept[off <= 1.0] == 1.0).all()
    np.testing.assert_allclose(kept[off >= 1.5], OUTSIDE_SLICE)
    assert (np.diff(kept) <= 0).all()
    cue = visibility(x, ViewOptions(fade_hidden=1.0), V, frames)
    assert (np.diff(cue[off < frames.radius]) < 0).all()
    assert (visibility(x, ViewOptions(), V, frames) == 1.0).all()
    with pytest.raises(InputError, match="above 0"):
        visibility(x, ViewOptions(slice_thickness=0.0), V, frames)


def test_particles_trails_ghosts_and_links_fade_together(comparison_of):
    c = comparison_of(5)
    plain = build_scene(c, 6, ViewOptions(basis=V)).panes[1]
    faded = build_scene(c, 6, ViewOptions(basis=V, slice_thickness=1e-3)).panes[1]
    back = rgb(DARK.background)

    def away(colours):
        return np.abs(colours.astype(int) - back).sum(axis=-1)

    assert (away(faded.colours) < 0.15 * away(plain.colours)).all()
    assert (away(faded.ghost_colours) < 0.15 * away(plain.ghost_colours)).all()
    assert (faded.trail_colours[-1, :, 3] < 0.15 * plain.trail_colours[-1, :, 3]).all()
    np.testing.assert_allclose(faded.seen, OUTSIDE_SLICE)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_the_visible_fraction(n, comparison_of):
    c = comparison_of(n)
    scene = build_scene(c, 5)
    x = c.truth.positions[5] - comparison_framing(c).centre
    drawn = np.linalg.norm(x @ default_view_basis(n)) / np.linalg.norm(x)
    assert scene.visible_fraction == pytest.approx(drawn)
    assert (scene.visible_fraction == pytest.approx(1.0)) == (n <= 3)
    assert ("% visible" in scene.headline) == (n > 3)
    assert visible_fraction(np.zeros((2, 3, n)), default_view_basis(n), np.zeros(n)).tolist() == [1.0, 1.0]


def test_nothing_is_hidden_in_low_dimensions(comparison_of):
    c = comparison_of(3)
    options = ViewOptions(slice_thickness=1e-6, fade_hidden=1.0)
    np.testing.assert_array_equal(build_scene(c, 3, options).panes[0].colours, build_scene(c, 3).panes[0].colours)
    by_axis = build_scene(c, 3, replace(options, depth_by="axis")).panes[0].colours
    assert (by_axis != build_scene(c, 3).panes[0].colours).any()  # an axis may be chosen all the same
