"""A session as a file: what is compared, how it is looked at, where the clock stands; data by path."""

from dataclasses import dataclass
from pathlib import Path

from app.viewmodel.documents import read_document, write_document
from app.viewmodel.intents.system import MAX_SEED
from app.viewmodel.own_scene import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.setup import Setup
from app.viewmodel.state import Playback, View
from physics.errors import InputError

KIND, VERSION = "session", 1


@dataclass(frozen=True)
class SavedSession:
    """The fields of a ViewState that a file keeps."""

    setup: Setup
    view: View
    playback: Playback
    plane: tuple[int, int]


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
    setup, playback = saved.setup, saved.playback
    for name, value, least, most in (
        ("setup.dims", setup.dims, 1, MAX_DIMS),
        ("setup.particles", setup.particles, 2, MAX_PARTICLES),
        ("setup.own.positions", setup.own.n_dims if setup.own else None, 1, MAX_DIMS),
        ("setup.own.charges", setup.own.n_particles if setup.own else None, 2, MAX_PARTICLES),
        ("setup.seed", setup.seed, 0, MAX_SEED),
        ("playback.speed", playback.speed, 0.01, 100.0),
        ("playback.position", playback.position, 0, 1e7),
        ("view.trail", saved.view.trail, 0, 10_000),
        ("plane", min(saved.plane), 0, MAX_DIMS),
    ):
        if value is not None and not least <= value <= most:
            raise InputError(f"{path}: content.{name}: {value}; expected {least} to {most}")
    return saved
