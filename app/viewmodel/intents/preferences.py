"""Preferences: used at once as far as they concern what is shown, and stored with every change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from app.viewmodel.files.preferences import save_preferences
from app.viewmodel.state.preferences import N_RECENT, Preferences
from app.viewmodel.store import Store


class PreferenceIntents:
    """Stored in `folder`; only remembered where that is None (tests, screenshots)."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        self._store = store
        self._folder = folder

    def set(self, **changes: Any) -> None:
        """Change and store some; theme, trail and loop show at once, scenario and model at the next start."""
        state = self._store.state
        preferences = replace(state.preferences, **changes)
        view = replace(state.view, **{k: v for k, v in changes.items() if k in ("theme", "trail")})
        playback = replace(state.playback, **{k: v for k, v in changes.items() if k == "loop"})
        self._store.publish(preferences=preferences, view=view, playback=playback)
        if self._folder is not None and preferences != state.preferences:
            try:
                save_preferences(self._folder, preferences)
            except OSError as error:
                self._store.say(f"preferences not stored: {error.filename}: {error.strerror}", "error")

    def reset(self) -> None:
        """The defaults again, all but the recent files and that the first run is over."""
        kept = self._store.state.preferences
        fresh = vars(Preferences()) | {"recent": kept.recent, "welcomed": kept.welcomed}
        self.set(**fresh)

    def add_recent(self, path: str) -> None:
        """Put a path at the head of the recent files."""
        full = str(Path(path).resolve())
        others = (p for p in self._store.state.preferences.recent if p != full)
        self.set(recent=(full, *others)[:N_RECENT])
