"""What lies over the picture, taken away one after the other."""

from app.viewmodel.intents.moving import MovingIntents
from app.viewmodel.intents.selection import SelectionIntents
from app.viewmodel.intents.sketch import SketchIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.intents.welcome import WelcomeIntents
from app.viewmodel.store import Store


class OverlayIntents:
    """The modes, the cards, the message and the selection."""

    def __init__(
        self,
        store: Store,
        moving: MovingIntents,
        sketch: SketchIntents,
        selection: SelectionIntents,
        welcome: WelcomeIntents,
        view: ViewIntents,
    ) -> None:
        self._store, self._moving, self._sketch = store, moving, sketch
        self._selection, self._welcome, self._view = selection, welcome, view

    def clear(self) -> None:
        """Let go of a particle that is held; else take away what lies over the picture; else the selection."""
        state = self._store.state
        if state.moving is not None and state.moving.particle is not None:
            self._moving.cancel()
            return
        if not (state.sketch or state.moving or state.welcome or state.view.show_help or state.message):
            self._selection.clear()
        self._sketch.end()
        self._moving.end()
        self._welcome.close()
        if self._store.state.view.show_help:
            self._view.toggle_help()
        if self._store.state.message is not None:
            self._store.dismiss()
