"""Steps back and forth."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "undo": Action(
        "Undo", "Edit", "Ctrl+Z", lambda s, d: s.history.undo(), "Back to what was before the last change"
    ),
    "redo": Action("Redo", "Edit", "Ctrl+Shift+Z", lambda s, d: s.history.redo(), "Take the last undo back"),
    "preferences": Action(
        "Preferences…", "Edit", "Ctrl+,", lambda s, d: d.show_preferences(), "What the window starts with"
    ),
}
