"""The editor: edits a draft, simulates it when it is applied, saves it as a scenario."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.intents.system import OWN_SYSTEM
from app.viewmodel.state import own_fields, own_system
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.setup import OwnSystem, Setup, fitting_operations
from app.viewmodel.store import Store
from physics.errors import InputError

Now = Callable[[OwnSystem], object]


class EditorIntents:
    """Every edit is a step that can be undone; nothing is simulated before `apply`."""

    def __init__(self, store: Store, comparison: ComparisonIntents, preferences: PreferenceIntents) -> None:
        self._store, self._comparison, self._preferences = store, comparison, preferences
        self._comparison.when_idle.append(self._follow)

    @property
    def draft(self) -> Draft | None:
        """What the editor shows: the draft, or what is simulated; None before the first comparison."""
        return draft_of(self._store.state.draft, self._shown())

    def _shown(self) -> OwnSystem | None:
        result = self._store.state.result
        return result.system if result is not None else None

    def _follow(self) -> None:
        draft = self._store.state.draft
        if draft is not None and draft.base != self._shown():
            self._store.publish(draft=None)

    def edit(self, change: Callable[[OwnSystem], OwnSystem], entry: str = "") -> None:
        """Apply a pure change to the draft's system; what was typed wrong in `entry` is dropped."""
        draft = self.draft
        if draft is None:
            return
        try:
            system = change(draft.system)
        except InputError as error:
            self._store.say(str(error), "error")
            return
        changed = replace(draft.taken(entry), system=system)
        if changed != draft:
            self._store.remember()
            self._store.publish(draft=changed)

    def type_number(
        self, entry: str, text: str, now: Now, change: Callable[[OwnSystem, float], OwnSystem]
    ) -> None:
        """Take a number that was typed; what is none stays in its entry with a message beside it.

        A text that stands there already (`now` shortened) changes nothing: the exact value would be lost.
        """
        draft = self.draft
        if draft is None or text == draft.text(entry, now(draft.system)):
            return
        try:
            value = own_system.number(text)
        except InputError as error:
            self._store.publish(draft=draft.refused(entry, text, str(error)))
            return
        self.edit(lambda system: change(system, value), entry)

    def set_title(self, title: str) -> None:
        """What the system is called."""
        self.edit(lambda system: replace(system, title=title))

    def set_duration(self, text: str) -> None:
        """How long it is watched."""
        self.type_number("duration", text, lambda s: s.duration, lambda s, value: replace(s, duration=value))

    def set_law(self, law: str) -> None:
        """Another law, with its own parameters."""
        draft = self.draft
        if draft is not None and law != draft.system.law:
            typed = tuple(t for t in draft.typed if not t.entry.startswith("parameter "))
            self._store.publish(draft=replace(draft, typed=typed))
            self.edit(lambda system: own_system.with_law(system, law))

    def set_parameter(self, name: str, text: str) -> None:
        """A parameter of the law; "gauss" is an exponent that depends on n."""
        entry = f"parameter {name}"
        if name == "p" and text.strip() == "gauss":
            self.edit(lambda system: own_system.with_parameter(system, name, "gauss"), entry)
            return
        now: Now = lambda system: dict(system.parameters)[name]  # noqa: E731
        self.type_number(entry, text, now, lambda s, value: own_system.with_parameter(s, name, value))

    def set_value(self, at: int, column: str, text: str) -> None:
        """A number of a particle."""
        now: Now = lambda s: own_system.values(s)[at][own_system.columns(s).index(column)]  # noqa: E731
        change = lambda s, value: own_system.with_value(s, at, column, value)  # noqa: E731
        self.type_number(f"{column} {at}", text, now, change)

    def set_field(self, name: str, text: str) -> None:
        """A number of the fields, by the names of `app.viewmodel.state.own_fields`."""
        now: Now = lambda system: own_fields.field_values(system)[name]  # noqa: E731
        self.type_number(name, text, now, lambda s, value: own_fields.with_field(s, name, value))

    def clear_fields(self) -> None:
        """No fields, no drag, no trap."""
        self._forget_typed()
        self.edit(own_fields.without_fields)

    def set_dims(self, n_dims: int) -> None:
        """More coordinates, which are zero, or fewer."""
        n = min(max(n_dims, 1), own_system.MAX_DIMS)
        self._forget_typed()
        self.edit(lambda system: own_system.with_dims(system, n))

    def set_particles(self, count: int) -> None:
        """New particles at rest, or the last ones away."""
        n = min(max(count, 2), own_system.MAX_PARTICLES)
        self._forget_typed()
        self.edit(lambda system: own_system.resized(system, n))

    def add(self) -> None:
        """One particle more."""
        self.edit(own_system.with_particle)

    def duplicate(self, which: tuple[int, ...]) -> None:
        """A copy of each of some particles."""

        def copies(system: OwnSystem) -> OwnSystem:
            for at in which:
                system = own_system.duplicated(system, at)
            return system

        self.edit(copies)

    def remove(self, which: tuple[int, ...]) -> None:
        """Some particles away."""
        self._forget_typed()
        self.edit(lambda system: own_system.without(system, which))

    def zero_momentum(self) -> None:
        """The centre of mass at rest."""
        self.edit(own_system.at_rest)

    def scale(self, text: str) -> None:
        """All positions times a factor."""
        try:
            factor = own_system.number(text)
        except InputError as error:
            self._store.say(f"scale: {error}", "error")
            return
        self.edit(lambda system: own_system.scaled(system, factor))

    def draw(self, preset: str, seed: int) -> None:
        """Particles drawn anew, as a data preset does."""
        self._forget_typed()
        self.edit(lambda system: own_system.drawn(system, preset, seed))

    def revert(self) -> None:
        """Back to what is simulated."""
        draft = self._store.state.draft
        if draft is not None:
            self._store.remember()
            self._store.publish(draft=None)

    def apply(self) -> None:
        """Simulate the draft."""
        draft = self._checked()
        if draft is not None and draft.edited:
            self._use(own=renamed(draft), scenario="")

    def take(self, system: OwnSystem) -> None:
        """Simulate a system that was made in the view: the edit and its simulation are one step back."""
        draft = self.draft
        if draft is None or system == draft.system:
            return
        self._store.remember()
        self._store.publish(draft=replace(draft, system=system))
        checked = self._checked()
        if checked is not None:
            self._comparison.use(self._setup(own=renamed(checked), scenario=""))

    def save(self, path: str) -> None:
        """Write the draft as a scenario file, and show that."""
        from physics.scenario_files import write_scenario

        draft = self._checked()
        if draft is None:
            return
        try:
            write_scenario(Path(path), own_system.scenario_of_system(renamed(draft)))
        except (InputError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self._store.say(f"not saved: {path}: {reason}", "error")
            return
        self._use(own=None, scenario=path)
        self._preferences.add_recent(path)
        self._store.say(f"saved {Path(path).name}")

    def _use(self, own: OwnSystem | None, scenario: str) -> None:
        setup = self._setup(own, scenario)
        self._comparison.change(**{f.name: getattr(setup, f.name) for f in fields(setup)})

    def _setup(self, own: OwnSystem | None, scenario: str) -> Setup:
        """What is compared, with the draft's system instead of its own."""
        draft, setup = self.draft, self._store.state.setup
        assert draft is not None
        kept = fitting_operations(setup.operations, draft.system.n_dims)
        same = {"own": own, "scenario": scenario, "data": "", "operations": kept}
        return replace(setup, **{**OWN_SYSTEM, **same})

    def _checked(self) -> Draft | None:
        """The draft; None with a message where something is wrong with it."""
        draft = self.draft
        if draft is None:
            return None
        trouble = draft.trouble()
        if trouble:
            entry, message = next(iter(trouble.items()))
            self._store.say(f"{entry}: {message}", "error")
            return None
        try:
            own_system.scenario_of_system(draft.system)
        except InputError as error:
            self._store.say(str(error), "error")
            return None
        return draft

    def _forget_typed(self) -> None:
        """Fields move or change all at once: what was typed wrong in them has no place any more."""
        draft = self._store.state.draft
        if draft is not None and draft.typed:
            self._store.publish(draft=replace(draft, typed=()))


def draft_of(draft: Draft | None, shown: OwnSystem | None) -> Draft | None:
    """The draft, or one that is just what is simulated."""
    return draft or (Draft(shown, shown) if shown is not None else None)


def renamed(draft: Draft) -> OwnSystem:
    """The system to simulate: an edited one does not keep the title of the one that it was."""
    system, base = draft.system, draft.base
    edited = system != base and system.title == base.title and not system.title.endswith("(edited)")
    return replace(system, title=f"{system.title} (edited)") if edited else system
