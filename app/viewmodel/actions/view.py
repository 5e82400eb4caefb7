"""How it is looked at."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "log-curves": Action(
        "Logarithmic curves", "View", "", lambda s, d: s.picture.toggle("log_curves"),
        "Logarithmic or plain axes of the curves", lambda s: s.view.log_curves,
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
