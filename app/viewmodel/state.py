"""ViewState: everything the window shows, frozen; views draw it and never change it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.draft import Draft
from app.viewmodel.glimpse import Glimpse
from app.viewmodel.preferences import Preferences
from app.viewmodel.setup import Setup, active_degrees, planes
from app.viewmodel.tasks.model_table import ModelRow
from app.viewmodel.tasks.sample_errors import SampleError
from app.viewmodel.training import Training
from app.viewmodel.work import Prepared
from surrogate.render.depth import most_hidden_axis
from surrogate.render.projection import axis_view_basis, default_view_basis

FloatArray = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]

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
    basis : tuple of tuples of float, or None
        View basis V as a tour or a drag left it, (n, 3), instead of axes.
    hidden_axis : int or None
        The axis that colours, depth, the radial tour and Alt+drag call hidden; None for the most hidden one.
    show_rollout : bool
    show_help : bool
        The first-run overlay.
    """

    colour_by: Literal["charge", "error"] = "charge"
    trail: int = 60
    theme: Literal["dark", "light"] = "dark"
    axes: tuple[int, int, int] | None = None
    basis: Rows | None = None
    hidden_axis: int | None = None
    show_rollout: bool = False
    show_help: bool = True


@dataclass(frozen=True)
class Touring:
    """The tours that are under way.

    Attributes
    ----------
    world, view : str
        Names of TOURS, of the world rotation and of the view basis; empty for none. At most one is set.
    speed : float [degree/second]
    backwards : bool
    seed : int
        Of the grand tour.
    """

    world: str = ""
    view: str = ""
    speed: float = 30.0
    backwards: bool = False
    seed: int = 0

    @property
    def signed_speed(self) -> float:
        """Below 0 when it goes backwards [degree/second]."""
        return -self.speed if self.backwards else self.speed


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
    glimpse : Glimpse or None
        The frames on the screen of a comparison that is being made.
    busy : bool
        A comparison is being made.
    plane : (int, int)
        The selected rotation plane.
    touring : Touring
        What turns by itself.
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
    glimpse: Glimpse | None = None
    busy: bool = False
    plane: tuple[int, int] = (0, 1)
    touring: Touring = field(default_factory=Touring)
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
    def seen(self) -> Prepared | Glimpse | None:
        """What is to be drawn: a glimpse as long as it has the frame, else the last comparison."""
        return self.glimpse if self.glimpse is not None and self.glimpse.holds(self.frame) else self.prepared

    @property
    def n_dims(self) -> int:
        """Dimensions of what is shown."""
        return self.prepared.comparison.truth.n_dims if self.prepared else 3

    @property
    def planes(self) -> list[tuple[int, int]]:
        """All rotation planes of what is shown."""
        return planes(self.n_dims)

    @property
    def spinning(self) -> bool:
        """The world turns in the selected plane by itself."""
        return self.touring.world == "sweep"

    @property
    def basis(self) -> FloatArray:
        """The view basis V that is drawn with, (n, 3) float64."""
        chosen = chosen_basis(self.view, self.n_dims)
        return default_view_basis(self.n_dims) if chosen is None else chosen

    @property
    def hidden_axis(self) -> int:
        """The axis that is called hidden: the chosen one, or the one most hidden by V."""
        chosen = self.view.hidden_axis
        return chosen if chosen is not None and chosen < self.n_dims else most_hidden_axis(self.basis)

    @property
    def plane_degrees(self) -> float:
        """The angle in the selected plane, as far as it is the last operation."""
        return active_degrees(self.setup.operations, *self.plane)


def chosen_basis(view: View, n_dims: int) -> FloatArray | None:
    """The view basis that was chosen for so many dimensions, (n, 3) float64; None for the default one."""
    if view.basis is not None and len(view.basis) == n_dims:
        return np.array(view.basis, dtype=np.float64)
    if view.axes is None or n_dims <= 3:
        return None
    return axis_view_basis(n_dims, view.axes)


def neighbour(ladder: tuple[float, ...], value: float, steps: int) -> float:
    """The value some steps up or down a ladder from the one nearest to `value`; its ends at most."""
    nearest = min(range(len(ladder)), key=lambda k: abs(ladder[k] - value))
    return ladder[min(max(nearest + steps, 0), len(ladder) - 1)]
