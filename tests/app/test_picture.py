"""What the panes show: layout, colours, selection, marks, particle table, time line; through the Session."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.intents.clock import advanced
from app.viewmodel.presenters.particles import LEADING, csv_of, particle_table, particle_words
from app.viewmodel.presenters.picture import fitting, possible_colourings
from app.viewmodel.presenters.ruler import horizon_boundaries, ticks
from app.viewmodel.presenters.scene import scene_of, steady_framing
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import ENDINGS, Playback, Selection, View, ViewState, same_but_for_the_clock
from physics.observables import total_energy
from surrogate.render import COLOURINGS
from tests.app.fakes import FakeDialogs, comparison, later_session, prepared_for, prompt_session, texts


def scene(session):
    return scene_of(session.state, steady_framing(session.state.prepared))


def run(session, *names, dialogs=None):
    for name in names:
        ACTIONS[name].run(session, dialogs or FakeDialogs())


# --- layout and colours -----------------------------------------------------------------------------------


def test_overlay_puts_the_truth_into_the_forecasts_pane():
    session = prompt_session(contrast="other")
    assert [p.source for p in scene(session).panes] == ["truth", "forecast", "forecast"]
    run(session, "overlay")
    panes = scene(session).panes
    assert [p.source for p in panes] == ["forecast", "forecast"]
    assert all(p.ghost_style == "glass" for p in panes)
    session.undo()
    assert session.state.view.layout == "twin"


def test_one_pane_alone_and_all_again():
    session = prompt_session(contrast="other")
    run(session, "maximise", dialogs=FakeDialogs(pane=2))
    (pane,) = scene(session).panes
    assert "other" in pane.title
    run(session, "maximise", dialogs=FakeDialogs(pane=0))
    assert len(scene(session).panes) == 3
    session.picture.maximise(2)
    session.system.choose_contrast("")  # that pane is gone: all are shown
    assert len(scene(session).panes) == 2


@pytest.mark.parametrize("name", COLOURINGS)
def test_every_colouring_is_an_action_and_shares_one_scale(name):
    session = prompt_session(dims=5, contrast="other")
    run(session, f"colour-{name}")
    assert session.state.view.colour_by == name
    assert ACTIONS[f"colour-{name}"].checked(session.state)
    made = scene(session)
    assert made.legend.title
    wild = replace(session.state.prepared, contrast=faster(session.state.prepared.contrast, 10.0))
    apart = scene_of(replace(session.state, prepared=wild), steady_framing(wild))
    assert apart.colour_range == made.colour_range


def faster(made, factor):
    return replace(made, forecast=replace(made.forecast, velocities=factor * made.forecast.velocities))


def test_the_contrast_has_the_scale_of_the_first_model():
    """The same particle at the same speed has one colour in all panes, however fast another forecast is."""
    session = prompt_session(contrast="other")
    session.picture.colour_by("speed")
    calm = scene(session).panes
    prepared = session.state.prepared
    contrast = faster(prepared.contrast, 1.0)
    still = contrast.forecast.velocities.copy()
    still[5:] *= 50.0  # its own scale would end elsewhere
    contrast = replace(contrast, forecast=replace(contrast.forecast, velocities=still))
    wild = scene_of(
        replace(session.state, prepared=replace(prepared, contrast=contrast)), steady_framing(prepared)
    ).panes
    assert np.array_equal(calm[2].colours, wild[2].colours)


def test_colourings_in_a_row_and_none_without_its_law():
    session = prompt_session()
    seen = []
    for _ in COLOURINGS:
        run(session, "next-colouring")
        seen.append(session.state.view.colour_by)
    assert sorted(seen) == sorted(COLOURINGS)
    unknown = replace(comparison(3), law_known=False)
    session.publish(prepared=prepared_for(Setup(model="fake"), comparison=unknown))
    run(session, "colour-energy")
    assert "law of this data is not known" in texts(session)[1]
    assert session.state.view.colour_by != "energy"
    assert "energy" not in possible_colourings(False)


def test_a_new_comparison_keeps_what_it_can_show():
    view = View(axes=(0, 1, 4), hidden_axis=4, colour_by="energy", colour_range=(-1.0, 1.0))
    assert fitting(view, comparison(5)) == view
    small = fitting(view, replace(comparison(3), law_known=False))
    assert (small.axes, small.hidden_axis, small.colour_by, small.colour_range) == (None, None, "charge", None)
    session = prompt_session(dims=5)
    session.basis.choose_hidden(4)
    session.system.choose_dims(3)
    assert session.state.view.hidden_axis is None


def test_the_scale_is_kept_until_the_colouring_changes():
    session = prompt_session()
    session.picture.toggle_range()
    assert session.state.view.colour_range is None  # signs have no scale
    session.picture.colour_by("speed")
    own = scene(session).colour_range
    run(session, "fix-range")
    assert session.state.view.colour_range == own
    session.picture.set_range(0.5, 2.0)
    assert scene(session).colour_range == (0.5, 2.0)
    session.picture.set_range(3.0, 1.0)
    assert texts(session)[0] == "error"
    assert session.state.view.colour_range == (0.5, 2.0)
    session.picture.colour_by("mass")
    assert session.state.view.colour_range is None


def test_depth_slice_trails_ghosts_and_read_out():
    session = prompt_session(dims=5)
    plain = scene(session)
    assert plain.headline
    assert "seed" not in plain.headline  # the fake says none
    run(session, "depth-cue", "hud", "ghosts")
    faded = scene(session)
    assert faded.headline == ""
    assert faded.panes[1].ghosts is None
    assert (faded.panes[0].seen < 1.0).any()
    run(session, "depth-cue", "slice")
    thickness = session.state.view.slice_thickness
    assert thickness > 0
    session.picture.set(slice_thickness=1e-3)
    assert scene(session).panes[0].seen.max() < 0.2
    run(session, "slice")
    assert session.state.view.slice_thickness is None
    session.picture.set(trail_of="selected")
    assert scene(session).panes[0].trails.shape[1] == 0
    session.selection.select((2, 4))
    assert scene(session).panes[0].trails.shape[1] == 2


def test_the_head_up_line_says_the_seed():
    from app.viewmodel.worker.work import prepared_parts

    first = next(prepared_parts(Setup(scenario="bound", seed=7, model="egnn-nbody")))
    state = ViewState(prepared=first)
    assert "seed 7" in scene_of(state, steady_framing(first)).headline


# --- selection --------------------------------------------------------------------------------------------


def test_clicks_select_add_and_take_out():
    session = prompt_session()
    session.selection.pick(3)
    session.selection.pick(1, add=True)
    assert session.state.selection.particles == (3, 1)
    assert scene(session).selected == (3, 1)
    session.selection.pick(3, add=True)
    assert session.state.selection.particles == (1,)
    session.selection.select((1, 99, -1, 1))
    assert session.state.selection.particles == (1,)
    run(session, "clear-selection")
    assert session.state.selection == Selection()


def test_the_keyboard_walks_through_the_particles():
    session = prompt_session()
    run(session, "previous-particle")
    assert session.state.selection.particles == (4,)
    run(session, "next-particle")
    assert session.state.selection.particles == (0,)
    run(session, "next-particle", "next-particle")
    assert session.state.selection.particles == (2,)


def test_following_keeps_the_camera_on_the_selected_one():
    session = prompt_session()
    session.selection.pick(2)
    run(session, "follow")
    assert session.state.selection.follow == 2
    frames = steady_framing(session.state.prepared)
    for frame in (0, 7):
        session.clock.seek(frame)
        made = scene_of(session.state, frames)
        assert np.allclose(made.focus, made.panes[0].points[2])
    run(session, "next-particle")
    assert session.state.selection.follow == 3  # goes along with the selection
    run(session, "follow")
    assert session.state.selection == Selection((3,))


def test_another_system_has_other_particles_another_turn_has_not():
    session = prompt_session()
    session.selection.pick(2)
    session.world.rotate(0, 1, 20.0)
    assert session.state.selection.particles == (2,)
    session.system.choose_seed(9)
    assert session.state.selection == Selection()


# --- the particles in numbers -----------------------------------------------------------------------------


def test_the_table_of_a_frame():
    session = prompt_session(dims=4)
    session.clock.seek(6)
    table = particle_table(session.state)
    made = session.state.prepared.comparison
    assert table.columns == (*LEADING, "x0", "x1", "x2", "x3")
    assert np.array_equal(table.values[:, 6:], made.truth.positions[6])
    assert np.allclose(table.values[:, 4], made.particle_errors()[6])
    assert np.isclose(table.values[:, 5].sum(), total_energy(made.truth)[6])
    assert "charge -1" in particle_words(session.state, 1)
    unknown = replace(
        session.state, prepared=replace(session.state.prepared, comparison=replace(made, law_known=False))
    )
    assert np.isnan(particle_table(unknown).values[:, 5]).all()
    assert particle_table(ViewState()) is None


def test_the_table_is_copied_in_full_precision():
    session, dialogs = prompt_session(), FakeDialogs()
    session.clock.seek(3)
    run(session, "copy-particles", dialogs=dialogs)
    head, *rows = csv.reader(io.StringIO(dialogs.copied[0]))
    assert head[:2] == ["particle", "charge"]
    x = np.array([[float(v) for v in row[6:]] for row in rows])
    assert np.array_equal(x, session.state.prepared.comparison.truth.positions[3])
    unknown = particle_table(session.state)
    unknown.values[:, 5] = np.nan
    assert next(csv.reader([csv_of(unknown).split("\n")[1]]))[5] == ""


# --- the clock --------------------------------------------------------------------------------------------


def frames_seen(playback, steps, n=10, step=1.0):
    seen = []
    for _ in range(steps):
        playback = advanced(playback, step, n)
        seen.append(int(playback.position))
    return seen, playback


def test_once_loop_and_rock_between_the_marks():
    marked = Playback(position=3.0, mark_in=3, mark_out=6)
    assert frames_seen(marked, 6)[0] == [4, 5, 6, 3, 4, 5]
    assert frames_seen(replace(marked, rock=True), 8)[0] == [4, 5, 6, 5, 4, 3, 4, 5]
    seen, end = frames_seen(replace(marked, loop=False), 5)
    assert seen[-1] == 6
    assert not end.playing
    assert frames_seen(Playback(position=0.0), 11)[0] == [*range(1, 10), 0, 1]
    assert frames_seen(replace(marked, position=0.0), 1)[0] == [4]  # from outside into the marks
    assert frames_seen(Playback(rock=True), 3, n=1)[0] == [0, 0, 0]


def test_every_frame_skips_none_however_slow_the_drawing():
    assert frames_seen(Playback(), 3, step=2.5)[0] == [2, 5, 7]
    assert frames_seen(Playback(every_frame=True), 3, step=2.5)[0] == [1, 2, 3]
    assert frames_seen(Playback(every_frame=True), 4, step=0.5)[0] == [0, 1, 1, 2]  # slow motion stays slow


def test_marks_are_set_jumped_to_and_cleared():
    session = prompt_session()
    session.clock.seek(8)
    run(session, "mark-out")
    session.clock.seek(3)
    run(session, "mark-in")
    assert (session.state.playback.mark_in, session.state.playback.mark_out) == (3, 8)
    run(session, "to-mark-out")
    assert session.state.frame == 8
    run(session, "to-mark-in")
    assert session.state.frame == 3
    run(session, "to-end")
    assert session.state.frame == 8
    session.clock.seek(9)
    run(session, "mark-in")  # behind the end: that mark goes
    assert (session.state.playback.mark_in, session.state.playback.mark_out) == (9, None)
    run(session, "clear-marks", "to-mark-in")
    assert session.state.frame == 0
    session.clock.mark_out()
    session.system.choose_seed(5)
    assert session.state.playback.mark_out is None


def test_endings_and_the_way_there():
    session = prompt_session()
    for ending in ENDINGS:
        session.clock.set_ending(ending)
        assert session.state.playback.ending == ending
    run(session, "rock")
    assert session.state.playback.ending == "loop"
    run(session, "loop")
    assert session.state.playback.ending == "once"
    assert not session.state.preferences.loop


def test_time_is_stepped_and_typed():
    session = prompt_session()
    times = session.state.prepared.comparison.truth.times  # 0.1 apart
    session.clock.seek_time(0.52)
    assert session.state.time == pytest.approx(times[5])
    session.clock.step_time(0.3)
    assert session.state.frame == 8
    session.clock.step_time(-1e-9)
    assert session.state.frame == 7
    session.clock.seek_time(99.0)
    assert session.state.frame == len(times) - 1
    dialogs = FakeDialogs()
    run(session, "go-to-time", dialogs=dialogs)
    assert dialogs.times_edited == 1


def test_marks_and_view_come_back_with_the_session_file(tmp_path):
    path = str(tmp_path / "s.json")
    session = prompt_session(dims=5, seed=4)
    session.clock.seek(2)
    session.clock.mark_in()
    session.clock.set_ending("rock")
    session.picture.set(layout="overlay", colour_by="coordinate", hidden_axis=3, slice_thickness=0.5)
    session.files.save(path)
    other = prompt_session()
    other.files.open(path)
    assert (other.state.playback.mark_in, other.state.playback.ending) == (2, "rock")
    assert other.state.view == replace(session.state.view, show_help=False)
    assert scene(other).legend.title == "coordinate x3 [length]"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("view", "colour_by"), "taste", "content.view.colour_by: 'taste'; expected charge"),
        (("view", "colour_range"), [2.0, 1.0], "expected low before high"),
        (("view", "fade_hidden"), 3.0, "content.view.fade_hidden: 3.0; expected 0 to 1"),
        (("playback", "mark_in"), -1, "content.playback.mark_in: -1; expected"),
    ],
)
def test_a_bad_choice_in_a_session_file_is_named(tmp_path, place, value, words):
    path = tmp_path / "s.json"
    session = prompt_session()
    session.files.save(str(path))
    document = json.loads(path.read_text())
    document["content"][place[0]][place[1]] = value
    path.write_text(json.dumps(document))
    session.files.open(str(path))
    assert words in texts(session)[1]


def test_only_the_clock_between_two_ticks():
    session, _ = later_session()
    before = session.state
    session.clock.tick(0.01)
    assert session.state is not before
    assert same_but_for_the_clock(before, session.state)
    session.clock.mark_in()
    session.clock.seek(3)
    assert not same_but_for_the_clock(before, session.state)
    playing = session.state
    session.selection.pick(1)
    assert not same_but_for_the_clock(playing, session.state)


# --- the ruler --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "count"), [(0.0, 10.0, 10), (4.1, 15.1, 8), (0.0, 0.03, 5), (-3.0, 900.0, 7)]
)
def test_ticks_are_round_and_few(first, last, count):
    marks = ticks(first, last, count)
    assert first <= marks[0] <= marks[-1] <= last
    assert 2 <= len(marks) <= count + 1
    step = float(np.diff(marks)[0])
    lead = step / 10 ** np.floor(np.log10(step * 1.0000001))
    assert min(abs(lead - good) for good in (1.0, 2.0, 5.0)) < 1e-6
    assert np.allclose(np.diff(marks), step)
    assert len(ticks(1.0, 1.0, 5)) == 1


def test_horizon_boundaries_are_whole_multiples():
    assert horizon_boundaries(4.1, 8.0, 1.0) == [5.0, 6.0, 7.0, 8.0]
    assert horizon_boundaries(4.0, 6.0, 1.0) == [5.0, 6.0]
    assert horizon_boundaries(0.0, 1000.0, 1.0) == []


def test_escape_clears_what_lies_over_the_picture_first_then_the_selection():
    session = prompt_session()
    session.start()
    session.selection.pick(1)
    session.say("hello")
    ACTIONS["clear"].run(session, FakeDialogs())
    assert session.state.message is None
    assert session.state.selection.particles == (1,)
    ACTIONS["clear"].run(session, FakeDialogs())
    assert session.state.selection.particles == ()
