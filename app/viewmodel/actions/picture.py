"""What the panes show, where the camera stands, which particles are pointed at."""

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.presenters.particles import csv_of, particle_table
from app.viewmodel.presenters.picture import colouring_label
from app.viewmodel.session import Session
from surrogate.render import COLOURINGS


def _colour_by(name: str) -> Action:
    label = colouring_label(name)
    return Action(
        f"Colour by {label}", "Picture", "", lambda s, d: s.picture.colour_by(name),
        f"Particles and trails by their {label}", lambda s: s.view.colour_by == name, one_of_many=True,
    )  # fmt: skip


def _maximise(session: Session, dialogs: Dialogs) -> None:
    session.picture.maximise(dialogs.pane_under_mouse())


def _copy_particles(session: Session, dialogs: Dialogs) -> None:
    table = particle_table(session.state)
    if table is not None:
        dialogs.copy_text(csv_of(table))
        session.say(f"{len(table.values)} particles at t = {session.state.time:g} are on the clipboard as CSV")


ACTIONS: dict[str, Action] = {
    "overlay": Action(
        "Overlay truth and forecast", "Picture", "V", lambda s, d: s.picture.toggle_layout(),
        "One over the other instead of side by side", lambda s: s.view.layout == "overlay",
    ),
    "rollout": Action(
        "Show chained roll-out", "Picture", "K", lambda s, d: s.view.toggle_rollout(),
        "The model fed with its own output", lambda s: s.view.show_rollout,
    ),
    "maximise": Action(
        "One pane alone", "Picture", "F", _maximise, "The pane under the mouse, or all again (double click)",
        lambda s: s.view.maximised is not None,
    ),
    "colour": Action(
        "Charge or error colours", "Picture", "C", lambda s, d: s.picture.toggle_colour(), "To and fro",
        lambda s: s.view.colour_by == "error",
    ),
    "next-colouring": Action(
        "Next colouring", "Picture", "Shift+C", lambda s, d: s.picture.next_colouring(), "Through the whole list"
    ),
    **{f"colour-{name}": _colour_by(name) for name in COLOURINGS},
    "fix-range": Action(
        "Keep this colour scale", "Picture", "", lambda s, d: s.picture.toggle_range(),
        "The same ends for every comparison",
    ),
    "longer-trails": Action(
        "Longer trails", "Picture", "T", lambda s, d: s.view.change_trail(1), "Trails that reach further back"
    ),
    "shorter-trails": Action(
        "Shorter trails", "Picture", "Shift+T", lambda s, d: s.view.change_trail(-1), "Trails that end sooner"
    ),
    "ghosts": Action(
        "Truth in the forecast's pane", "Picture", "Shift+G", lambda s, d: s.picture.toggle("ghosts"),
        "Rings where the particles really are, and the error links", lambda s: s.view.ghosts,
    ),
    "hud": Action(
        "Read-out over the panes", "Picture", "Shift+H", lambda s, d: s.picture.toggle("hud"),
        "Time, sizes, seed, energy drift, error", lambda s: s.view.hud,
    ),
    "fields": Action(
        "Electric and magnetic field", "Picture", "Shift+E", lambda s, d: s.picture.toggle("fields"),
        "Arrows of the fields; where n is not 3, rings show how a magnetic one turns positive charges",
        lambda s: s.view.fields,
    ),
    "depth-cue": Action(
        "Depth cue", "Picture", "", lambda s, d: s.picture.toggle_depth(),
        "Fade what lies off the drawn space", lambda s: s.view.fade_hidden > 0,
    ),
    "slice": Action(
        "Slice", "Picture", "", lambda s, d: s.picture.toggle_slice(),
        "Show only what lies near the drawn space", lambda s: s.view.slice_thickness is not None,
    ),
    "reset-camera": Action(
        "Reset the camera", "Picture", "Shift+F", lambda s, d: d.reset_camera(), "The view a picture starts with"
    ),
    **{
        f"look-{axis}": Action(
            f"Look along x{axis}", "Picture", str(axis + 1), lambda s, d, axis=axis: d.look_along(axis),  # type: ignore[misc]
            "The camera stands on this axis as it is drawn",
        )
        for axis in range(3)
    },
    "next-particle": Action(
        "Next particle", "Picture", ".", lambda s, d: s.selection.step(1), "Select the next one by number"
    ),
    "previous-particle": Action(
        "Previous particle", "Picture", ",", lambda s, d: s.selection.step(-1), "Select the one before"
    ),
    "follow": Action(
        "Follow the particle", "Picture", "Ctrl+F", lambda s, d: s.selection.toggle_follow(),
        "Keep the camera on the selected particle", lambda s: s.selection.follow is not None,
    ),
    "clear-selection": Action(
        "Select none", "Picture", "", lambda s, d: s.selection.clear(),
        "No particle selected or followed; Esc does it where nothing lies over the picture"
    ),
    "copy-particles": Action(
        "Copy particles as CSV", "Picture", "", _copy_particles, "The table of this frame, in full precision"
    ),
}  # fmt: skip
