"""What is what, and the lessons that teach it."""

from functools import partial

from app.viewmodel.actions.action import Action

action = partial(Action, "Help")

ACTIONS: dict[str, Action] = {
    "help": action("Keys and explanation", "H", lambda s, d: s.view.toggle_help(),
        "What is what, and what to press", lambda s: s.view.show_help),
    "welcome": action("First steps", "F1", lambda s, d: s.welcome.toggle(),
        "What is left, what is right, what to drag", lambda s: s.welcome),
    "clear": action("Close what lies over the picture", "Esc", lambda s, d: s.overlays.clear(),
        "The first steps, the keys, the message; then the selection"),
    "lessons": action("Lessons", "F2", lambda s, d: d.toggle_panel("lesson"),
        "Guided sessions of about ten minutes"),
    "lesson-next": action("Next step of the lesson", "PgDown", lambda s, d: s.lessons.next(),
        "Go on, done or not"),
    "lesson-back": action("Previous step of the lesson", "PgUp", lambda s, d: s.lessons.back(), "Read it again"),
    "lesson-stop": action("Leave the lesson", "", lambda s, d: s.lessons.stop(), "Keep what is shown"),
}  # fmt: skip
