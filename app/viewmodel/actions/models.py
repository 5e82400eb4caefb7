"""The models: who forecasts, who stands beside it, and what all of them do here."""

from functools import partial

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session


def _measure(session: Session, dialogs: Dialogs) -> None:
    dialogs.show_panel("models")
    session.models.measure()


def _train(session: Session, dialogs: Dialogs) -> None:
    dialogs.show_panel("train")
    session.training.start()


def _find_formula(session: Session, dialogs: Dialogs) -> None:
    dialogs.show_panel("formula")
    session.formula.find()


action = partial(Action, "Models")

ACTIONS: dict[str, Action] = {
    "measure-models": action("Measure all models", "Ctrl+M", _measure,
        "Every model on this initial state, as a table"),
    "cancel-measuring": action("Cancel measuring", "", lambda s, d: s.models.cancel(),
        "Stop it; the rows that are there stay"),
    "measure-in-full": action("Measure in full", "", lambda s, d: s.system.toggle_in_full(),
        "All frames and all measurements of a large system, too: takes minutes; again for the short way"),
    "swap-models": action("Swap the two models", "Ctrl+Shift+M", lambda s, d: s.models.swap(),
        "The second model forecasts, the first stands beside it"),
    "no-second-model": action("No second model", "", lambda s, d: s.system.choose_contrast(""),
        "Truth and one forecast only"),
    "find-formula": action("Find the formula", "", _find_formula,
        "The learned pair force as a closed form, fitted to the data that are open"),
    "cancel-formula": action("Cancel the formula", "", lambda s, d: s.formula.cancel(), "Stop the search"),
    "train": action("Train…", "Ctrl+T", lambda s, d: d.show_panel("train"), "A model of your own, and its curves"),
    "start-training": action("Start training", "", _train, "Generate the data if need be, and train"),
    "resume-training": action("Resume training", "", lambda s, d: s.training.start(resume=True),
        "Go on with the run in the folder"),
    "stop-training": action("Stop training", "", lambda s, d: s.training.stop(),
        "Its best model and its state are kept"),
    "use-trained": action("Use the trained model", "", lambda s, d: s.training.use(),
        "Forecast with the best of the run"),
}  # fmt: skip
