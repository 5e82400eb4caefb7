"""The models: who forecasts, who stands beside it, and what all of them do here."""

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session


def _measure(session: Session, dialogs: Dialogs) -> None:
    dialogs.show_panel("models")
    session.models.measure()


def _train(session: Session, dialogs: Dialogs) -> None:
    dialogs.show_panel("train")
    session.training.start()


ACTIONS: dict[str, Action] = {
    "measure-models": Action(
        "Measure all models", "Models", "Ctrl+M", _measure, "Every model on this initial state, as a table"
    ),
    "cancel-measuring": Action(
        "Cancel measuring", "Models", "", lambda s, d: s.models.cancel(), "Stop it; the rows that are there stay"
    ),
    "measure-in-full": Action(
        "Measure in full", "Models", "", lambda s, d: s.system.toggle_in_full(),
        "All frames and all measurements of a large system, too: takes minutes; again for the short way",
    ),
    "swap-models": Action(
        "Swap the two models", "Models", "Ctrl+Shift+M", lambda s, d: s.models.swap(),
        "The second model forecasts, the first stands beside it",
    ),
    "no-second-model": Action(
        "No second model", "Models", "", lambda s, d: s.system.choose_contrast(""), "Truth and one forecast only"
    ),
    "train": Action(
        "Train…", "Models", "Ctrl+T", lambda s, d: d.show_panel("train"), "A model of your own, and its curves"
    ),
    "start-training": Action(
        "Start training", "Models", "", _train, "Generate the data if need be, and train"
    ),
    "resume-training": Action(
        "Resume training", "Models", "", lambda s, d: s.training.start(resume=True),
        "Go on with the run in the folder",
    ),
    "stop-training": Action(
        "Stop training", "Models", "", lambda s, d: s.training.stop(), "Its best model and its state are kept"
    ),
    "use-trained": Action(
        "Use the trained model", "Models", "", lambda s, d: s.training.use(), "Forecast with the best of the run"
    ),
}  # fmt: skip
