from surrogate.bench.rendering import many_particles, measured_ticks
from surrogate.render import ViewOptions, build_scene


def test_a_tick_is_measured_on_what_it_says():
    comparison = many_particles(20, 30)
    assert comparison.truth.positions.shape == (30, 20, 3)
    options = ViewOptions(trail_length=25)
    assert build_scene(comparison, 29, options).panes[1].trails.shape == (26, 20, 3)
    updates, renders = measured_ticks(comparison, options, count=3)
    assert len(updates) == len(renders) == 3
    assert min(updates + renders) > 0.0
