"""Tours: of the world, which is forecast anew at every step, and of the view basis, which only projects."""

from functools import partial

from app.viewmodel.actions.action import Action
from app.viewmodel.state.tours import TOURS

KEYS = {("world", "grand"): "G", ("view", "grand"): "Shift+V"}


action = partial(Action, "Tours")


def _tour(what: str, kind: str) -> Action:
    tour, world = TOURS[kind], what == "world"
    return action(f"{'World rotation' if world else 'View basis'}: {tour.title.lower()}",
        KEYS.get((what, kind), ""), lambda s, d: (s.tours.toggle_world if world else s.tours.toggle_view)(kind),
        f"{tour.help}; {'simulated and forecast anew' if world else 'no number changes'}",
        lambda s: (s.touring.world if world else s.touring.view) == kind)  # fmt: skip


ACTIONS: dict[str, Action] = {
    **{f"world-{kind}": _tour("world", kind) for kind in TOURS if kind != "sweep"},  # that one is "spin"
    **{f"view-{kind}": _tour("view", kind) for kind in TOURS},
    "reset-basis": action("Reset view basis", "B", lambda s, d: s.basis.reset(),
        "The default axes, or all of them aslant"),
}  # fmt: skip
