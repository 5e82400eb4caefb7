"""Steps back and forth."""

from functools import partial

from app.viewmodel.actions.action import Action

action = partial(Action, "Edit")

ACTIONS: dict[str, Action] = {
    "undo": action("Undo", "Ctrl+Z", lambda s, d: s.history.undo(), "Back to what was before the last change"),
    "redo": action("Redo", "Ctrl+Shift+Z", lambda s, d: s.history.redo(), "Take the last undo back"),
    "preferences": action("Preferences…", "Ctrl+,", lambda s, d: d.show_preferences(),
        "What the window starts with"),
}  # fmt: skip
