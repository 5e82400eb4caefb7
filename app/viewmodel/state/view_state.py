"""ViewState: everything the window shows, frozen; views draw it and never change it."""

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from app.viewmodel.state.draft import Draft, Moving
from app.viewmodel.state.formula import FormulaSearch
from app.viewmodel.state.lessons import RunningLesson
from app.viewmodel.state.models import ModelTable
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.samples import Browser
from app.viewmodel.state.setup import Setup, active_degrees, planes
from app.viewmodel.state.tours import Touring
from app.viewmodel.state.training import Training
from app.viewmodel.state.view import View, chosen_basis
from physics.types import FloatArray
from surrogate.render.camera import Camera
from surrogate.render.depth import most_hidden_axis
from surrogate.render.projection import default_view_basis

if TYPE_CHECKING:
    from app.viewmodel.state.sketch import Sketch


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
        0 to 1; None where that is not known.
    """

    number: int
    title: str
    progress: float | None = None


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
    result : ComparisonResult or None
        What is shown; made for `result.setup`, which lags behind while work is under way.
    sample : SampleResult or None
        What is shown instead of a comparison: a graph, a molecule.
    camera : Camera or None
        Where the user moved it; None for the view that a picture starts with.
    preview : Preview or None
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
    formula : FormulaSearch
        The formula panel.
    """

    setup: Setup = field(default_factory=Setup)
    result: ComparisonResult | None = None
    sample: SampleResult | None = None
    playback: Playback = field(default_factory=Playback)
    view: View = field(default_factory=View)
    camera: Camera | None = None
    preview: Preview | None = None
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
    formula: FormulaSearch = field(default_factory=FormulaSearch)

    @property
    def shown(self) -> ComparisonResult | SampleResult | None:
        """The comparison or the sample that is shown."""
        return self.result or self.sample

    @property
    def n_frames(self) -> int:
        """Frames of what is shown; 0 before the first comparison."""
        return self.result.comparison.truth.n_frames if self.result else 0

    @property
    def frame(self) -> int:
        """The frame that is shown."""
        return min(max(int(self.playback.position), 0), max(self.n_frames - 1, 0))

    @property
    def time(self) -> float:
        """The time that is shown."""
        return float(self.result.comparison.truth.times[self.frame]) if self.result else 0.0

    @property
    def seen(self) -> ComparisonResult | Preview | None:
        """What is drawn: a preview if it has the frame and no roll-out is wanted, else the last comparison."""
        preview = self.preview
        if preview is None or self.view.show_rollout or not preview.holds(self.frame):
            return self.result
        return preview

    @property
    def n_dims(self) -> int:
        """Dimensions of what is shown."""
        return self.shown.n_dims if self.shown else 3

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


def same_but_for_the_clock(a: ViewState, b: ViewState) -> bool:
    """Whether two states differ in the clock's position alone, as from tick to tick."""
    others = (f.name for f in fields(ViewState) if f.name != "playback")
    return all(getattr(a, name) is getattr(b, name) for name in others) and a.playback == replace(
        b.playback, position=a.playback.position
    )
