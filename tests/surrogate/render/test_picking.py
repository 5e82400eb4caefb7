from dataclasses import replace

import numpy as np
import pytest

from surrogate.render import ViewOptions, build_scene, pick
from surrogate.render.painter import Painter
from surrogate.render.picking import on_screen

VIEW = (100.0, 50.0, 400.0, 400.0)
FRONT = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, -1.0, 0], [0, 0, 0, 1.0]])
"""A camera far up the third axis: x and y in -1..1 fill the pane, larger z is nearer."""


def _scene(comparison_of, points, radius=0.05):
    scene = build_scene(comparison_of(3), 0, ViewOptions(ghosts=False))
    points = np.array(points, dtype=np.float32)
    pane = replace(scene.panes[0], points=points, radii=np.full(len(points), radius, dtype=np.float32))
    return replace(scene, panes=(pane,))


def test_points_on_the_screen():
    pixels, depth, scale = on_screen([[0, 0, 0], [1, -1, 0.5]], FRONT, VIEW)
    np.testing.assert_allclose(pixels, [[300, 250], [500, 50]])
    assert depth[1] < depth[0]
    np.testing.assert_allclose(scale, 200.0)


def test_what_is_behind_the_camera_is_not_seen(comparison_of):
    matrix = FRONT.copy()
    matrix[3] = [0, 0, -1.0, 2.0]  # a camera at z = 2
    assert pick(_scene(comparison_of, [[0, 0, 3.0]]), 0, matrix, VIEW, 300, 250) is None
    assert pick(_scene(comparison_of, [[0, 0, 1.0]]), 0, matrix, VIEW, 300, 250) == 0


def test_the_front_most_wins(comparison_of):
    scene = _scene(comparison_of, [[0, 0, -0.5], [0.02, 0, 0.5], [0, 0, 0.1]])
    assert pick(scene, 0, FRONT, VIEW, 300, 250) == 1
    assert pick(scene, 0, FRONT, VIEW, 292, 250) == 2  # beside the nearest ball, on the next one


def test_the_nearest_within_reach_wins_beside_them(comparison_of):
    scene = _scene(comparison_of, [[0, 0, 0], [0.2, 0, 0]])
    assert pick(scene, 0, FRONT, VIEW, 315, 250) == 0
    assert pick(scene, 0, FRONT, VIEW, 326, 250) == 1
    assert pick(scene, 0, FRONT, VIEW, 300, 280) is None
    assert pick(scene, 0, FRONT, VIEW, 300, 280, reach=30) == 0


def test_a_ghost_stands_for_its_particle(comparison_of):
    scene = _scene(comparison_of, [[0, 0, 0], [0.5, 0.5, 0]])
    pane = replace(scene.panes[0], ghosts=np.array([[-0.5, 0, 0], [0.5, -0.5, 0]], dtype=np.float32))
    assert pick(replace(scene, panes=(pane,)), 0, FRONT, VIEW, 400, 150) == 1


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("layout", ["twin", "overlay"])
def test_a_click_on_the_picture_finds_what_is_drawn_there(n, layout, comparison_of):
    """The pixels of the selected particle's halo, found by colour, lie around the place that picks it."""
    c = comparison_of(n, rollout=False)
    size = (900, 400)
    options = ViewOptions(layout=layout, trail_length=0, hud=False)
    scene = build_scene(c, 3, options)
    with Painter.offscreen(scene, size) as painter:
        plain = painter.frame()
        width = size[0] // len(scene.panes)
        for particle in range(5):
            painter.update(build_scene(c, 3, replace(options, selected=(particle,))))
            halo = (painter.frame() != plain).any(axis=-1)
            for pane in range(len(scene.panes)):
                rows, columns = np.nonzero(halo[:, pane * width : (pane + 1) * width])
                x = pane * width + 0.5 * (columns.min() + columns.max())
                y = size[1] - 1 - 0.5 * (rows.min() + rows.max())
                found = painter.pick(x, y)
                assert found is not None
                assert found[0] == pane
                assert found[1] == particle or _overlap(scene, pane, particle, found[1])
        assert painter.pick(2, 2) is None
        assert painter.pick(-5, 10) is None


def _overlap(scene, pane, one, other):
    """Whether the two are so near each other that the halo of one may be partly hidden by the other."""
    apart = scene.panes[pane].points[one, :2] - scene.panes[pane].points[other, :2]
    return np.linalg.norm(apart) < 4.0 * scene.panes[pane].radii[one]
