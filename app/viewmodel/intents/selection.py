"""Which particles the user points at, and which one the camera stays on."""

from dataclasses import replace

from app.viewmodel.state.view_state import Selection
from app.viewmodel.store import Store


class SelectionIntents:
    """Shown in all panes, in the table and in the curves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def select(self, particles: tuple[int, ...]) -> None:
        """Select these particles alone; those that do not exist are left out."""
        n = self._n_particles
        kept = tuple(dict.fromkeys(p for p in particles if 0 <= p < n))
        selection = self._store.state.selection
        if kept != selection.particles:
            follow = selection.follow if selection.follow in kept or not kept else kept[-1]
            self._publish(Selection(kept, follow if selection.follow is not None else None))

    def pick(self, particle: int, add: bool = False) -> None:
        """Select one particle; or add it to the selection, or take it out again."""
        chosen = self._store.state.selection.particles
        if not add:
            self.select((particle,))
        elif particle in chosen:
            self.select(tuple(p for p in chosen if p != particle))
        else:
            self.select((*chosen, particle))

    def clear(self) -> None:
        """No particle selected, none followed."""
        if self._store.state.selection != Selection():
            self._publish(Selection())

    def step(self, steps: int) -> None:
        """Select a neighbour of the last selected particle by number; the first or the last one without any."""
        n = self._n_particles
        if n:
            chosen = self._store.state.selection.particles
            at = chosen[-1] + steps if chosen else (0 if steps > 0 else n - 1)
            self.select((at % n,))

    def toggle_follow(self) -> None:
        """Keep the camera on the last selected particle (the first one if none is), or let it rest."""
        selection = self._store.state.selection
        if selection.follow is not None:
            self._publish(replace(selection, follow=None))
            return
        if not selection.particles:
            self.step(1)
        chosen = self._store.state.selection.particles
        if chosen:
            self._publish(Selection(chosen, chosen[-1]))
        else:  # before there is a picture
            self._store.say("no particle to follow yet")

    @property
    def _n_particles(self) -> int:
        result = self._store.state.result
        return result.comparison.truth.system.n_particles if result is not None else 0

    def _publish(self, selection: Selection) -> None:
        self._store.publish(selection=selection)
