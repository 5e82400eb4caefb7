"""ViewState: everything the window shows, frozen; views draw it and never change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.draft import Draft
from app.viewmodel.state.moving import Moving
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.setup import Setup, active_degrees, planes
from app.viewmodel.state.training import Training
from app.viewmodel.worker.preview import Glimpse
from app.viewmodel.worker.tasks.model_table import ModelRow
from app.viewmodel.worker.tasks.sample_errors import SampleError
from app.viewmodel.worker.work import Prepared
from surrogate.render.camera import Camera
from surrogate.render.depth import most_hidden_axis
from surrogate.render.projection import axis_view_basis, default_view_basis

FloatArray = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]

if TYPE_CHECKING:
    from app.viewmodel.state.lessons import Lesson
    from app.viewmodel.state.sketch import Sketch

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
Ending = Literal["once", "loop", "rock"]
ENDINGS: tuple[Ending, ...] = ("once", "loop", "rock")
TRAILS = (0, 15, 30, 60, 120, 240)


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
    rock : bool
        A loop that turns round at either end instead of jumping back to the start.
    backwards : bool
        On the way back of a rock.
    every_frame : bool
        Skip no frame, however slow the drawing; else keep to the time, however many frames are skipped.
    mark_in, mark_out : int or None
        The frames between which it plays; None for the first and the last.
    """

    position: float = 0.0
    playing: bool = True
    speed: float = 1.0
    loop: bool = True
    rock: bool = False
    backwards: bool = False
    every_frame: bool = False
    mark_in: int | None = None
    mark_out: int | None = None

    @property
    def ending(self) -> Ending:
        """What happens at the end."""
        return ("rock" if self.rock else "loop") if self.loop else "once"

    def bounds(self, n_frames: int) -> tuple[int, int]:
        """First and last frame that are played."""
        last = max(n_frames - 1, 0)
        first = min(self.mark_in or 0, last)
        return first, max(first, last if self.mark_out is None else min(self.mark_out, last))


@dataclass(frozen=True)
class View:
    """How it is looked at; changes no number.

    Attributes
    ----------
    layout : "twin" or "overlay"
        Truth and forecast side by side, or one over the other.
    maximised : int or None
        The one pane that is shown, counted from the left; None shows all.
    colour_by : str
        A name of `surrogate.render.COLOURINGS`.
    colour_range : (float, float) or None
        Ends of the scale; None for the comparison's own.
    hidden_axis : int or None
        Which coordinate "coordinate" and the depth cue speak of; None for the one most hidden.
    trail : int
        Frames a trail reaches back.
    trail_fade : bool
        Trails fade with age.
    trail_of : "all" or "selected"
    ghosts : bool
        The truth and the error links in the forecast's pane.
    hud : bool
        Time, sizes, seed, errors over the panes.
    fields : bool
        Arrows of the electric and the magnetic field.
    fade_hidden : float
        0 to 1: how much what is off the drawn space fades.
    depth_by : "radius" or "axis"
        What is off the drawn space: the hidden radius, or the coordinate along `hidden_axis`.
    slice_thickness : float or None
        Show a slice of the hidden space [length].
    log_curves : bool
        Logarithmic axes of the curves.
    theme : "dark" or "light"
    axes : tuple of int, or None
        The three coordinate axes drawn; None shows all of them at once (the default oblique view).
    basis : tuple of tuples of float, or None
        View basis V as a tour or a drag left it, (n, 3), instead of axes.
    hidden_axis : int or None
        The axis that colours, depth, the radial tour and Alt+drag call hidden; None for the most hidden one.
    show_rollout : bool
    show_help : bool
        All keys, with an explanation.
    """

    layout: Literal["twin", "overlay"] = "twin"
    maximised: int | None = None
    colour_by: str = "charge"
    colour_range: tuple[float, float] | None = None
    hidden_axis: int | None = None
    trail: int = 60
    trail_fade: bool = True
    trail_of: Literal["all", "selected"] = "all"
    ghosts: bool = True
    hud: bool = True
    fields: bool = True
    fade_hidden: float = 0.0
    depth_by: Literal["radius", "axis"] = "radius"
    slice_thickness: float | None = None
    log_curves: bool = True
    theme: Literal["dark", "light"] = "dark"
    axes: tuple[int, int, int] | None = None
    basis: Rows | None = None
    show_rollout: bool = False
    show_help: bool = False


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
class Selection:
    """Particles that the user points at.

    Attributes
    ----------
    particles : tuple of int
        In the order they were chosen.
    follow : int or None
        The particle the camera stays on.
    """

    particles: tuple[int, ...] = ()
    follow: int | None = None


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
    camera : Camera or None
        Where the user moved it; None for the view that a picture starts with.
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
    selection : Selection
    offer : Offer or None
        A session to restore after a crash.
    jobs : tuple of RunningJob
        What works in the background, the oldest first.
    welcome : bool
        The card of the first run is shown.
    lesson : RunningLesson or None
    sketch : Sketch or None
        What the user draws of the future.
    models : ModelTable
        What was measured of all models.
    draft : Draft or None
        What the scene editor has and the simulation has not; None without edits.
    moving : Moving or None
        Particles are moved in the view.
    training : Training
        The training panel.
    browser : Browser
        The samples of the data set by their error.
    """

    setup: Setup = field(default_factory=Setup)
    prepared: Prepared | None = None
    playback: Playback = field(default_factory=Playback)
    view: View = field(default_factory=View)
    camera: Camera | None = None
    glimpse: Glimpse | None = None
    busy: bool = False
    plane: tuple[int, int] = (0, 1)
    touring: Touring = field(default_factory=Touring)
    message: Message | None = None
    export_progress: float | None = None
    can_undo: bool = False
    can_redo: bool = False
    preferences: Preferences = field(default_factory=Preferences)
    selection: Selection = field(default_factory=Selection)
    offer: Offer | None = None
    jobs: tuple[RunningJob, ...] = ()
    welcome: bool = False
    lesson: RunningLesson | None = None
    sketch: "Sketch | None" = None
    models: ModelTable = field(default_factory=ModelTable)
    draft: Draft | None = None
    moving: Moving | None = None
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
        """What is drawn: a glimpse if it has the frame and no roll-out is wanted, else the last comparison."""
        glimpse = self.glimpse
        if glimpse is None or self.view.show_rollout or not glimpse.holds(self.frame):
            return self.prepared
        return glimpse

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
    if view.axes is None or n_dims <= 3 or max(view.axes) >= n_dims:
        return None
    return axis_view_basis(n_dims, view.axes)


def same_but_for_the_clock(a: ViewState, b: ViewState) -> bool:
    """Whether two states differ in the clock's position alone, as from tick to tick."""
    others = (f.name for f in fields(ViewState) if f.name != "playback")
    return all(getattr(a, name) is getattr(b, name) for name in others) and a.playback == replace(
        b.playback, position=a.playback.position
    )


def neighbour(ladder: tuple[float, ...], value: float, steps: int) -> float:
    """The value some steps up or down a ladder from the one nearest to `value`; its ends at most."""
    nearest = min(range(len(ladder)), key=lambda k: abs(ladder[k] - value))
    return ladder[min(max(nearest + steps, 0), len(ladder) - 1)]
