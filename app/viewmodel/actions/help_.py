"""What is what."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "help": Action(
        "Keys and explanation", "Help", "H", lambda s, d: s.view.toggle_help(),
        "What is what, and what to press", lambda s: s.view.show_help,
    ),
    "welcome": Action(
        "First steps", "Help", "F1", lambda s, d: s.welcome.toggle(), "What is left, what is right, what to drag",
        lambda s: s.welcome,
    ),
    "clear": Action(
        "Close what lies over the picture", "Help", "Esc", lambda s, d: s.overlays.clear(),
        "The first steps, the keys, the message; then the selection",
    ),
}  # fmt: skip
