"""A session as a file: what is compared, how it is looked at, where the clock stands; data by path."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.viewmodel.files.documents import read_document, write_document
from app.viewmodel.state.matrices import TOLERANCE, off_orthogonal
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import MAX_SEED, Given, Operation, Setup, TourTurn
from app.viewmodel.state.tours import TOURS
from app.viewmodel.state.view import MAX_PANES, View
from app.viewmodel.state.view_state import ViewState
from physics.errors import InputError
from surrogate.render import COLOURINGS, Camera
from surrogate.render.projection import view_basis

KIND, VERSION = "session", 1


@dataclass(frozen=True)
class SavedSession:
    """The fields of a ViewState that a file keeps; files of before there was a camera have none."""

    setup: Setup
    view: View
    playback: Playback
    plane: tuple[int, int]
    camera: Camera | None = None


def saved_of(state: ViewState) -> SavedSession:
    """What a file keeps of a state."""
    view = replace(state.view, show_help=False)
    return SavedSession(state.setup, view, state.playback, state.plane, state.camera)


def _check_operation(operation: Operation, where: str) -> None:
    """Refuse what no matrix can be made of."""
    if isinstance(operation, Given):
        rows = np.array([row for row in operation.rows if len(row) == len(operation.rows)])
        if len(rows) != len(operation.rows) or not len(rows) or not off_orthogonal(rows) < TOLERANCE:
            raise InputError(f"{where}: expected the rows of an orthogonal matrix")
    elif isinstance(operation, TourTurn):
        course = operation.course
        n, axes = course.n_dims, (*course.plane, course.hidden)
        known = course.tour in TOURS and course.seed >= 0 and course.plane[0] != course.plane[1]
        inside = 2 <= n <= MAX_DIMS and 0 <= operation.degrees < 1e7
        if not (known and inside and all(0 <= axis < n for axis in axes)):
            raise InputError(f"{where}: expected a tour of {', '.join(TOURS)} in 2 to {MAX_DIMS} dimensions")


def save_session(path: Path, saved: SavedSession) -> None:
    """Write it whole or not at all; OSError where that cannot be."""
    write_document(path, KIND, VERSION, saved)


def load_session(path: Path) -> SavedSession:
    """Read and check it.

    Raises
    ------
    InputError
        One line: the path, the place in it, what was expected.
    """
    saved = read_document(path, KIND, VERSION, SavedSession)
    check_session(saved, str(path))
    return saved


def check_session(saved: SavedSession, where: str) -> None:
    """InputError, one line, for a number out of its range."""
    setup, playback, view = saved.setup, saved.playback, saved.view
    if view.colour_by not in COLOURINGS:
        raise InputError(f"{where}: content.view.colour_by: {view.colour_by!r}; expected {', '.join(COLOURINGS)}")
    if view.colour_range is not None and not view.colour_range[0] < view.colour_range[1]:
        raise InputError(f"{where}: content.view.colour_range: {view.colour_range}; expected low before high")
    for name, value, least, most in (
        ("setup.dims", setup.dims, 1, MAX_DIMS),
        ("setup.particles", setup.particles, 2, MAX_PARTICLES),
        ("setup.own.positions", setup.own.n_dims if setup.own else None, 1, MAX_DIMS),
        ("setup.own.charges", setup.own.n_particles if setup.own else None, 2, MAX_PARTICLES),
        ("setup.seed", setup.seed, 0, MAX_SEED),
        ("playback.speed", playback.speed, 0.01, 100.0),
        ("playback.position", playback.position, 0, 1e7),
        ("view.trail", view.trail, 0, 10_000),
        ("plane", min(saved.plane), 0, MAX_DIMS),
        ("playback.mark_in", playback.mark_in, 0, 10_000_000),
        ("playback.mark_out", playback.mark_out, 0, 10_000_000),
        ("view.maximised", view.maximised, 0, MAX_PANES - 1),
        ("view.hidden_axis", view.hidden_axis, 0, MAX_DIMS - 1),
        ("view.fade_hidden", view.fade_hidden, 0, 1),
        ("view.slice_thickness", view.slice_thickness, 1e-30, 1e30),
    ):
        if value is not None and not least <= value <= most:
            raise InputError(f"{where}: content.{name}: {value}; expected {least} to {most}")
    if saved.view.basis is not None:
        try:
            view_basis(saved.view.basis, len(saved.view.basis))
        except (InputError, ValueError) as error:
            raise InputError(f"{where}: content.view.basis: {error}") from None
    if saved.camera is not None and saved.camera.trouble:
        raise InputError(f"{where}: content.camera: {saved.camera.trouble}")
    for k, operation in enumerate(setup.operations):
        _check_operation(operation, f"{where}: content.setup.operations[{k}]")
