"""What the panes show: layout, colours, selection, marks, particle table, time line; through the Session."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.particles import LEADING, csv_of, particle_table, particle_words
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View, fitting, possible_colourings
from app.viewmodel.state.view_state import Selection, ViewState
from physics.observables import total_energy
from surrogate.render import COLOURINGS
from tests.app.fakes import FakeDialogs, comparison, prompt_session, result_for, texts


def scene(session):
    return scene_of(session.state, session.state.result.frames)


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
    session.history.undo()
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
    wild = replace(session.state.result, contrast=faster(session.state.result.contrast, 10.0))
    apart = scene_of(replace(session.state, result=wild), wild.frames)
    assert apart.colour_range == made.colour_range


def faster(made, factor):
    return replace(made, forecast=replace(made.forecast, velocities=factor * made.forecast.velocities))


def test_the_contrast_has_the_scale_of_the_first_model():
    """The same particle at the same speed has one colour in all panes, however fast another forecast is."""
    session = prompt_session(contrast="other")
    session.picture.colour_by("speed")
    calm = scene(session).panes
    result = session.state.result
    contrast = faster(result.contrast, 1.0)
    still = contrast.forecast.velocities.copy()
    still[5:] *= 50.0  # its own scale would end elsewhere
    contrast = replace(contrast, forecast=replace(contrast.forecast, velocities=still))
    wild = scene_of(replace(session.state, result=replace(result, contrast=contrast)), result.frames).panes
    assert np.array_equal(calm[2].colours, wild[2].colours)


def test_colourings_in_a_row_and_none_without_its_law():
    session = prompt_session()
    seen = []
    for _ in COLOURINGS:
        run(session, "next-colouring")
        seen.append(session.state.view.colour_by)
    assert sorted(seen) == sorted(COLOURINGS)
    unknown = replace(comparison(3), law_known=False)
    session.store.publish(result=result_for(Setup(model="fake"), comparison=unknown))
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
    from app.viewmodel.worker.comparison import result_parts

    first = next(result_parts(Setup(scenario="bound", seed=7, model="egnn-nbody")))
    state = ViewState(result=first)
    assert "seed 7" in scene_of(state, first.frames).headline


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
    frames = session.state.result.frames
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
    made = session.state.result.comparison
    assert table.columns == (*LEADING, "x0", "x1", "x2", "x3")
    assert np.array_equal(table.values[:, 6:], made.truth.positions[6])
    assert np.allclose(table.values[:, 4], made.particle_errors()[6])
    assert np.isclose(table.values[:, 5].sum(), total_energy(made.truth)[6])
    assert "charge -1" in particle_words(session.state, 1)
    unknown = replace(
        session.state, result=replace(session.state.result, comparison=replace(made, law_known=False))
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
    assert np.array_equal(x, session.state.result.comparison.truth.positions[3])
    unknown = particle_table(session.state)
    unknown.values[:, 5] = np.nan
    assert next(csv.reader([csv_of(unknown).split("\n")[1]]))[5] == ""


# --- the clock --------------------------------------------------------------------------------------------


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


# --- the ruler --------------------------------------------------------------------------------------------


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
