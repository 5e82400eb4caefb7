"""Steps back and forth through what the user changed."""

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.moving import MovingIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.state.setup import Setup
from app.viewmodel.store import Store


class HistoryIntents:
    """Undo and redo, with the comparison that belongs to where they lead."""

    def __init__(
        self, store: Store, comparison: ComparisonIntents, tours: TourIntents, moving: MovingIntents
    ) -> None:
        self._store, self._comparison, self._tours, self._moving = store, comparison, tours, moving

    def undo(self) -> None:
        """Go back to what was before the last change."""
        if self._store.state.can_undo:
            self._let_go()
            self._show(self._store.undo())

    def redo(self) -> None:
        """Take the last undo back."""
        if self._store.state.can_redo:
            self._let_go()
            self._show(self._store.redo())

    def _let_go(self) -> None:
        self._tours.pause()
        self._moving.cancel()

    def _show(self, setup: Setup | None) -> None:
        if setup is not None and setup != self._store.state.setup:
            self._comparison.use(setup)
        else:  # the step may be from a time when another picture was shown
            self._comparison.settle()
