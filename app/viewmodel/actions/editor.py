"""The user's own systems, and stored ones."""

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


def _nudge(where: str, velocity: bool) -> Action:
    key, what = where.capitalize(), "velocity" if velocity else "particle"
    return Action(
        f"Nudge the {what} {where}", "Scene", f"Shift+{key}" if velocity else key,
        lambda s, d: s.moving.nudge(WAYS[where], *d.screen_directions(), velocity=velocity),
        f"The selected particle's {'velocity' if velocity else 'place'}, while particles are moved in the view",
        enabled=lambda s: s.moving is not None,
    )  # fmt: skip


ACTIONS: dict[str, Action] = {
    "edit-system": Action(
        "Edit scene…", "Scene", "Ctrl+I", lambda s, d: d.show_panel("scene"), "Law, charges, masses, positions"
    ),
    "move-particles": Action(
        "Move particles in the view", "Scene", "Shift+M", _move,
        "Drag particles (with Shift their velocities) in the left pane; arrow keys nudge the selected one",
        lambda s: s.moving is not None,
    ),
    **{f"nudge-{where}": _nudge(where, False) for where in WAYS},
    **{f"nudge-velocity-{where}": _nudge(where, True) for where in WAYS},
    "apply-system": Action(
        "Apply scene", "Scene", "Ctrl+Return", lambda s, d: s.editor.apply(), "Simulate what was edited"
    ),
    "revert-system": Action(
        "Revert scene", "Scene", "", lambda s, d: s.editor.revert(), "Back to what is simulated"
    ),
    "add-particle": Action(
        "Add particle", "Scene", "", lambda s, d: s.editor.add(), "One more in the draft, at rest"
    ),
    "zero-momentum": Action(
        "Zero net momentum", "Scene", "", lambda s, d: s.editor.zero_momentum(), "The centre of mass at rest"
    ),
    "clear-fields": Action(
        "Clear the fields", "Scene", "", lambda s, d: s.editor.clear_fields(),
        "No electric and magnetic field, drag or trap in the draft"
    ),
    "save-system": Action(
        "Save as scenario…", "Scene", "", _save, "The edited scene as a file that opens here and in compare"
    ),
    "next-sample": Action(
        "Next sample", "Scene", "Ctrl+Right", lambda s, d: s.data.step(1), "In the order that is shown"
    ),
    "previous-sample": Action(
        "Previous sample", "Scene", "Ctrl+Left", lambda s, d: s.data.step(-1), "The one before"
    ),
    "sort-samples": Action(
        "Worst samples first", "Scene", "", lambda s, d: s.data.sort(), "Ordered by the model's error"
    ),
    "unsort-samples": Action(
        "Samples in file order", "Scene", "", lambda s, d: s.data.unsort(), "No order by error; stops measuring"
    ),
}  # fmt: skip
