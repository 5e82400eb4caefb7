"""The scene editor's draft: what is edited and not applied yet, and what is wrong with it."""

from dataclasses import dataclass, replace

from app.viewmodel.state.own_scene import problems
from app.viewmodel.state.setup import OwnScene


@dataclass(frozen=True)
class Typed:
    """A text that is no value of its field; shown there until it is replaced."""

    field: str
    text: str
    message: str


@dataclass(frozen=True)
class Draft:
    """What the editor shows.

    Attributes
    ----------
    scene : OwnScene
        As edited.
    base : OwnScene
        As simulated: what `scene` started from.
    typed : tuple of Typed
        What could not be taken.
    """

    scene: OwnScene
    base: OwnScene
    typed: tuple[Typed, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether there is something to apply."""
        return self.scene != self.base

    def trouble(self) -> dict[str, str]:
        """What is wrong, by field."""
        return problems(self.scene) | {t.field: t.message for t in self.typed}

    def text(self, field: str, value: object) -> str:
        """What stands in a field: what was typed there, else its value."""
        wrong = [t.text for t in self.typed if t.field == field]
        return wrong[0] if wrong else shown(value)

    def refused(self, field: str, text: str, message: str) -> "Draft":
        """With a text that could not be taken."""
        return replace(self, typed=(*self.taken(field).typed, Typed(field, text, message)))

    def taken(self, field: str) -> "Draft":
        """Without what was wrong in a field."""
        return replace(self, typed=tuple(t for t in self.typed if t.field != field))


def shown(value: object) -> str:
    """A number short, where that is no other number to the eye; the exact one stays in the draft."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
