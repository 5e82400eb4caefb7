"""What the tests of the application share: small comparisons, and runners that answer when they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.viewmodel.session import Session
from app.viewmodel.state.own_system import system_of_state
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.setup import Setup, rotation_matrix
from app.viewmodel.state.symmetry import NAMES, Symmetry
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.runner import Callbacks, Request
from app.viewmodel.worker.tasks.task import Task
from physics import State, System, simulate
from physics.types import Trajectory
from surrogate.comparison.comparison import Comparison

DIMS = {"bound-4d": 4, "bound-2d": 2, "free-6d": 6}
CARD = {"dims": [3], "particles": [5], "laws": [{"preset": "p", "law": "coulomb", "parameters": {"eps": 0.1}}]}


def comparison(
    n: int = 3, n_frames: int = 12, operations: Any = (), n_particles: int = 5, **changes: Any
) -> Comparison:
    """Some charges and a forecast that drifts away, turned."""
    rng = np.random.default_rng(n)
    system = System(charges=1.0 - 2.0 * (np.arange(n_particles) % 2))
    state = State(rng.standard_normal((n_particles, n)), 0.5 * rng.standard_normal((n_particles, n)))
    truth = simulate(system, state, 0.1 * (n_frames - 1), n_frames=n_frames)
    matrix = rotation_matrix(operations, n)
    truth = truth.transformed(matrix)
    drift = 0.1 * rng.standard_normal(truth.positions.shape[1:]) @ matrix.T
    elapsed = truth.times[:, None, None]
    other = Trajectory(truth.times, truth.positions + drift * elapsed, truth.velocities + drift, system)
    given = {
        "truth": truth,
        "forecast": other,
        "rollout": other,
        "rotation": matrix,
        "equivariance_error": 1e-7,
        "model_name": "fake",
        "scenario_name": "five charges",
        "horizon": 1.0,
        "command": "python -m surrogate.compare fake",
    }
    return Comparison(**(given | changes))


def symmetry(n_frames: int, error: float, double: float | None) -> Symmetry:
    """The same error everywhere."""
    errors = {name: np.full(n_frames, error) for name in NAMES}
    return Symmetry(np.arange(n_frames), errors, {} if double is None else dict.fromkeys(NAMES, double))


def result_for(setup: Setup, **changes: Any) -> ComparisonResult:
    """What `result_of` would make of a setup, from a few frames."""
    n = setup.dims or DIMS.get(setup.scenario, 3)
    made = changes.get("comparison") or comparison(
        n, operations=setup.operations, model_name=setup.model or "fake"
    )
    ones = np.ones(made.truth.n_frames)
    other = comparison(n, operations=setup.operations, model_name=setup.contrast) if setup.contrast else None
    given: dict[str, Any] = {
        "setup": setup,
        "comparison": made,
        "contrast": other,
        "contrast_note": "",
        "growth": ones,
        "truth_residual": 1e-13 * ones if setup.operations else None,
        "advice": "",
        "seconds": 0.1,
        "drawn": not setup.data,
        "seed": None if setup.data else (setup.seed if setup.seed is not None else 3),
        "system": setup.own or system_of_state(comparison(n).truth, "five charges", 1.1, 0.1),
        "n_samples": 7 if setup.data else 0,
        "symmetry": {
            "model": symmetry(len(ones), 1e-7, 1e-15),
            "contrast": symmetry(len(ones), 0.1, 0.1),
            "engine": symmetry(len(ones), 1e-13, None),
        },
        "energies": {"truth": -ones, "forecast": -ones, "rollout": -ones},
    }
    return ComparisonResult(**(given | changes))


@dataclass
class FakeJob:
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class LaterRunner:
    """Keeps what was asked for; the test answers."""

    pending: list[tuple[Request, Callbacks]] = field(default_factory=list)
    jobs: list[FakeJob] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    closed: bool = False

    def submit(self, request: Request, callbacks: Callbacks) -> FakeJob:
        self.asked.append(request)
        self.pending.append((request, callbacks))
        self.jobs.append(FakeJob())
        return self.jobs[-1]

    def close(self) -> None:
        self.closed = True
        self.pending.clear()

    def finish(self, **changes: Any) -> None:
        request, callbacks = self.pending.pop(0)
        assert isinstance(request, Setup)
        callbacks.done(result_for(request, **changes))

    def fail(self, reason: str = "no such thing") -> None:
        self.pending.pop(0)[1].failed(reason)


@dataclass
class PromptRunner:
    """Answers at once, without simulating anything long; falls silent after twenty questions."""

    asked: list[Request] = field(default_factory=list)
    closed: bool = False
    found: Callable[[str], Setup] = lambda path: Setup(scenario=path)

    def submit(self, request: Request, callbacks: Callbacks) -> FakeJob:
        self.asked.append(request)
        if isinstance(request, Setup):
            if len(self.asked) < 20:  # a spinning world asks again with each answer
                callbacks.done(result_for(request))
        elif isinstance(request, ExportRequest):
            callbacks.progress(0.5)
            callbacks.done([f"{request.folder}/{name}" for name in request.formats])
        elif not isinstance(request, Task):  # a task never ends here
            callbacks.done(self.found(request))
        return FakeJob()

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeDialogs:
    path: str = "somewhere.toml"
    folder: str = "out/here"
    saved: str = ""
    scenario: str = ""
    pasted: str = ""
    copied: list[str] = field(default_factory=list)
    quits: int = 0
    toggled: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    resets: int = 0
    palettes: int = 0
    cameras: list[str] = field(default_factory=list)
    times_edited: int = 0
    pane: int = 1
    dialogs: list[str] = field(default_factory=list)

    def reset_camera(self) -> None:
        self.cameras.append("reset")

    def look_along(self, axis: int) -> None:
        self.cameras.append(f"along {axis}")

    def screen_directions(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])

    def pane_under_mouse(self) -> int:
        return self.pane

    def edit_time(self) -> None:
        self.times_edited += 1

    def open_path(self) -> str:
        return self.path

    def save_path(self) -> str:
        return self.saved

    def scenario_path(self) -> str:
        return self.scenario

    def data_path(self) -> str:
        return self.path

    def run_folder(self) -> str:
        return self.folder

    def export_folder(self) -> str:
        return self.folder

    def copy_text(self, text: str) -> None:
        self.copied.append(text)

    def pasted_text(self) -> str:
        return self.pasted

    def toggle_panel(self, name: str) -> None:
        self.toggled.append(name)

    def show_panel(self, name: str) -> None:
        self.shown.append(name)

    def reset_layout(self) -> None:
        self.resets += 1

    def show_palette(self) -> None:
        self.palettes += 1

    def show_preferences(self) -> None:
        self.dialogs.append("preferences")

    def show_jobs(self) -> None:
        self.dialogs.append("jobs")

    def quit(self) -> None:
        self.quits += 1


def prompt_session(folder: Path | None = None, **setup: Any) -> Session:
    """A session that shows something already."""
    session = Session(PromptRunner(), ViewState(setup=Setup(**{"model": "fake", **setup})), folder)
    session.start()
    return session


def later_session(**setup: Any) -> tuple[Session, LaterRunner]:
    """A session whose first comparison is there, and the runner that waits for the test from now on."""
    runner = LaterRunner()
    session = Session(runner, ViewState(setup=Setup(**{"model": "fake", **setup})))
    session.start()
    runner.finish()
    runner.asked.clear()
    return session, runner


def texts(session: Session) -> tuple[str, str]:
    message = session.state.message
    return (message.kind, message.text) if message else ("", "")


def all_but(setup: Setup, names: Sequence[str]) -> Setup:
    """A setup with the named fields at their defaults."""
    default = Setup()
    return replace(setup, **{name: getattr(default, name) for name in names})
