"""The user's own systems, and stored ones."""

from functools import partial

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session


def _save(session: Session, dialogs: Dialogs) -> None:
    path = dialogs.scenario_path()
    if path:
        session.editor.save(path)


WAYS = {"right": (1, 0), "left": (-1, 0), "up": (0, 1), "down": (0, -1)}
"""Steps to the right and up on the screen, by the arrow key."""


def _move(session: Session, dialogs: Dialogs) -> None:
    session.moving.toggle()
    if session.state.moving is not None:
        dialogs.show_panel("scene")


action = partial(Action, "Scene")


def _nudge(where: str, velocity: bool) -> Action:
    key, what = where.capitalize(), "velocity" if velocity else "particle"
    return action(f"Nudge the {what} {where}", f"Shift+{key}" if velocity else key,
        lambda s, d: s.moving.nudge(WAYS[where], *d.screen_directions(), velocity=velocity),
        f"The selected particle's {'velocity' if velocity else 'place'}, while particles are moved in the view",
        enabled=lambda s: s.moving is not None)  # fmt: skip


ACTIONS: dict[str, Action] = {
    "edit-system": action("Edit scene…", "Ctrl+I", lambda s, d: d.show_panel("scene"),
        "Law, charges, masses, positions"),
    "move-particles": action("Move particles in the view", "Shift+M", _move,
        "Drag particles (with Shift their velocities) in the left pane; arrow keys nudge the selected one",
        lambda s: s.moving is not None),
    **{f"nudge-{where}": _nudge(where, False) for where in WAYS},
    **{f"nudge-velocity-{where}": _nudge(where, True) for where in WAYS},
    "apply-system": action("Apply scene", "Ctrl+Return", lambda s, d: s.editor.apply(),
        "Simulate what was edited"),
    "revert-system": action("Revert scene", "", lambda s, d: s.editor.revert(), "Back to what is simulated"),
    "add-particle": action("Add particle", "", lambda s, d: s.editor.add(), "One more in the draft, at rest"),
    "zero-momentum": action("Zero net momentum", "", lambda s, d: s.editor.zero_momentum(),
        "The centre of mass at rest"),
    "clear-fields": action("Clear the fields", "", lambda s, d: s.editor.clear_fields(),
        "No electric and magnetic field, drag or trap in the draft"),
    "save-system": action("Save as scenario…", "", _save,
        "The edited scene as a file that opens here and in compare"),
    "next-sample": action("Next sample", "Ctrl+Right", lambda s, d: s.data.step(1), "In the order that is shown"),
    "previous-sample": action("Previous sample", "Ctrl+Left", lambda s, d: s.data.step(-1), "The one before"),
    "sort-samples": action("Worst samples first", "", lambda s, d: s.data.sort(), "Ordered by the model's error"),
    "unsort-samples": action("Samples in file order", "", lambda s, d: s.data.unsort(),
        "No order by error; stops measuring"),
}  # fmt: skip
