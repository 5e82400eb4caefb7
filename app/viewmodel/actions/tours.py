"""Tours: of the world, which is forecast anew at every step, and of the view basis, which only projects."""

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session
from app.viewmodel.state.tours import TOURS

WORLD_KEYS = {"grand": "G"}
VIEW_KEYS = {"grand": "Shift+V"}


def _world(kind: str) -> Action:
    tour = TOURS[kind]

    def run(session: Session, dialogs: Dialogs) -> None:
        session.tours.toggle_world(kind)

    return Action(
        f"World rotation: {tour.title.lower()}", "Tours", WORLD_KEYS.get(kind, ""), run,
        f"{tour.help}; simulated and forecast anew", lambda s: s.touring.world == kind,
    )  # fmt: skip


def _view(kind: str) -> Action:
    tour = TOURS[kind]

    def run(session: Session, dialogs: Dialogs) -> None:
        session.tours.toggle_view(kind)

    return Action(
        f"View basis: {tour.title.lower()}", "Tours", VIEW_KEYS.get(kind, ""), run,
        f"{tour.help}; no number changes", lambda s: s.touring.view == kind,
    )  # fmt: skip


ACTIONS: dict[str, Action] = {
    **{f"world-{kind}": _world(kind) for kind in TOURS if kind != "sweep"},  # that one is "spin"
    **{f"view-{kind}": _view(kind) for kind in TOURS},
    "reset-basis": Action(
        "Reset view basis", "Tours", "B", lambda s, d: s.basis.reset(), "The default axes, or all of them aslant"
    ),
}
