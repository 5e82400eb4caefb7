"""How it is looked at; changes no number."""

from dataclasses import replace
from typing import Any

from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.state.playback import step_on_ladder
from app.viewmodel.state.view import TRAILS
from app.viewmodel.store import Store
from surrogate.render import Camera


class ViewIntents:
    """Colours, trails, roll-out, theme, help."""

    def __init__(self, store: Store, preferences: PreferenceIntents) -> None:
        self._store, self._preferences = store, preferences

    def set(self, **changes: Any) -> None:
        """Change fields of the View (undoable, but for the theme and the help)."""
        old = self._store.state.view
        view = replace(old, **changes)
        if replace(view, theme=old.theme, show_help=old.show_help) != old:
            self._store.remember()
        self._store.publish(view=view)

    def camera_moved(self, camera: Camera | None) -> None:
        """Keep where the camera stands (no step to undo); None for the view that a picture starts with."""
        if camera != self._store.state.camera:
            self._store.publish(camera=camera)

    def toggle_theme(self) -> None:
        """Dark or light."""
        theme = "light" if self._store.state.view.theme == "dark" else "dark"
        self.set(theme=theme)
        self._preferences.set(theme=theme)

    def toggle_rollout(self) -> None:
        """Show the chained roll-out in a pane of its own, or not."""
        self.set(show_rollout=not self._store.state.view.show_rollout)

    def change_trail(self, steps: int) -> None:
        """Longer or shorter trails."""
        self.set(trail=int(step_on_ladder(TRAILS, self._store.state.view.trail, steps)))

    def toggle_help(self) -> None:
        """Show or hide the explanation."""
        self.set(show_help=not self._store.state.view.show_help)
