"""Preferences as a file, and the folder where the application keeps its own files."""

import os
import sys
from pathlib import Path

from app.viewmodel.files.documents import read_document, write_document
from app.viewmodel.state.preferences import Preferences
from physics.caches import home_folder
from physics.errors import InputError

VARIABLE = "ISOTWIN_CONFIG"
"""Environment variable that names another folder than the user's own."""


FILE = "preferences.json"


VERSION = 1


def config_folder() -> Path:
    """Where preferences and autosaved sessions are kept."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home_folder() / "AppData" / "Roaming") / "isotwin"
    if sys.platform == "darwin":
        return home_folder() / "Library" / "Application Support" / "isotwin"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home_folder() / ".config") / "isotwin"


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
