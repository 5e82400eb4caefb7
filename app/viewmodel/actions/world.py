"""The world rotation, and the system that is turned."""

from collections.abc import Callable
from functools import partial

import numpy as np

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session


def _copy_matrix(session: Session, dialogs: Dialogs) -> None:
    shown = session.state.shown
    if shown is not None:
        dialogs.copy_text(repr(shown.rotation.tolist()))
        session.say("the world rotation matrix is on the clipboard")


def _random_rotation(session: Session, dialogs: Dialogs) -> None:
    session.world.random(int(np.random.default_rng().integers(10_000)))


def _turn(degrees: float) -> Callable[[Session, Dialogs], None]:
    return lambda session, dialogs: session.world.rotate(*session.state.plane, degrees)


def _next_plane(step: int) -> Callable[[Session, Dialogs], None]:
    def run(session: Session, dialogs: Dialogs) -> None:
        planes = session.state.planes
        if planes:
            at = planes.index(session.state.plane) if session.state.plane in planes else 0
            session.world.select_plane(*planes[(at + step) % len(planes)])

    return run


action = partial(Action, "World")

ACTIONS: dict[str, Action] = {
    "turn": action("Turn by 15°", "R", _turn(15.0), "Turn the world in the selected plane"),
    "turn-back": action("Turn back by 15°", "Shift+R", _turn(-15.0), "The other way"),
    "next-plane": action("Next plane", "P", _next_plane(1), "Select the next rotation plane"),
    "previous-plane": action("Previous plane", "Shift+P", _next_plane(-1), "Select the one before"),
    "spin": action("Spin", "S", lambda s, d: s.world.toggle_spin(), "World rotation: keep turning in this plane",
        lambda s: s.spinning),
    "random-rotation": action("Random rotation", "X", _random_rotation, "A Haar-random element of SO(n)"),
    "reflect": action("Reflect", "M", lambda s, d: s.world.reflect(), "Change the sign of one coordinate"),
    "reset-rotation": action("Reset rotation", "0", lambda s, d: s.world.reset(), "No rotation"),
    "reverse": action("Turn the other way", "Shift+S", lambda s, d: s.world.reverse(*s.state.plane),
        "Reverse the turn in the selected plane, and the tours"),
    "copy-matrix": action("Copy rotation matrix", "", _copy_matrix, "As a nested list"),
    "paste-matrix": action("Paste rotation matrix", "Ctrl+Shift+V", lambda s, d: s.world.paste(d.pasted_text()),
        "A nested list, or a row of numbers a line"),
    "add-dimension": action("One dimension more", "D", lambda s, d: s.system.add_dimension(),
        "The same scenario in n + 1 dimensions"),
    "next-seed": action("Next draw", "N", lambda s, d: s.system.next_seed(), "Another seed, or the next sample"),
    "new-noise": action("Place the nodes anew", "Ctrl+N", lambda s, d: s.system.new_noise(),
        "A graph's nodes, from other noise: other places, the same edges",
        enabled=lambda s: s.setup.task == "autoencoder"),
    "clamped": action("Clamped law", "L", lambda s, d: s.system.toggle_clamped(),
        "A law that is not isotropic: even the truth fails to rotate", lambda s: s.setup.clamped),
}  # fmt: skip
