"""What a random user does: the actions of the registry, the lines of the palette, the intents with parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.viewmodel.actions import ACTIONS
from app.viewmodel.actions.palette import entries
from app.viewmodel.files.lessons import lesson_titles
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state import own_system
from app.viewmodel.state.playback import ENDINGS
from app.viewmodel.state.tours import TOURS
from app.viewmodel.state.view import TRAILS
from physics.laws import LAWS
from physics.scenarios import scenario_titles
from resources.shipped import shipped_models
from surrogate.render import COLOURINGS
from tests.app.fakes import FakeDialogs

NOT_HERE = ("quit",)
"""Actions after which there is nothing left to do."""

TEXTS = ("1", "-2.5", "0", "1e3", "1e308", "nan", "", "gauss", "−3", "seven", "1e-300")
CATALOGUE = Catalogue(scenario_titles(), tuple(shipped_models()), lesson_titles())


@dataclass
class RandomDialogs(FakeDialogs):
    """Answers what a user would, now and then nothing.

    Attributes
    ----------
    files : sequence of str
        To open, good and bad.
    folder_to_write : Path
    """

    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    files: Sequence[str] = ()
    folder_to_write: Path = Path()

    def open_path(self) -> str:
        return str(self.rng.choice(self.files)) if self.rng.random() < 0.9 else ""

    data_path = open_path

    def save_path(self) -> str:
        return str(self.rng.choice([str(self.folder_to_write / "saved.json"), "/nowhere/saved.json", ""]))

    def scenario_path(self) -> str:
        return str(self.rng.choice([str(self.folder_to_write / "saved.toml"), "/nowhere/saved.toml", ""]))

    def run_folder(self) -> str:
        return str(self.folder_to_write / "run")

    export_folder = run_folder

    def pasted_text(self) -> str:
        n = int(self.rng.integers(1, 6))
        good = np.linalg.qr(self.rng.standard_normal((n, n)))[0].tolist()
        return str(self.rng.choice([repr(good), "[[1, 0], [0, 2]]", "no matrix", "", "[" * 500]))

    def pane_under_mouse(self) -> int:
        return int(self.rng.integers(4))


@dataclass
class User:
    """Who acts.

    Attributes
    ----------
    session : Session
    dialogs : RandomDialogs
    rng : Generator
    """

    session: Session
    dialogs: RandomDialogs
    rng: np.random.Generator

    def below(self, n: int) -> int:
        """0 to n - 1."""
        return int(self.rng.integers(n))

    def one(self, things: Sequence[str]) -> str:
        """One of some texts."""
        return things[self.below(len(things))]

    def number(self, size: float = 100.0) -> float:
        """Mostly of ordinary size, now and then zero or very large."""
        return float(self.rng.choice([self.rng.normal(0, size), 0.0, 360.0 * self.rng.random(), 1e9, -1e-9]))

    def particles(self) -> tuple[int, ...]:
        """Some, among them one that does not exist."""
        return tuple(int(p) for p in self.rng.integers(-1, 9, self.below(4)))

    def axis(self) -> int:
        """One that exists now and then."""
        return int(self.rng.integers(-1, 7))

    def directions(self) -> tuple[tuple[float, float], np.ndarray, np.ndarray]:
        """A drag, and where right and up are in the drawn space."""
        basis = np.linalg.qr(self.rng.standard_normal((3, 3)))[0]
        drag = tuple(float(v) for v in self.rng.normal(0, 0.2, 2))
        return (drag[0], drag[1]), basis[0], basis[1]


def _act(user: User) -> None:
    name = user.one([name for name in ACTIONS if name not in NOT_HERE])
    ACTIONS[name].run(user.session, user.dialogs)


def _palette(user: User) -> None:
    listed = entries({k: v for k, v in ACTIONS.items() if k not in NOT_HERE}, user.session.state, CATALOGUE)
    listed[user.below(len(listed))].run(user.session, user.dialogs)


def _turn(user: User) -> None:
    planes = user.session.state.planes
    if planes:
        user.session.world.rotate(*planes[user.below(len(planes))], user.number())


def _choose_plane(user: User) -> None:
    planes = user.session.state.planes
    if planes:
        user.session.world.select_plane(*planes[user.below(len(planes))])


def _dial(user: User) -> None:
    for step in range(1 + user.below(4)):
        user.session.world.turn_to(user.number(), 15.0 * user.below(2), begins=step == 0)


def _drag_world(user: User) -> None:
    for step in range(1 + user.below(4)):
        user.session.world.drag(*user.directions(), begins=step == 0)


def _drag_basis(user: User) -> None:
    for step in range(1 + user.below(4)):
        user.session.basis.drag(*user.directions(), begins=step == 0)


def _play(user: User) -> None:
    for _ in range(1 + user.below(5)):
        user.session.tours.tick(0.25 * user.rng.random())
        user.session.clock.tick(0.25 * user.rng.random())


def _type_in_scene(user: User) -> None:
    draft = user.session.editor.draft
    if draft is not None and draft.system.n_particles:
        at = user.below(draft.system.n_particles)
        user.session.editor.set_value(at, user.one(own_system.columns(draft.system)), user.one(TEXTS))


def _set_parameter(user: User) -> None:
    draft = user.session.editor.draft
    if draft is not None and draft.system.parameters:
        user.session.editor.set_parameter(user.one([n for n, _ in draft.system.parameters]), user.one(TEXTS))


def _existing(user: User) -> tuple[int, ...]:
    draft = user.session.editor.draft
    n = draft.system.n_particles if draft is not None else 0
    return tuple(sorted({user.below(n) for _ in range(user.below(4))})) if n else ()


def _draw_sketch(user: User) -> None:
    user.session.sketch.draw(user.axis(), user.rng.normal(0, 1, (user.below(5), 3)))


def _split(user: User) -> None:
    user.session.data.choose_split(user.one(("train", "valid", "test", "none")))


def _plan(user: User) -> None:
    changes: Mapping[str, object] = {
        "preset": user.one(("charged-bound", "", "unknown")),
        "out": user.one(("", str(user.dialogs.folder_to_write / "run"))),
        "epochs": user.below(4),
        "dims": user.below(9),
    }
    user.session.training.set(**dict([list(changes.items())[user.below(len(changes))]]))


def _cancel_a_job(user: User) -> None:
    jobs = user.session.state.jobs
    user.session.jobs.cancel(jobs[user.below(len(jobs))].number if jobs else 1)


def _tour(user: User) -> None:
    tours = user.session.tours
    (tours.toggle_view if user.below(2) else tours.toggle_world)(user.one(tuple(TOURS)))


def _answer(user: User) -> None:
    user.session.lessons.answer(user.below(4))


MOVES: Mapping[str, tuple[float, Callable[[User], None]]] = {
    "an action": (12.0, _act),
    "a line of the palette": (4.0, _palette),
    "undo": (3.0, lambda u: u.session.history.undo()),
    "redo": (2.0, lambda u: u.session.history.redo()),
    "open": (3.0, lambda u: u.session.files.open(u.one(u.dialogs.files))),
    "save": (0.5, lambda u: u.session.files.save(u.dialogs.save_path() or "/nowhere/x.json")),
    "turn": (3.0, _turn),
    "plane": (1.0, _choose_plane),
    "angle": (1.0, lambda u: u.session.world.set_angle(u.number())),
    "dial": (1.0, _dial),
    "remove an operation": (0.5, lambda u: u.session.world.remove(u.axis())),
    "random rotation": (0.5, lambda u: u.session.world.random(u.below(100))),
    "drag the world": (1.0, _drag_world),
    "drag the view": (1.0, _drag_basis),
    "axis": (1.0, lambda u: u.session.basis.choose_axis(u.below(3), u.axis())),
    "hidden axis": (1.0, lambda u: u.session.basis.choose_hidden(u.axis() if u.below(3) else None)),
    "play": (6.0, _play),
    "seek": (3.0, lambda u: u.session.clock.seek(u.below(50) - 5)),
    "seek a time": (1.0, lambda u: u.session.clock.seek_time(u.number(2.0))),
    "ending": (0.5, lambda u: u.session.clock.set_ending(ENDINGS[u.below(3)])),
    "dimension": (1.5, lambda u: u.session.system.choose_dims(u.below(10))),
    "particles": (1.0, lambda u: u.session.system.choose_particles(u.below(12))),
    "seed": (1.5, lambda u: u.session.system.choose_seed(u.below(6) - 1)),
    "sample": (1.0, lambda u: u.session.system.choose_sample(u.axis())),
    "scenario": (1.0, lambda u: u.session.system.choose_scenario(u.one(tuple(scenario_titles())))),
    "model": (1.0, lambda u: u.session.system.choose_model(u.one(("a", "b", "c")))),
    "second model": (1.0, lambda u: u.session.system.choose_contrast(u.one(("a", "b", "")))),
    "effort": (1.0, lambda u: u.session.models.set_effort(bool(u.below(2)), u.below(5), u.number())),
    "colour": (1.0, lambda u: u.session.picture.colour_by(u.one(tuple(COLOURINGS)))),
    "colour range": (0.5, lambda u: u.session.picture.set_range(u.number(), u.number())),
    "trail": (0.5, lambda u: u.session.picture.set(trail=TRAILS[u.below(len(TRAILS))])),
    "pane": (0.5, lambda u: u.session.picture.maximise(u.below(4))),
    "select": (1.0, lambda u: u.session.selection.select(u.particles())),
    "pick": (1.0, lambda u: u.session.selection.pick(u.axis(), add=bool(u.below(2)))),
    "scene number": (2.0, _type_in_scene),
    "scene parameter": (0.5, _set_parameter),
    "scene law": (0.5, lambda u: u.session.editor.set_law(u.one(tuple(LAWS)))),
    "scene title": (0.3, lambda u: u.session.editor.set_title(u.one(("Mine", "", " ")))),
    "scene duration": (0.3, lambda u: u.session.editor.set_duration(u.one(TEXTS))),
    "scene dimensions": (0.5, lambda u: u.session.editor.set_dims(u.below(10))),
    "scene particles": (0.5, lambda u: u.session.editor.set_particles(u.below(8))),
    "scene scale": (0.5, lambda u: u.session.editor.scale(u.one(TEXTS))),
    "scene draw": (0.5, lambda u: u.session.editor.draw(u.one(own_system.DRAWS), u.below(5))),
    "scene copy": (0.5, lambda u: u.session.editor.duplicate(_existing(u))),
    "scene remove": (0.5, lambda u: u.session.editor.remove(_existing(u))),
    "sketch": (1.0, _draw_sketch),
    "split": (0.5, _split),
    "plan": (0.5, _plan),
    "lesson": (0.3, lambda u: u.session.lessons.start(u.one((*lesson_titles(), "none")))),
    "lesson step": (0.5, lambda u: u.session.lessons.go(u.axis())),
    "lesson answer": (0.3, _answer),
    "tour speed": (0.3, lambda u: u.session.tours.set_speed(u.number())),
    "tour": (1.0, _tour),
    "preferences": (0.3, lambda u: u.session.preferences.set(autosave=bool(u.below(4)), trail=60)),
    "cancel a job": (1.0, _cancel_a_job),
    "autosave": (1.0, lambda u: u.session.autosave.tick()),
}  # fmt: skip
"""Each with how often, relative to the others."""
