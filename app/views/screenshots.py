"""`python -m app.views.screenshots`: the pictures of the README, taken from the real window in each state."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.viewmodel.actions.file import EXPORT_FORMATS
from app.viewmodel.presenters.edited_system import drawing
from physics.cli import CommandParser, run_command
from physics.errors import InputError

PATIENCE = 90.0

TRAINED = 12
"""Validations that the picture of a training shows."""
GRAPH, MOLECULE = 13, 200
"""Samples that are shown."""
GRAPHS_TRAINED = 5
"""The same of graphs."""


def main(argv: Sequence[str]) -> None:
    """Parse the command line and take the pictures."""
    parser = CommandParser("app.views.screenshots", "Take the README's screenshots (needs a display).")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    options = parser.parse_args(argv)
    os.environ.setdefault("QT_API", "pyside6")
    from app.views.display import refuse_without_display

    refuse_without_display()
    options.out.mkdir(parents=True, exist_ok=True)
    take(options.out)


def take(out: Path) -> None:
    """Take the window through its states and save one picture of each."""
    from PySide6.QtWidgets import QApplication

    from app.views.start import make_window

    application = QApplication.instance() or QApplication(["isotwin"])
    window = make_window()
    session = window.session

    def settle(until: Callable[[], bool], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            application.processEvents()
            time.sleep(0.005)
            if time.monotonic() > deadline:
                message = session.state.message
                raise InputError(
                    f"the window did not settle in {seconds:g} s ({message.text if message else '-'})"
                )

    def picture(name: str, frame: int | None = None) -> None:
        settle(lambda: not session.state.busy)
        if frame is not None:
            session.clock.seek(frame)
        for _ in range(20):
            application.processEvents()
            time.sleep(0.01)
        window.grab().save(str(out / f"{name}.png"))
        sys.stdout.write(f"{out / name}.png\n")

    window.show()
    session.start()
    settle(lambda: session.state.result is not None)
    picture("first-run", 90)
    session.overlays.clear()
    picture("3d-dark", 120)
    session.world.rotate(0, 1, 60.0)
    picture("3d-turned", 120)
    session.view.toggle_theme()
    picture("3d-turned-light", 120)
    session.picture.toggle_colour()
    session.view.toggle_rollout()
    picture("error-colours-rollout-light", 120)
    session.view.toggle_rollout()
    session.picture.toggle_colour()
    session.view.toggle_theme()
    session.system.choose_contrast("")
    session.system.choose_dims(5)
    settle(lambda: not session.state.busy)
    session.world.select_plane(0, 4)
    session.world.rotate(0, 4, 45.0)
    picture("5d-hidden-plane", 120)
    window.resize(1024, 700)
    picture("small-5d", 120)
    session.view.toggle_theme()
    picture("small-5d-light", 120)
    window.resize(1280, 800)
    session.system.choose_dims(6)
    settle(lambda: not session.state.busy)
    session.world.rotate(1, 5, 70.0)
    picture("6d-light", 120)
    session.view.toggle_theme()
    session.system.choose_scenario("bound-2d")
    picture("2d", 100)
    session.system.choose_scenario("bound")
    session.system.choose_contrast("gnn-nbody")
    session.system.choose_seed(2)  # one whose encounters reach the clamp
    session.system.toggle_clamped()
    session.world.rotate(0, 2, 40.0)
    picture("clamped-law", 150)
    session.system.toggle_clamped()
    session.world.reset()
    settle(lambda: not session.state.busy)
    session.files.open("no-such-file.npz")
    settle(lambda: session.state.message is not None)
    picture("error-message", 60)
    session.overlays.clear()
    take_panels(window, picture, settle)
    window.close()


def take_panels(window: Any, picture: Callable[..., None], settle: Callable[..., None]) -> None:
    """The panels and modes that a plain start does not show."""
    session = window.session
    session.system.choose_scenario("bound")
    session.system.choose_contrast("gnn-nbody")
    settle(lambda: not session.state.busy)
    session.picture.set(layout="overlay", colour_by="speed")
    session.selection.pick(2)
    window.docks.bring_up("picture")
    window.docks.bring_up("particles")
    picture("overlay-speed-particles", 140)
    session.picture.set(layout="twin", colour_by="charge")
    session.selection.clear()
    window.docks.bring_up("system")
    session.models.measure()
    window.docks.bring_up("models")
    settle(lambda: session.state.models.progress is None and bool(session.state.models.rows))
    picture("models", 140)
    window.docks.bring_up("scene")
    picture("scene-editor", 0)
    take_fields(window, picture, settle)
    take_samples(window, picture, settle)
    take_work(window, picture, settle)
    window.docks.bring_up("curves")
    session.lessons.start("3-hidden-planes")
    picture("lesson", 60)
    session.lessons.stop()
    window.docks.toggle("lesson")
    window.docks.bring_up("system")
    session.system.choose_dims(4)
    settle(lambda: not session.state.busy)
    window.docks.bring_up("basis")
    window.docks.bring_up("equivariance")
    session.world.random(7)
    picture("4d-view-basis", 120)
    window.show_palette()
    window.palette_card.query.setText("rot")
    picture("palette", 120)
    window.palette_card.hide()


def take_work(window: Any, picture: Callable[..., None], settle: Callable[..., None]) -> None:
    """A training with its curves, then an export in the list of background work; both are stopped."""
    session = window.session
    window.docks.bring_up("train")
    with tempfile.TemporaryDirectory() as folder:
        session.training.set(epochs=400, out=str(Path(folder) / "mine"))
        session.training.start()
        settle(lambda: len(session.state.training.report.rows) >= TRAINED)
        picture("train", 0)
        session.training.stop()
        settle(lambda: not session.state.jobs)
        window.docks.bring_up("curves")
        session.export.start(str(Path(folder) / "orbits"), EXPORT_FORMATS)
        settle(lambda: (session.state.export_progress or 0.0) > 0.3)
        window.show_jobs()
        picture("export", 60)
        window.jobs.list.hide()
        session.export.cancel()
        settle(lambda: not session.state.jobs)


def take_samples(window: Any, picture: Callable[..., None], settle: Callable[..., None]) -> None:
    """A graph in eight dimensions, a molecule, and an autoencoder in training; then as before."""
    session = window.session
    before = session.state.setup
    session.system.choose_scenario("graphs")
    settle(lambda: session.state.sample is not None and not session.state.busy)
    session.system.choose_sample(GRAPH)
    session.world.rotate(2, 7, 40.0)
    picture("graph")
    session.system.choose_scenario("molecules")
    settle(lambda: session.state.setup.task == "molecules" and not session.state.busy)
    session.system.choose_sample(MOLECULE)
    picture("molecule")
    window.docks.bring_up("train")
    plan = session.state.training.plan
    with tempfile.TemporaryDirectory() as folder:
        session.training.set(config="autoencoder-er", out=str(Path(folder) / "graphs"))
        session.training.start()
        settle(lambda: len(session.state.training.report.rows) >= GRAPHS_TRAINED)
        picture("graph-training")
        session.training.stop()
        settle(lambda: not session.state.jobs)
        session.training.set(config=plan.config, out=plan.out)
        session.system.choose_scenario(before.scenario)
        settle(lambda: not session.state.busy)


def take_fields(window: Any, picture: Callable[..., None], settle: Callable[..., None]) -> None:
    """A magnetic field, with a particle held in the view; then as before."""
    session, panel = window.session, window.panels["scene"]
    before = session.state.setup
    session.system.choose_contrast("")
    session.system.choose_scenario("gyration")
    settle(lambda: not session.state.busy)
    panel.turn_to(1)
    session.moving.begin()
    session.moving.grab(1)
    edited = drawing(session.state)
    assert edited is not None
    session.moving.drag(edited.places[1] + [0.3, -0.3, 0.4])
    picture("magnetic-field", 60)
    session.moving.end()
    panel.turn_to(0)
    session.system.choose_scenario(before.scenario)
    session.system.choose_contrast(before.contrast)
    settle(lambda: not session.state.busy)


if __name__ == "__main__":
    sys.exit(run_command(main))
