"""The editor's draft: what is edited and not applied yet, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from app.viewmodel.state.own_system import problems
from app.viewmodel.state.setup import OwnSystem


@dataclass(frozen=True)
class Typed:
    """A text that is no value of an entry of the editor; shown there until it is replaced."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = {"field": "entry"}

    entry: str
    text: str
    message: str


@dataclass(frozen=True)
class Draft:
    """What the editor shows.

    Attributes
    ----------
    system : OwnSystem
        As edited.
    base : OwnSystem
        As simulated: what `system` started from.
    typed : tuple of Typed
        What could not be taken.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {"scene": "system"}

    system: OwnSystem
    base: OwnSystem
    typed: tuple[Typed, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether there is something to apply."""
        return self.system != self.base

    def trouble(self) -> dict[str, str]:
        """What is wrong, by entry."""
        return problems(self.system) | {t.entry: t.message for t in self.typed}

    def text(self, entry: str, value: object) -> str:
        """What stands in an entry: what was typed there, else its value."""
        wrong = [t.text for t in self.typed if t.entry == entry]
        return wrong[0] if wrong else shown(value)

    def refused(self, entry: str, text: str, message: str) -> "Draft":
        """With a text that could not be taken."""
        return replace(self, typed=(*self.taken(entry).typed, Typed(entry, text, message)))

    def taken(self, entry: str) -> "Draft":
        """Without what was wrong in an entry."""
        return replace(self, typed=tuple(t for t in self.typed if t.entry != entry))


@dataclass(frozen=True)
class Moving:
    """The mode, and the drag under way.

    Attributes
    ----------
    particle : int or None
        The one that is held.
    velocity : bool
        Its velocity is dragged, not its place.
    system : OwnSystem or None
        What it would become, while one is held.
    """

    particle: int | None = None
    velocity: bool = False
    system: OwnSystem | None = None


def shown(value: object) -> str:
    """A number short, where that is no other number to the eye; the exact one stays in the draft."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
