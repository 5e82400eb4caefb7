"""The card of the first run: shown once, and again when asked for."""

from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.store import Store


class WelcomeIntents:
    """Opens and closes it, and remembers that it was seen."""

    def __init__(self, store: Store, preferences: PreferenceIntents) -> None:
        self._store, self._preferences = store, preferences

    def toggle(self) -> None:
        """Show it, or close it."""
        if self._store.state.welcome:
            self.close()
        else:
            self._store.publish(welcome=True)

    def close(self) -> None:
        """Close it; it does not come by itself again."""
        if self._store.state.welcome:
            self._store.publish(welcome=False)
            self._preferences.set(welcomed=True)
