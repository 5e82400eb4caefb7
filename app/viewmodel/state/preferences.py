"""What the application remembers from one start to the next."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.viewmodel.state.documents import read_document, write_document
from physics.errors import InputError

VARIABLE = "ISOTWIN_CONFIG"
"""Environment variable that names another folder than the user's own."""

FILE = "preferences.json"
VERSION = 1
N_RECENT = 10

MAX_TRAIL = 600
"""Longest trail that can be asked for [frame]."""


@dataclass(frozen=True)
class Preferences:
    """How the window starts.

    Attributes
    ----------
    theme : "dark" or "light"
    scenario : str
    model : str
        Empty for the shipped default.
    trail : int
        Frames a trail reaches back.
    loop : bool
        Play again from the start at the end.
    layout, geometry : str
        Of the docks and the window, as Qt encodes them (base 64); empty for the default.
    recent : tuple of str
        Paths opened last, the newest first.
    autosave : bool
        Keep a copy of the session to restore after a crash.
    welcomed : bool
        The card of the first run was seen.
    """

    theme: Literal["dark", "light"] = "dark"
    scenario: str = "bound"
    model: str = ""
    trail: int = 60
    loop: bool = True
    layout: str = ""
    geometry: str = ""
    recent: tuple[str, ...] = ()
    autosave: bool = True
    welcomed: bool = False


def config_folder() -> Path:
    """Where preferences and autosaved sessions are kept."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "isotwin"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "isotwin"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "isotwin"


def load_preferences(folder: Path) -> tuple[Preferences, str]:
    """The stored preferences, and what was wrong with them: then they are the defaults, the file is kept aside."""
    path = folder / FILE
    if not path.exists():
        return Preferences(), ""
    try:
        return read_document(path, "preferences", VERSION, Preferences), ""
    except InputError as error:
        aside = path.with_name("preferences.bad.json")
        try:
            path.replace(aside)
        except OSError:
            aside = path
        return Preferences(), f"{error}; the defaults are used, the file is kept as {aside.name}"


def save_preferences(folder: Path, preferences: Preferences) -> None:
    """Write them atomically; OSError where that cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    write_document(folder / FILE, "preferences", VERSION, preferences)
