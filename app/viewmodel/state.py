"""ViewState: everything the window shows, frozen; views draw it and never change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.viewmodel.preferences import Preferences
from app.viewmodel.setup import Setup, active_degrees, planes
from app.viewmodel.work import Prepared

if TYPE_CHECKING:
    from app.viewmodel.lessons import Lesson
    from app.viewmodel.sketch import Sketch

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
TRAILS = (0, 15, 30, 60, 120)


@dataclass(frozen=True)
class Playback:
    """The one clock of all panes.

    Attributes
    ----------
    position : float
        Frame number, between frames while playing.
    playing : bool
    speed : float
        Time units per second.
    loop : bool
        Play again from the start at the end; else stop there.
    """

    position: float = 0.0
    playing: bool = True
    speed: float = 1.0
    loop: bool = True


@dataclass(frozen=True)
class View:
    """How it is looked at; changes no number.

    Attributes
    ----------
    colour_by : "charge" or "error"
    trail : int
        Frames a trail reaches back.
    theme : "dark" or "light"
    axes : tuple of int, or None
        The three coordinate axes drawn; None shows all of them at once (the default oblique view).
    show_rollout : bool
    show_help : bool
        All keys, with an explanation.
    """

    colour_by: Literal["charge", "error"] = "charge"
    trail: int = 60
    theme: Literal["dark", "light"] = "dark"
    axes: tuple[int, int, int] | None = None
    show_rollout: bool = False
    show_help: bool = False


@dataclass(frozen=True)
class Message:
    """Something to tell the user in the window."""

    text: str
    kind: Literal["info", "error"] = "info"


@dataclass(frozen=True)
class RunningJob:
    """Work in the background.

    Attributes
    ----------
    number : int
        By which it is cancelled.
    title : str
    progress : float or None
        0 to 1; None where nobody can tell.
    """

    number: int
    title: str
    progress: float | None = None


@dataclass(frozen=True, eq=False)
class RunningLesson:
    """How far the user is in a lesson.

    Attributes
    ----------
    name : str
    lesson : Lesson
    at : int
        The step that is shown.
    done : frozenset of int
        Steps that are ticked.
    answers : mapping of int to int
        The choice for the question of a step.
    """

    name: str
    lesson: "Lesson"
    at: int = 0
    done: frozenset[int] = frozenset()
    answers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """A question to the user with two answers; what they do stands with who asks."""

    text: str
    accept: str
    decline: str


@dataclass(frozen=True, eq=False)
class ViewState:
    """All of it.

    Attributes
    ----------
    setup : Setup
        What was asked for last.
    prepared : Prepared or None
        What is shown; made for `prepared.setup`, which lags behind while work is under way.
    busy : bool
        A comparison is being made.
    plane : (int, int)
        The selected rotation plane.
    spinning : bool
        The world turns in the selected plane by itself.
    export_progress : float or None
        0 to 1 while an export runs.
    preferences : Preferences
        What is remembered from one start to the next.
    offer : Offer or None
        A session to restore after a crash.
    jobs : tuple of RunningJob
        What works in the background, the oldest first.
    welcome : bool
        The card of the first run is shown.
    lesson : RunningLesson or None
    sketch : Sketch or None
        What the user draws of the future.
    """

    setup: Setup = field(default_factory=Setup)
    prepared: Prepared | None = None
    playback: Playback = field(default_factory=Playback)
    view: View = field(default_factory=View)
    busy: bool = False
    plane: tuple[int, int] = (0, 1)
    spinning: bool = False
    message: Message | None = None
    export_progress: float | None = None
    can_undo: bool = False
    can_redo: bool = False
    preferences: Preferences = field(default_factory=Preferences)
    offer: Offer | None = None
    jobs: tuple[RunningJob, ...] = ()
    welcome: bool = False
    lesson: RunningLesson | None = None
    sketch: "Sketch | None" = None

    @property
    def n_frames(self) -> int:
        """Frames of what is shown; 0 before the first comparison."""
        return self.prepared.comparison.truth.n_frames if self.prepared else 0

    @property
    def frame(self) -> int:
        """The frame that is shown."""
        return min(max(int(self.playback.position), 0), max(self.n_frames - 1, 0))

    @property
    def time(self) -> float:
        """The time that is shown."""
        return float(self.prepared.comparison.truth.times[self.frame]) if self.prepared else 0.0

    @property
    def n_dims(self) -> int:
        """Dimensions of what is shown."""
        return self.prepared.comparison.truth.n_dims if self.prepared else 3

    @property
    def planes(self) -> list[tuple[int, int]]:
        """All rotation planes of what is shown."""
        return planes(self.n_dims)

    @property
    def plane_degrees(self) -> float:
        """The angle in the selected plane, as far as it is the last operation."""
        return active_degrees(self.setup.operations, *self.plane)


def neighbour(ladder: tuple[float, ...], value: float, steps: int) -> float:
    """The value some steps up or down a ladder from the one nearest to `value`; its ends at most."""
    nearest = min(range(len(ladder)), key=lambda k: abs(ladder[k] - value))
    return ladder[min(max(nearest + steps, 0), len(ladder) - 1)]
