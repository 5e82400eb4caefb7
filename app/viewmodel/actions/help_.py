"""What is what."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "help": Action(
        "Keys and explanation", "Help", "H", lambda s, d: s.view.toggle_help(),
        "What is what, and what to press", lambda s: s.view.show_help,
    ),
}  # fmt: skip
