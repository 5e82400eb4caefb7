from dataclasses import replace

import numpy as np
import pytest

from physics.errors import InputError
from physics.observables import total_energy
from physics.rotations import random_orthogonal
from surrogate.render import COLOURINGS, THEMES, ViewOptions, build_scene, comparison_framing
from surrogate.render.colourings import Look, measured_range, palette_ramp, value_colours, values_of
from surrogate.render.depth import most_hidden_axis
from surrogate.render.projection import axis_view_basis, default_view_basis

every_colouring = pytest.mark.parametrize("colouring", COLOURINGS.values(), ids=list(COLOURINGS))


def _look(comparison, basis=None, axis=0):
    V = default_view_basis(comparison.truth.n_dims) if basis is None else basis
    return Look(
        comparison.truth, V, axis, comparison_framing(comparison), comparison.shares_of, comparison.drawn_positions
    )


@every_colouring
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_each_colours_every_particle_of_every_pane(colouring, n, comparison_of):
    c = comparison_of(n)
    for theme in THEMES.values():
        scene = build_scene(c, 7, ViewOptions(colour_by=colouring.name, theme=theme))
        for pane in scene.panes:
            assert (pane.colours.shape, pane.colours.dtype) == ((5, 3), np.uint8)
            assert np.isfinite(pane.colours).all()
        assert colouring.label.split("{")[0].strip() in scene.legend.title
        assert colouring.unit in scene.legend.title
        assert bool(scene.legend.ramp) != bool(scene.legend.key)


@every_colouring
def test_one_range_for_all_frames_and_panes(colouring, comparison_of):
    """The colour of a number is the same wherever and whenever it is shown."""
    c = comparison_of(5)
    values = values_of(colouring, c, _look(c, axis=most_hidden_axis(default_view_basis(5))))
    theme = THEMES["dark"]
    scenes = [build_scene(c, frame, ViewOptions(colour_by=colouring.name)) for frame in (0, 4, 11)]
    assert len({scene.colour_range for scene in scenes}) == 1
    for scene, frame in zip(scenes, (0, 4, 11), strict=True):
        assert scene.legend == scenes[0].legend
        for pane in scene.panes:
            expected = value_colours(colouring, values[pane.source][frame], scene.colour_range, theme)
            np.testing.assert_allclose(pane.colours, expected, atol=1)
    low, high = scenes[0].colour_range
    assert colouring.palette != "two-sided" or low == -high
    if colouring.palette != "signs" and colouring.name != "mass":
        assert ((values["truth"] >= low) & (values["truth"] <= high)).mean() > 0.95


def test_a_given_range_is_kept(comparison_of):
    scene = build_scene(comparison_of(3), 3, ViewOptions(colour_by="speed", colour_range=(0.5, 4.0)))
    assert scene.colour_range == (0.5, 4.0)
    assert (scene.legend.low, scene.legend.high) == ("0.5", "4")


def test_values(comparison_of):
    c = comparison_of(5)
    look = _look(c, axis_view_basis(5), axis=4)
    v = {name: values_of(row, c, look) for name, row in COLOURINGS.items()}
    np.testing.assert_array_equal(v["charge"]["forecast"][3], c.truth.system.charges)
    np.testing.assert_array_equal(v["mass"]["truth"][3], c.truth.system.masses)
    np.testing.assert_allclose(v["speed"]["rollout"][3], np.linalg.norm(c.rollout.velocities[3], axis=1))
    np.testing.assert_array_equal(v["error"]["rollout"], c.particle_errors(c.rollout))
    assert (v["error"]["truth"] == 0).all()
    np.testing.assert_allclose(v["energy"]["forecast"].sum(1), total_energy(c.forecast), rtol=1e-9)
    np.testing.assert_array_equal(v["coordinate"]["truth"], c.truth.positions[..., 4])
    away = c.truth.positions - look.frames.centre
    np.testing.assert_allclose(v["hidden"]["truth"], np.linalg.norm(away[..., 3:], axis=-1))


@pytest.mark.parametrize("name", ["speed", "error", "energy", "mass", "charge"])
def test_turning_the_world_changes_no_colour(name, comparison_of):
    c = comparison_of(4)
    R = random_orthogonal(4, np.random.default_rng(1))
    turned = replace(
        c, truth=c.truth.transformed(R), forecast=c.forecast.transformed(R), rollout=c.rollout.transformed(R)
    )
    options = ViewOptions(colour_by=name)
    before, after = build_scene(c, 6, options), build_scene(turned, 6, options)
    assert before.colour_range == pytest.approx(after.colour_range)
    for one, other in zip(before.panes, after.panes, strict=True):
        np.testing.assert_allclose(one.colours.astype(int), other.colours.astype(int), atol=1)


def test_the_most_hidden_axis_is_the_default(comparison_of):
    assert most_hidden_axis(axis_view_basis(5, (0, 3, 4))) == 2
    options = ViewOptions(colour_by="coordinate", basis=axis_view_basis(5, (0, 3, 4)))
    assert build_scene(comparison_of(5), 0, options).legend.title == "coordinate x2 [length]"
    chosen = replace(options, hidden_axis=1)
    assert build_scene(comparison_of(5), 0, chosen).legend.title == "coordinate x1 [length]"
    with pytest.raises(InputError, match="hidden axis 5"):
        build_scene(comparison_of(5), 0, replace(options, hidden_axis=5))


def test_a_runaway_does_not_press_the_rest_into_one_colour(comparison_of):
    c = comparison_of(3)
    fast = replace(c, forecast=replace_velocities(c.forecast, 1e6), rollout=None)
    low, high = build_scene(fast, 0, ViewOptions(colour_by="speed")).colour_range
    assert (low, high) == (0.0, pytest.approx(1.3 * np.linalg.norm(c.truth.velocities, axis=-1).max(), rel=0.1))


def replace_velocities(trajectory, factor):
    return type(trajectory)(
        trajectory.times, trajectory.positions, factor * trajectory.velocities, trajectory.system
    )


def test_equal_values_have_a_key_and_no_scale(comparison_of):
    legend = build_scene(comparison_of(3), 0, ViewOptions(colour_by="mass")).legend
    assert legend.key[0][0] == "all 1"
    assert legend.low == legend.high == ""


def test_the_key_of_charges_names_only_those_there_are(comparison_of):
    assert [word for word, _ in build_scene(comparison_of(3), 0).legend.key] == ["positive", "negative"]


def test_errors_take_the_limit_of_the_frame(comparison_of):
    c = comparison_of(3)
    frames = comparison_framing(c)
    values = values_of(COLOURINGS["error"], c, _look(c))
    assert measured_range(COLOURINGS["error"], values, frames) == (0.0, frames.error_limit)


def test_palettes_go_from_end_to_end():
    for name, row in COLOURINGS.items():
        for theme in THEMES.values():
            ramp = palette_ramp(row.palette, theme)
            ends = value_colours(row, np.array([-1.0, 1.0]), (-1.0, 1.0), theme)
            assert len(ramp) >= 3, name
            assert (ends[0] != ends[1]).any(), name


def test_refusals(comparison_of):
    with pytest.raises(InputError, match=r"unknown colouring.*'colour'"):
        build_scene(comparison_of(3), 0, ViewOptions(colour_by="colour"))
    with pytest.raises(InputError, match="needs a known law"):
        build_scene(comparison_of(3, law_known=False), 0, ViewOptions(colour_by="energy"))
