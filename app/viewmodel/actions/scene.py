"""The user's own systems, and stored ones."""

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session


def _save(session: Session, dialogs: Dialogs) -> None:
    path = dialogs.scenario_path()
    if path:
        session.scene.save(path)


ACTIONS: dict[str, Action] = {
    "edit-scene": Action(
        "Edit scene…", "Scene", "Ctrl+I", lambda s, d: d.show_panel("scene"), "Law, charges, masses, positions"
    ),
    "apply-scene": Action(
        "Apply scene", "Scene", "Ctrl+Return", lambda s, d: s.scene.apply(), "Simulate what was edited"
    ),
    "revert-scene": Action(
        "Revert scene", "Scene", "", lambda s, d: s.scene.revert(), "Back to what is simulated"
    ),
    "add-particle": Action(
        "Add particle", "Scene", "", lambda s, d: s.scene.add(), "One more in the draft, at rest"
    ),
    "zero-momentum": Action(
        "Zero net momentum", "Scene", "", lambda s, d: s.scene.zero_momentum(), "The centre of mass at rest"
    ),
    "clear-fields": Action(
        "Clear the fields", "Scene", "", lambda s, d: s.scene.clear_fields(),
        "No electric and magnetic field, drag or trap in the draft"
    ),
    "save-scene": Action(
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
