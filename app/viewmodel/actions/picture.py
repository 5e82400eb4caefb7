"""What the panes show, where the camera stands, which particles are pointed at."""

from functools import partial

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.presenters.particles import csv_of, particle_table
from app.viewmodel.presenters.picture import colouring_label
from app.viewmodel.session import Session
from surrogate.render import COLOURINGS

action = partial(Action, "Picture")


def _colour_by(name: str) -> Action:
    label = colouring_label(name)
    return action(f"Colour by {label}", "", lambda s, d: s.picture.colour_by(name),
        f"Particles and trails by their {label}", lambda s: s.view.colour_by == name,
        one_of_many=True)  # fmt: skip


def _look_along(axis: int) -> Action:
    return action(f"Look along x{axis}", str(axis + 1), lambda s, d: d.look_along(axis),
        "The camera stands on this axis as it is drawn")  # fmt: skip


def _maximise(session: Session, dialogs: Dialogs) -> None:
    session.picture.maximise(dialogs.pane_under_mouse())


def _copy_particles(session: Session, dialogs: Dialogs) -> None:
    table = particle_table(session.state)
    if table is not None:
        dialogs.copy_text(csv_of(table))
        session.say(f"{len(table.values)} particles at t = {session.state.time:g} are on the clipboard as CSV")


ACTIONS: dict[str, Action] = {
    "overlay": action("Overlay truth and forecast", "V", lambda s, d: s.picture.toggle_layout(),
        "One over the other instead of side by side", lambda s: s.view.layout == "overlay"),
    "rollout": action("Show chained roll-out", "K", lambda s, d: s.view.toggle_rollout(),
        "The model fed with its own output", lambda s: s.view.show_rollout),
    "maximise": action("One pane alone", "F", _maximise, "The pane under the mouse, or all again (double click)",
        lambda s: s.view.maximised is not None),
    "colour": action("Charge or error colours", "C", lambda s, d: s.picture.toggle_colour(), "To and fro",
        lambda s: s.view.colour_by == "error"),
    "next-colouring": action("Next colouring", "Shift+C", lambda s, d: s.picture.next_colouring(),
        "Through the whole list"),
    **{f"colour-{name}": _colour_by(name) for name in COLOURINGS},
    "fix-range": action("Keep this colour scale", "", lambda s, d: s.picture.toggle_range(),
        "The same ends for every comparison"),
    "longer-trails": action("Longer trails", "T", lambda s, d: s.view.change_trail(1),
        "Trails that reach further back"),
    "shorter-trails": action("Shorter trails", "Shift+T", lambda s, d: s.view.change_trail(-1),
        "Trails that end sooner"),
    "ghosts": action("Truth in the forecast's pane", "Shift+G", lambda s, d: s.picture.toggle("ghosts"),
        "Rings where the particles really are, and the error links", lambda s: s.view.ghosts),
    "hud": action("Read-out over the panes", "Shift+H", lambda s, d: s.picture.toggle("hud"),
        "Time, sizes, seed, energy drift, error", lambda s: s.view.hud),
    "fields": action("Electric and magnetic field", "Shift+E", lambda s, d: s.picture.toggle("fields"),
        "Arrows of the fields; where n is not 3, rings show how a magnetic one turns positive charges",
        lambda s: s.view.fields),
    "depth-cue": action("Depth cue", "", lambda s, d: s.picture.toggle_depth(),
        "Fade what lies off the drawn space", lambda s: s.view.fade_hidden > 0),
    "slice": action("Slice", "", lambda s, d: s.picture.toggle_slice(), "Show only what lies near the drawn space",
        lambda s: s.view.slice_thickness is not None),
    "reset-camera": action("Reset the camera", "Shift+F", lambda s, d: d.reset_camera(),
        "The view a picture starts with"),
    **{f"look-{axis}": _look_along(axis) for axis in range(3)},
    "next-particle": action("Next particle", ".", lambda s, d: s.selection.step(1),
        "Select the next one by number"),
    "previous-particle": action("Previous particle", ",", lambda s, d: s.selection.step(-1),
        "Select the one before"),
    "follow": action("Follow the particle", "Ctrl+F", lambda s, d: s.selection.toggle_follow(),
        "Keep the camera on the selected particle", lambda s: s.selection.follow is not None),
    "clear-selection": action("Select none", "", lambda s, d: s.selection.clear(),
        "No particle selected or followed; Esc does it where nothing lies over the picture"),
    "copy-particles": action("Copy particles as CSV", "", _copy_particles,
        "The table of this frame, in full precision"),
}  # fmt: skip
