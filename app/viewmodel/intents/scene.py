"""The scene editor: edits a draft, simulates it when it is applied, saves it as a scenario."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.viewmodel.intents.system import OWN_SYSTEM
from app.viewmodel.state import own_fields, own_scene
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.setup import OwnScene, Setup, fitting_operations
from physics.errors import InputError

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class SceneIntents:
    """Every edit is a step that can be undone; nothing is simulated before `apply`."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        session.comparison.when_idle.append(self._follow)

    @property
    def draft(self) -> Draft | None:
        """What the editor shows: the draft, or what is simulated; None before the first comparison."""
        return draft_of(self._session.state.draft, self._shown())

    def _shown(self) -> OwnScene | None:
        prepared = self._session.state.prepared
        return prepared.scene if prepared is not None else None

    def _follow(self) -> None:
        draft = self._session.state.draft
        if draft is not None and draft.base != self._shown():
            self._session.publish(draft=None)

    def edit(self, change: Callable[[OwnScene], OwnScene], field: str = "") -> None:
        """Apply a pure change to the draft's scene; what was typed wrong in `field` is gone."""
        draft = self.draft
        if draft is None:
            return
        try:
            scene = change(draft.scene)
        except InputError as error:
            self._session.say(str(error), "error")
            return
        changed = replace(draft.taken(field), scene=scene)
        if changed != draft:
            self._session.remember()
            self._session.publish(draft=changed)

    def type_number(
        self,
        field: str,
        text: str,
        now: Callable[[OwnScene], object],
        change: Callable[[OwnScene, float], OwnScene],
    ) -> None:
        """Take a number that was typed; what is none stays in its field with a message beside it.

        A text that stands there already (`now` shortened) changes nothing: the exact value would be lost.
        """
        draft = self.draft
        if draft is None or text == draft.text(field, now(draft.scene)):
            return
        try:
            value = own_scene.number(text)
        except InputError as error:
            self._session.publish(draft=draft.refused(field, text, str(error)))
            return
        self.edit(lambda scene: change(scene, value), field)

    def set_title(self, title: str) -> None:
        """What the scene is called."""
        self.edit(lambda scene: replace(scene, title=title))

    def set_duration(self, text: str) -> None:
        """How long it is watched."""
        self.type_number(
            "duration", text, lambda scene: scene.duration, lambda scene, value: replace(scene, duration=value)
        )

    def set_law(self, law: str) -> None:
        """Another law, with its own parameters."""
        draft = self.draft
        if draft is not None and law != draft.scene.law:
            self._session.publish(
                draft=replace(draft, typed=tuple(t for t in draft.typed if not t.field.startswith("parameter ")))
            )
            self.edit(lambda scene: own_scene.with_law(scene, law))

    def set_parameter(self, name: str, text: str) -> None:
        """A parameter of the law; "gauss" is an exponent that depends on n."""
        field = f"parameter {name}"
        if name == "p" and text.strip() == "gauss":
            self.edit(lambda scene: own_scene.with_parameter(scene, name, "gauss"), field)
            return
        self.type_number(
            field,
            text,
            lambda scene: dict(scene.parameters)[name],
            lambda scene, value: own_scene.with_parameter(scene, name, value),
        )

    def set_value(self, at: int, column: str, text: str) -> None:
        """A number of a particle."""
        self.type_number(
            f"{column} {at}",
            text,
            lambda scene: own_scene.values(scene)[at][own_scene.columns(scene).index(column)],
            lambda scene, value: own_scene.with_value(scene, at, column, value),
        )

    def set_field(self, name: str, text: str) -> None:
        """A number of the fields, by the names of `app.viewmodel.state.own_fields`."""
        self.type_number(
            name,
            text,
            lambda scene: own_fields.field_values(scene)[name],
            lambda scene, value: own_fields.with_field(scene, name, value),
        )

    def clear_fields(self) -> None:
        """No fields, no drag, no trap."""
        self._forget_typed()
        self.edit(own_fields.without_fields)

    def set_dims(self, n_dims: int) -> None:
        """More coordinates, which are zero, or fewer."""
        n = min(max(n_dims, 1), own_scene.MAX_DIMS)
        self._forget_typed()
        self.edit(lambda scene: own_scene.with_dims(scene, n))

    def set_particles(self, count: int) -> None:
        """New particles at rest, or the last ones away."""
        n = min(max(count, 2), own_scene.MAX_PARTICLES)
        self._forget_typed()
        self.edit(lambda scene: own_scene.resized(scene, n))

    def add(self) -> None:
        """One particle more."""
        self.edit(own_scene.with_particle)

    def duplicate(self, which: tuple[int, ...]) -> None:
        """A copy of each of some particles."""

        def copies(scene: OwnScene) -> OwnScene:
            for at in which:
                scene = own_scene.duplicated(scene, at)
            return scene

        self.edit(copies)

    def remove(self, which: tuple[int, ...]) -> None:
        """Some particles away."""
        self._forget_typed()
        self.edit(lambda scene: own_scene.without(scene, which))

    def zero_momentum(self) -> None:
        """The centre of mass at rest."""
        self.edit(own_scene.at_rest)

    def scale(self, text: str) -> None:
        """All positions times a factor."""
        try:
            factor = own_scene.number(text)
        except InputError as error:
            self._session.say(f"scale: {error}", "error")
            return
        self.edit(lambda scene: own_scene.scaled(scene, factor))

    def draw(self, preset: str, seed: int) -> None:
        """Particles drawn anew, as a data preset does."""
        self._forget_typed()
        self.edit(lambda scene: own_scene.drawn(scene, preset, seed))

    def revert(self) -> None:
        """Back to what is simulated."""
        draft = self._session.state.draft
        if draft is not None:
            self._session.remember()
            self._session.publish(draft=None)

    def apply(self) -> None:
        """Simulate the draft."""
        draft = self._checked()
        if draft is not None and draft.edited:
            self._use(own=renamed(draft), scenario="")

    def take(self, scene: OwnScene) -> None:
        """Simulate a scene that was made in the view: the edit and its simulation are one step back."""
        draft = self.draft
        if draft is None or scene == draft.scene:
            return
        self._session.remember()
        self._session.publish(draft=replace(draft, scene=scene))
        checked = self._checked()
        if checked is not None:
            self._session.comparison.use(self._setup(own=renamed(checked), scenario=""))

    def save(self, path: str) -> None:
        """Write the draft as a scenario file, and show that."""
        from physics.scenario_files import write_scenario

        draft = self._checked()
        if draft is None:
            return
        try:
            write_scenario(Path(path), own_scene.scenario_of_scene(renamed(draft)))
        except (InputError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self._session.say(f"not saved: {path}: {reason}", "error")
            return
        self._use(own=None, scenario=path)
        self._session.preferences.add_recent(path)
        self._session.say(f"saved {Path(path).name}")

    def _use(self, own: OwnScene | None, scenario: str) -> None:
        setup = self._setup(own, scenario)
        self._session.comparison.change(**{f.name: getattr(setup, f.name) for f in fields(setup)})

    def _setup(self, own: OwnScene | None, scenario: str) -> Setup:
        """What is compared, with the draft's system instead of its own."""
        draft, setup = self.draft, self._session.state.setup
        assert draft is not None
        kept = fitting_operations(setup.operations, draft.scene.n_dims)
        same = {"own": own, "scenario": scenario, "data": "", "operations": kept}
        return replace(setup, **{**OWN_SYSTEM, **same})

    def _checked(self) -> Draft | None:
        """The draft; None with a message where something is wrong with it."""
        draft = self.draft
        if draft is None:
            return None
        trouble = draft.trouble()
        if trouble:
            field, message = next(iter(trouble.items()))
            self._session.say(f"{field}: {message}", "error")
            return None
        try:
            own_scene.scenario_of_scene(draft.scene)
        except InputError as error:
            self._session.say(str(error), "error")
            return None
        return draft

    def _forget_typed(self) -> None:
        """Fields move or change all at once: what was typed wrong in them has no place any more."""
        draft = self._session.state.draft
        if draft is not None and draft.typed:
            self._session.publish(draft=replace(draft, typed=()))


def draft_of(draft: Draft | None, shown: OwnScene | None) -> Draft | None:
    """The draft, or one that is just what is simulated."""
    return draft or (Draft(shown, shown) if shown is not None else None)


def renamed(draft: Draft) -> OwnScene:
    """The scene to simulate: an edited one does not keep the title of the one that it was."""
    scene, base = draft.scene, draft.base
    edited = scene != base and scene.title == base.title and not scene.title.endswith("(edited)")
    return replace(scene, title=f"{scene.title} (edited)") if edited else scene
