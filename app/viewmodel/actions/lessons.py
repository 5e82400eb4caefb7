"""Going through a lesson."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "lessons": Action(
        "Lessons", "Help", "F2", lambda s, d: d.toggle_panel("lesson"), "Guided sessions of about ten minutes"
    ),
    "lesson-next": Action(
        "Next step of the lesson", "Help", "PgDown", lambda s, d: s.lessons.next(), "Go on, done or not"
    ),
    "lesson-back": Action(
        "Previous step of the lesson", "Help", "PgUp", lambda s, d: s.lessons.back(), "Read it again"
    ),
    "lesson-stop": Action("Leave the lesson", "Help", "", lambda s, d: s.lessons.stop(), "Keep what is shown"),
}
