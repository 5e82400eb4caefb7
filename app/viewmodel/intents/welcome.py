"""The card of the first run: shown once, and again when asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class WelcomeIntents:
    """Opens and closes it, and remembers that it was seen."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def toggle(self) -> None:
        """Show it, or close it."""
        if self._session.state.welcome:
            self.close()
        else:
            self._session.publish(welcome=True)

    def close(self) -> None:
        """Close it; it does not come by itself again."""
        if self._session.state.welcome:
            self._session.publish(welcome=False)
            self._session.preferences.set(welcomed=True)
