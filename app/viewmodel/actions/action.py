"""What an action is, and what it may ask of the window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from physics.types import FloatArray


class Dialogs(Protocol):
    """What an action may ask the user; the window implements it, tests answer for it."""

    def open_path(self) -> str:
        """A file or folder to open, or empty."""

    def save_path(self) -> str:
        """Where to save the session, or empty."""

    def scenario_path(self) -> str:
        """Where to save a scenario, or empty."""

    def data_path(self) -> str:
        """A data set to train on, or empty."""

    def run_folder(self) -> str:
        """A folder for a training, or empty."""

    def export_folder(self) -> str:
        """A new folder to export to, or empty."""

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""

    def pasted_text(self) -> str:
        """The text on the clipboard, or empty."""

    def toggle_panel(self, name: str) -> None:
        """Show a panel, or close it if it is seen."""

    def show_panel(self, name: str) -> None:
        """Show a panel, in front of those it shares a place with."""

    def reset_layout(self) -> None:
        """All panels where they are at the first start."""

    def show_palette(self) -> None:
        """Open the command palette."""

    def reset_camera(self) -> None:
        """The view a picture starts with."""

    def look_along(self, axis: int) -> None:
        """Look along an axis of space as it is drawn."""

    def screen_directions(self) -> tuple[FloatArray, FloatArray]:
        """What is to the right and up on the screen, unit vectors of the drawn space, (3,) float64 each."""

    def pane_under_mouse(self) -> int:
        """Which pane the mouse points at, counted from the left; the forecast's where it points at none."""

    def edit_time(self) -> None:
        """Let the user type a time."""

    def show_preferences(self) -> None:
        """Open the preferences."""

    def show_jobs(self) -> None:
        """Open the list of what works in the background."""

    def quit(self) -> None:
        """Close the window."""


@dataclass(frozen=True)
class Action:
    """Something the user can do.

    Attributes
    ----------
    group : str
        The menu it stands in.
    title : str
        In menus.
    shortcut : str
        Qt's portable text; empty for none.
    run : callable
    help : str
        One sentence, for tool tips.
    checked : callable or None
        For on/off actions.
    enabled : callable or None
        When it can be chosen, for actions of a mode: two of different modes may have the same key.
    one_of_many : bool
        Checked while it is the chosen one; choosing it again changes nothing.
    """

    group: str
    title: str
    shortcut: str
    run: Callable[[Session, Dialogs], None]
    help: str
    checked: Callable[[ViewState], bool] | None = None
    one_of_many: bool = False
    enabled: Callable[[ViewState], bool] | None = None
