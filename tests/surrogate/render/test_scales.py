"""Pictures of lengths of any size, and of a periodic box."""

from dataclasses import replace

import numpy as np
import pytest

from physics.rotations import random_orthogonal
from physics.types import Trajectory
from surrogate.comparison.box import periodic_box
from surrogate.comparison.comparison import Comparison
from surrogate.export import figures
from surrogate.render import DARK, LIGHT, ViewOptions, build_scene
from surrogate.render import projection as p
from surrogate.render.painter import Painter
from surrogate.render.theme import rgb

SIZE = (660, 280)


def in_unit(comparison: Comparison, length: float, shift: float = 0.0) -> Comparison:
    """The same comparison where the unit of length is another, somewhere else."""

    def scaled(one: Trajectory) -> Trajectory:
        return Trajectory(one.times, length * (one.positions + shift), length * one.velocities, one.system)

    assert comparison.rollout is not None
    return replace(
        comparison,
        truth=scaled(comparison.truth),
        forecast=scaled(comparison.forecast),
        rollout=scaled(comparison.rollout),
    )


def picture(comparison: Comparison, options: ViewOptions | None = None) -> np.ndarray:
    with Painter.offscreen(build_scene(comparison, 6, options), SIZE) as painter:
        return painter.frame()


def test_a_picture_does_not_depend_on_the_unit_of_length(comparison_of):
    usual, quiet = comparison_of(3), ViewOptions(hud=False, panes=("truth", "forecast"))
    of_one = picture(usual, quiet)
    for length in (1e-30, 1e-25, 1e-9, 1e12, 1e25):
        other = picture(in_unit(usual, length), quiet)
        assert (np.abs(of_one.astype(int) - other.astype(int)).max(axis=-1) > 60).mean() < 0.004, length
        for pane in np.split(other, 2, axis=1):  # it bites: as one point there would be one ball
            seen = np.abs(pane.astype(int) - rgb(DARK.positive)).max(axis=-1) < 40
            assert np.ptp(np.flatnonzero(seen.any(axis=0))) > 20, length


@pytest.mark.parametrize("length", [1e-30, 1e-9, 1.0, 1e12])
def test_the_frame_follows_the_unit(length, comparison_of):
    usual = comparison_of(3)
    one, other = (p.framing(c.truth, c.forecast) for c in (usual, in_unit(usual, length)))
    assert other.radius == pytest.approx(length * one.radius, rel=1e-9)
    assert other.error_limit == pytest.approx(length * one.error_limit, rel=1e-9)


def test_going_from_one_unit_to_another_in_one_window(comparison_of):
    usual = comparison_of(3)
    quiet = ViewOptions(hud=False)
    with Painter.offscreen(build_scene(in_unit(usual, 1e-20), 6, quiet), SIZE) as painter:
        painter.frame()
        painter.update(build_scene(usual, 6, quiet))
        assert (np.abs(painter.frame().astype(int) - picture(usual, quiet)).max(axis=-1) > 60).mean() < 0.004
        assert painter.unit == 1.0


@pytest.mark.parametrize("length", [1e-25, 1e25])
def test_figures_in_such_units_have_axes(length, comparison_of):
    comparison = in_unit(comparison_of(3), length)
    with np.errstate(all="raise", under="ignore"):
        made = [figures.errors_figure(comparison, LIGHT), figures.conservation_figure(comparison, LIGHT)]
    for figure in made:
        assert len(figures.png_bytes(figure, 60.0)) > 1000
        for axes in figure.axes:
            low, high = axes.get_ylim()
            assert np.isfinite([low, high]).all()
            assert high > low


def test_a_constant_of_any_size_is_not_drawn_from_far_away():
    for value in (1e-40, 1.0, -1e30):
        low, high = figures.robust_range([figures.Curve("truth", "truth", np.full(5, value))])
        assert low < value < high
        assert high - low < abs(value)


def boxed(comparison: Comparison, rotation: np.ndarray, length: float = 2.0) -> Comparison:
    start = comparison.truth.positions[0]
    box = periodic_box(np.full(len(rotation), length), start, rotation)
    turned = {s: getattr(comparison, s).transformed(rotation) for s in ("truth", "forecast", "rollout")}
    return replace(comparison, **turned, box=box, rotation=rotation)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_positions_are_drawn_in_the_box_whatever_the_rotation(n, comparison_of):
    rotation = random_orthogonal(n, np.random.default_rng(1))
    comparison, plain = boxed(comparison_of(n), rotation), boxed(comparison_of(n), np.eye(n))
    box = comparison.box
    drawn = comparison.drawn_positions(comparison.truth)
    assert box.holds(drawn)
    assert not box.holds(comparison.truth.positions)
    np.testing.assert_allclose(drawn @ rotation, plain.drawn_positions(plain.truth), atol=1e-12)
    moved = (comparison.truth.positions - drawn) @ box.axes.T / box.lengths
    np.testing.assert_allclose(moved, np.round(moved), atol=1e-9)
    np.testing.assert_array_equal(comparison.position_rmse(), boxed(comparison_of(n), rotation).position_rmse())
    ends = box.edge_ends()
    assert ends.shape == (2, n * 2 ** (n - 1), n)
    np.testing.assert_allclose(np.linalg.norm(ends[1] - ends[0], axis=-1), 2.0)
    scene = build_scene(comparison, 6)
    assert scene.box.shape == (2, n * 2 ** (n - 1), 3)
    assert scene.radius == pytest.approx(np.sqrt(n))


def test_trails_and_links_do_not_cross_the_box(comparison_of):
    comparison = boxed(comparison_of(3), np.eye(3))
    drawn = comparison.drawn_positions(comparison.truth)
    jumps = (np.abs(np.diff(drawn, axis=0)) > 1.0).any(axis=-1)
    assert jumps.any()
    scene = build_scene(comparison, comparison.truth.n_frames - 1)
    opacity = scene.panes[0].trail_colours[..., 3]
    frames, particles = np.nonzero(jumps)
    last = len(opacity) - comparison.truth.n_frames
    assert not opacity[last + frames, particles].any()
    assert not opacity[last + frames + 1, particles].any()
    assert opacity.any()
    for pane in scene.panes[1:]:
        assert np.linalg.norm(pane.link_ends - pane.points, axis=1).max() <= 1.0 + 1e-6
    assert (np.abs(picture(comparison).astype(int) - rgb(DARK.muted)).max(axis=-1) < 30).sum() > 200
