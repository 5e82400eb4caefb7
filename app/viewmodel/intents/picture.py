"""What the panes show of the comparison, and how: layout, colours, trails, depth. Every change can be undone."""

from typing import Any

from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.presenters.picture import colouring_label
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.state.view import energies_shown, possible_colourings
from app.viewmodel.store import Store

SLICE = 0.25
"""Thickness of a slice when it is switched on, as a share of the picture's radius."""

FADE = 0.6
"""Depth cue when it is switched on."""


class PictureIntents:
    """Each sets fields of the View."""

    def __init__(self, store: Store, view: ViewIntents) -> None:
        self._store, self._view = store, view

    def set(self, **changes: Any) -> None:
        """Change fields of the View."""
        self._view.set(**changes)

    def toggle(self, name: str) -> None:
        """Switch a field of the View that is on or off."""
        self.set(**{name: not getattr(self._store.state.view, name)})

    def toggle_layout(self) -> None:
        """Truth and forecast side by side, or one over the other."""
        overlay = self._store.state.view.layout == "overlay"
        self.set(layout="twin" if overlay else "overlay", maximised=None)

    def maximise(self, pane: int | None) -> None:
        """Show one pane alone, or all again if one is alone already."""
        alone = self._store.state.view.maximised is not None
        self.set(maximised=None if alone else pane)

    def colour_by(self, name: str) -> None:
        """Choose a colouring; its scale is its own again."""
        state = self._store.state
        if state.result is not None and name not in possible_colourings(energies_shown(state.result.comparison)):
            known = state.result.comparison.law_known
            why = "energies of so many particles take too long" if known else "the law of this data is not known"
            self._store.say(f"colour by {colouring_label(name)}: {why}")
            return
        if name != state.view.colour_by:
            self.set(colour_by=name, colour_range=None)

    def toggle_colour(self) -> None:
        """Colour by charge or by error."""
        self.colour_by("charge" if self._store.state.view.colour_by == "error" else "error")

    def next_colouring(self) -> None:
        """The next one in the list."""
        state = self._store.state
        known = state.result is None or energies_shown(state.result.comparison)
        names = possible_colourings(known)
        at = names.index(state.view.colour_by) if state.view.colour_by in names else -1
        self.colour_by(names[(at + 1) % len(names)])

    def toggle_range(self) -> None:
        """Keep the ends of the colour scale as they are now, or let every comparison have its own."""
        state = self._store.state
        if state.view.colour_range is not None:
            self.set(colour_range=None)
        elif state.result is not None and state.view.colour_by != "charge":
            scene = scene_of(state, state.result.frames)
            assert scene is not None
            self.set_range(*scene.colour_range)

    def set_range(self, low: float, high: float) -> None:
        """Fix the ends of the colour scale; refused unless they are in order."""
        if not low < high:  # also where all particles have one value
            self._store.say(f"a colour scale must end above its beginning; got {low:g} to {high:g}", "error")
            return
        self.set(colour_range=(low, high))

    def toggle_depth(self) -> None:
        """Fade what is off the drawn space, or not."""
        self.set(fade_hidden=0.0 if self._store.state.view.fade_hidden else FADE)

    def toggle_slice(self) -> None:
        """Show a slice of the hidden space, or all of it."""
        state = self._store.state
        if state.view.slice_thickness is not None:
            self.set(slice_thickness=None)
        else:
            radius = state.result.frames.radius if state.result is not None else 4.0
            self.set(slice_thickness=float(f"{SLICE * radius:.2g}"))
