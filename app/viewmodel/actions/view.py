"""How it is looked at."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "colour": Action(
        "Colour by error", "View", "C", lambda s, d: s.view.toggle_colour(), "Charge or error",
        lambda s: s.view.colour_by == "error",
    ),
    "rollout": Action(
        "Show chained roll-out", "View", "O", lambda s, d: s.view.toggle_rollout(),
        "The model fed with its own output", lambda s: s.view.show_rollout,
    ),
    "longer-trails": Action(
        "Longer trails", "View", "T", lambda s, d: s.view.change_trail(1), "Trails that reach further back"
    ),
    "shorter-trails": Action(
        "Shorter trails", "View", "Shift+T", lambda s, d: s.view.change_trail(-1), "Trails that end sooner"
    ),
    "theme": Action(
        "Light theme", "View", "Ctrl+L", lambda s, d: s.view.toggle_theme(), "Dark or light",
        lambda s: s.view.theme == "light",
    ),
    "palette": Action(
        "Command palette…", "View", "Ctrl+Shift+P", lambda s, d: d.show_palette(), "Find anything by its name"
    ),
    "jobs": Action(
        "Background work…", "View", "Ctrl+J", lambda s, d: d.show_jobs(), "What is running, and how far it is"
    ),
    "cancel-jobs": Action(
        "Cancel all background work", "View", "", lambda s, d: s.jobs.cancel_all(), "Stop all that is running"
    ),
    "reset-layout": Action(
        "Reset layout", "View", "", lambda s, d: d.reset_layout(), "All panels back, each in its place"
    ),
}  # fmt: skip
