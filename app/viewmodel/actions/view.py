"""How it is looked at."""

from functools import partial

from app.viewmodel.actions.action import Action

action = partial(Action, "View")

ACTIONS: dict[str, Action] = {
    "log-curves": action("Logarithmic curves", "", lambda s, d: s.picture.toggle("log_curves"),
        "Logarithmic or plain axes of the curves", lambda s: s.view.log_curves),
    "theme": action("Light theme", "Ctrl+L", lambda s, d: s.view.toggle_theme(), "Dark or light",
        lambda s: s.view.theme == "light"),
    "palette": action("Command palette…", "Ctrl+Shift+P", lambda s, d: d.show_palette(),
        "Find anything by its name"),
    "jobs": action("Background work…", "Ctrl+J", lambda s, d: d.show_jobs(), "What is running, and how far it is"),
    "cancel-jobs": action("Cancel all background work", "", lambda s, d: s.jobs.cancel_all(),
        "Stop all that is running"),
    "reset-layout": action("Reset layout", "", lambda s, d: d.reset_layout(),
        "All panels back, each in its place"),
}  # fmt: skip
