"""The one action registry: menus, toolbar, shortcuts and the help overlay are made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.viewmodel.session import Session
from app.viewmodel.state import ViewState


class Dialogs(Protocol):
    """What an action may ask the user; the window implements it, tests answer for it."""

    def open_path(self) -> str:
        """A file or folder to open, or empty."""

    def export_folder(self) -> str:
        """A new folder to export to, or empty."""

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""

    def quit(self) -> None:
        """Close the window."""


@dataclass(frozen=True)
class Action:
    """Something the user can do.

    Attributes
    ----------
    title : str
        In menus.
    group : str
        The menu it stands in.
    shortcut : str
        Qt's portable text; empty for none.
    run : callable
    help : str
        One sentence, for tool tips.
    checked : callable or None
        For on/off actions.
    """

    title: str
    group: str
    shortcut: str
    run: Callable[[Session, Dialogs], None]
    help: str
    checked: Callable[[ViewState], bool] | None = None


EXPORT_FORMATS = ("mp4", "png", "csv", "npz", "html")


def _open(session: Session, dialogs: Dialogs) -> None:
    path = dialogs.open_path()
    if path:
        session.open(path)


def _export(session: Session, dialogs: Dialogs) -> None:
    if session.state.prepared is None:
        session.say("nothing to export yet")
        return
    folder = dialogs.export_folder()
    if folder:
        session.export(folder, EXPORT_FORMATS)


def _copy_command(session: Session, dialogs: Dialogs) -> None:
    prepared = session.state.prepared
    if prepared is not None:
        text, left_out = prepared.comparison.command, ""
        if prepared.contrast is not None:
            left_out = f"without the contrast {prepared.contrast.model_name}: compare shows one model"
            text = f"# {left_out}\n{text}"
        dialogs.copy_text(text)
        said = "the command that makes this comparison again is on the clipboard"
        session.say(f"{said} ({left_out})" if left_out else said)


def _copy_matrix(session: Session, dialogs: Dialogs) -> None:
    prepared = session.state.prepared
    if prepared is not None:
        dialogs.copy_text(repr(np.round(prepared.comparison.rotation, 12).tolist()))
        session.say("the world rotation matrix is on the clipboard")


def _random_rotation(session: Session, dialogs: Dialogs) -> None:
    session.random_rotation(int(np.random.default_rng().integers(10_000)))


def _turn(degrees: float) -> Callable[[Session, Dialogs], None]:
    return lambda session, dialogs: session.rotate(*session.state.plane, degrees)


def _next_plane(step: int) -> Callable[[Session, Dialogs], None]:
    def run(session: Session, dialogs: Dialogs) -> None:
        planes = session.state.planes
        if planes:
            at = planes.index(session.state.plane) if session.state.plane in planes else 0
            session.select_plane(*planes[(at + step) % len(planes)])

    return run


ACTIONS: dict[str, Action] = {
    "open": Action("Open…", "File", "Ctrl+O", _open, "A checkpoint, a data set or a scenario"),
    "export": Action("Export comparison…", "File", "Ctrl+E", _export, "Video, pictures, tables and a report"),
    "cancel-export": Action(
        "Cancel export", "File", "Ctrl+.", lambda s, d: s.cancel_export(), "Stop the export that runs"
    ),
    "copy-command": Action(
        "Copy as command line", "File", "Ctrl+Shift+C", _copy_command, "The compare command for this picture"
    ),
    "quit": Action("Quit", "File", "Ctrl+Q", lambda s, d: d.quit(), "Close the window"),
    "undo": Action("Undo", "Edit", "Ctrl+Z", lambda s, d: s.undo(), "The setup before the last change"),
    "redo": Action("Redo", "Edit", "Ctrl+Shift+Z", lambda s, d: s.redo(), "Take the last undo back"),
    "play": Action(
        "Play or pause", "Playback", "Space", lambda s, d: s.toggle_play(), "", lambda s: s.playback.playing
    ),
    "step-forward": Action("Next frame", "Playback", "Right", lambda s, d: s.step(1), "Pause, one frame on"),
    "step-back": Action("Previous frame", "Playback", "Left", lambda s, d: s.step(-1), "Pause, one frame back"),
    "skip-forward": Action(
        "One horizon on", "Playback", "Shift+Right", lambda s, d: s.step(25), "Pause, 25 frames on"
    ),
    "skip-back": Action("One horizon back", "Playback", "Shift+Left", lambda s, d: s.step(-25), "25 frames back"),
    "rewind": Action("Back to the start", "Playback", "Home", lambda s, d: s.rewind(), "The first frame"),
    "faster": Action("Faster", "Playback", "]", lambda s, d: s.change_speed(1), "A step up in speed"),
    "slower": Action("Slower", "Playback", "[", lambda s, d: s.change_speed(-1), "A step down in speed"),
    "turn": Action("Turn by 15°", "World", "R", _turn(15.0), "Turn the world in the selected plane"),
    "turn-back": Action("Turn back by 15°", "World", "Shift+R", _turn(-15.0), "The other way"),
    "next-plane": Action("Next plane", "World", "P", _next_plane(1), "Select the next rotation plane"),
    "previous-plane": Action("Previous plane", "World", "Shift+P", _next_plane(-1), "Select the one before"),
    "spin": Action(
        "Spin", "World", "S", lambda s, d: s.toggle_spin(), "Keep turning in this plane", lambda s: s.spinning
    ),
    "random-rotation": Action("Random rotation", "World", "X", _random_rotation, "A Haar-random element of SO(n)"),
    "reflect": Action("Reflect", "World", "M", lambda s, d: s.reflect(), "Change the sign of one coordinate"),
    "reset-rotation": Action("Reset rotation", "World", "0", lambda s, d: s.reset_rotation(), "No rotation"),
    "copy-matrix": Action("Copy rotation matrix", "World", "", _copy_matrix, "As a nested list"),
    "add-dimension": Action(
        "One dimension more", "World", "D", lambda s, d: s.add_dimension(), "The same scenario in n + 1 dimensions"
    ),
    "next-seed": Action("Next draw", "World", "N", lambda s, d: s.next_seed(), "Another seed, or the next sample"),
    "clamped": Action(
        "Clamped law",
        "World",
        "L",
        lambda s, d: s.toggle_clamped(),
        "A law that is not isotropic: even the truth fails to rotate",
        lambda s: s.setup.clamped,
    ),
    "colour": Action(
        "Colour by error", "View", "C", lambda s, d: s.toggle_colour(), "Charge or error",
        lambda s: s.view.colour_by == "error",
    ),
    "rollout": Action(
        "Show chained roll-out", "View", "O", lambda s, d: s.toggle_rollout(), "The model fed with its own output",
        lambda s: s.view.show_rollout,
    ),
    "longer-trails": Action("Longer trails", "View", "T", lambda s, d: s.change_trail(1), ""),
    "shorter-trails": Action("Shorter trails", "View", "Shift+T", lambda s, d: s.change_trail(-1), ""),
    "theme": Action(
        "Light theme", "View", "Ctrl+L", lambda s, d: s.toggle_theme(), "Dark or light",
        lambda s: s.view.theme == "light",
    ),
    "help": Action(
        "Keys and explanation", "Help", "H", lambda s, d: s.toggle_help(), "What is what, and what to press",
        lambda s: s.view.show_help,
    ),
}  # fmt: skip
