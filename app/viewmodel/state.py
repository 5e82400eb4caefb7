"""ViewState: everything the window shows, frozen; views draw it and never change it."""

from dataclasses import dataclass, field
from typing import Literal

from app.viewmodel.draft import Draft
from app.viewmodel.preferences import Preferences
from app.viewmodel.setup import Setup, active_degrees, planes
from app.viewmodel.tasks.model_table import ModelRow
from app.viewmodel.tasks.sample_errors import SampleError
from app.viewmodel.training import Training
from app.viewmodel.work import Prepared

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
        The first-run overlay.
    """

    colour_by: Literal["charge", "error"] = "charge"
    trail: int = 60
    theme: Literal["dark", "light"] = "dark"
    axes: tuple[int, int, int] | None = None
    show_rollout: bool = False
    show_help: bool = True


@dataclass(frozen=True)
class Message:
    """Something to tell the user in the window."""

    text: str
    kind: Literal["info", "error"] = "info"


@dataclass(frozen=True)
class ModelTable:
    """What the models do on one state.

    Attributes
    ----------
    rows : tuple of ModelRow
    setup : Setup or None
        What they were measured on.
    progress : float or None
        0 to 1 while it is measured.
    opened : tuple of str
        Paths of models that the user opened or trained.
    """

    rows: tuple[ModelRow, ...] = ()
    setup: Setup | None = None
    progress: float | None = None
    opened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Browser:
    """The samples of a data set by their error.

    Attributes
    ----------
    errors : tuple of (int, float)
        Samples and their errors, the worst first; empty for the order of the file.
    setup : Setup or None
        For which they were measured.
    progress : float or None
        0 to 1 while they are measured.
    """

    errors: tuple[SampleError, ...] = ()
    setup: Setup | None = None
    progress: float | None = None


def same_data(a: Setup | None, b: Setup) -> bool:
    """Whether two setups browse the same split of the same data set with the same model."""
    keys = ("data", "split", "model", "effort")
    return a is not None and all(getattr(a, key) == getattr(b, key) for key in keys)


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
    models : ModelTable
        What was measured of all models.
    draft : Draft or None
        What the scene editor has and the simulation has not; None without edits.
    training : Training
        The training panel.
    browser : Browser
        The samples of the data set by their error.
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
    models: ModelTable = field(default_factory=ModelTable)
    draft: Draft | None = None
    training: Training = field(default_factory=Training)
    browser: Browser = field(default_factory=Browser)

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
