"""How it is looked at; changes no number."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.viewmodel.state.view_state import TRAILS, neighbour
from surrogate.render import Camera

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class ViewIntents:
    """Colours, trails, roll-out, theme, help."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def set(self, **changes: Any) -> None:
        """Change fields of the View (undoable, but for the theme and the help)."""
        old = self._session.state.view
        view = replace(old, **changes)
        if replace(view, theme=old.theme, show_help=old.show_help) != old:
            self._session.remember()
        self._session.publish(view=view)

    def camera_moved(self, camera: Camera | None) -> None:
        """Keep where the camera stands (no step to undo); None for the view that a picture starts with."""
        if camera != self._session.state.camera:
            self._session.publish(camera=camera)

    def toggle_colour(self) -> None:
        """Colour by charge or by error."""
        self._session.picture.colour_by("charge" if self._session.state.view.colour_by == "error" else "error")

    def toggle_theme(self) -> None:
        """Dark or light."""
        theme = "light" if self._session.state.view.theme == "dark" else "dark"
        self.set(theme=theme)
        self._session.preferences.set(theme=theme)

    def toggle_rollout(self) -> None:
        """Show the chained roll-out in a pane of its own, or not."""
        self.set(show_rollout=not self._session.state.view.show_rollout)

    def change_trail(self, steps: int) -> None:
        """Longer or shorter trails."""
        self.set(trail=int(neighbour(TRAILS, self._session.state.view.trail, steps)))

    def toggle_help(self) -> None:
        """Show or hide the explanation."""
        self.set(show_help=not self._session.state.view.show_help)
