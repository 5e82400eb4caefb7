"""The Session: every intent of the user, and the new ViewState that follows from it. No Qt.

Widgets call intents; the Session replaces its frozen state and tells its listeners. Long work goes to the
injected Runner; while it runs the old picture stays, and only the newest request is kept waiting.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.viewmodel.runner import Callbacks, Job, Runner
from app.viewmodel.setup import RandomTurn, Reflect, Setup, Turn, active_degrees, planes, with_turn
from app.viewmodel.state import SPEEDS, TRAILS, Message, Playback, ViewState
from app.viewmodel.work import ExportRequest, Prepared

Listener = Callable[[ViewState], None]

MAX_DIMS = 8
MAX_PARTICLES = 50
MAX_SEED = 2**32 - 1
SPIN_DEGREES = 4.0
UNDO_DEPTH = 200
OWN_SYSTEM: Mapping[str, Any] = {
    "dims": None, "particles": None, "seed": None, "clamped": False, "operations": (),
}  # fmt: skip
"""The fields of a Setup that leave a scenario or a data set as it is."""


class Session:
    """State and intents of one window.

    Parameters
    ----------
    runner : Runner
    state : ViewState, optional
        To start from.
    """

    def __init__(self, runner: Runner, state: ViewState | None = None) -> None:
        self._runner = runner
        self._state = state or ViewState()
        self._listeners: list[Listener] = []
        self._in_flight: Setup | None = None
        self._waiting = False
        self._export: Job | None = None
        self._export_number = 0
        self._undo: list[Setup] = []
        self._redo: list[Setup] = []

    @property
    def state(self) -> ViewState:
        """What is shown now."""
        return self._state

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every new state, and once now."""
        self._listeners.append(listener)
        listener(self._state)

    def close(self) -> None:
        """Stop all work; nothing is published afterwards."""
        self._listeners.clear()
        self._runner.close()

    def _publish(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        for listener in list(self._listeners):
            listener(self._state)

    # --- what is compared ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the first comparison."""
        self._request()

    def change(self, **changes: Any) -> None:
        """Change the setup (undoable) and make the comparison anew."""
        setup = replace(self._state.setup, **changes)
        if setup == self._state.setup:
            return
        self._undo = [*self._undo, self._state.setup][-UNDO_DEPTH:]
        self._redo = []
        self._use(setup)

    def _use(self, setup: Setup, message: Message | None = None) -> None:
        self._publish(setup=setup, message=message, can_undo=bool(self._undo), can_redo=bool(self._redo))
        self._request()

    def undo(self) -> None:
        """Go back to the setup before the last change."""
        if self._undo:
            self._redo.append(self._state.setup)
            self._use(self._undo.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        if self._redo:
            self._undo.append(self._state.setup)
            self._use(self._redo.pop())

    def choose_scenario(self, name: str) -> None:
        """Show another scenario, as it is: its own n, N and seed, unrotated."""
        self.change(**OWN_SYSTEM, scenario=name, data="")

    def choose_dims(self, n_dims: int) -> None:
        """The same scenario in another dimension; the rotation is kept where its planes exist."""
        if self._fixed_by_data("dimension"):
            return
        n = min(max(n_dims, 1), MAX_DIMS)
        kept = tuple(
            o
            for o in self._state.setup.operations
            if isinstance(o, RandomTurn)
            or (isinstance(o, Turn) and max(o.i, o.j) < n)
            or (isinstance(o, Reflect) and o.axis < n)
        )
        self.change(dims=n, operations=kept)

    def add_dimension(self) -> None:
        """One dimension more."""
        self.choose_dims(self._state.n_dims + 1)

    def choose_particles(self, n: int) -> None:
        """Another number of particles, for drawn scenarios."""
        self.change(particles=min(max(n, 2), MAX_PARTICLES))

    def choose_seed(self, seed: int) -> None:
        """Another draw of the scenario."""
        if not 0 <= seed <= MAX_SEED:
            self.say(f"a seed is a whole number from 0 to {MAX_SEED}; got {seed}", "error")
            return
        self.change(seed=seed)

    def next_seed(self) -> None:
        """The next draw of the scenario, or the next sample of the data set."""
        prepared = self._state.prepared
        if prepared is None:
            return
        if prepared.n_samples:
            self.choose_sample((self._state.setup.index + 1) % prepared.n_samples)
        elif prepared.drawn:
            self.choose_seed(((prepared.seed or 0) + 1) % (MAX_SEED + 1))

    def choose_sample(self, index: int) -> None:
        """Another sample of the data set."""
        count = self._state.prepared.n_samples if self._state.prepared else 1
        self.change(index=min(max(index, 0), max(count - 1, 0)))

    def choose_model(self, name: str) -> None:
        """Forecast with another model."""
        self.change(model=name)

    def choose_contrast(self, name: str) -> None:
        """Show a second model beside it; none for an empty name."""
        self.change(contrast=name)

    def toggle_clamped(self) -> None:
        """Use the published clamped law, which is not isotropic, or the scenario's own again."""
        if not self._fixed_by_data("law"):
            self.change(clamped=not self._state.setup.clamped)

    def _fixed_by_data(self, what: str) -> bool:
        if self._state.setup.data:
            self.say(f"a data set has its own {what}; choose a scenario to change it")
        return bool(self._state.setup.data)

    def open(self, path: str) -> None:
        """Open a checkpoint, a data set or a scenario."""

        def described(found: Setup) -> None:
            if found.data:
                self.change(**OWN_SYSTEM, scenario="", data=found.data, split=found.split, index=0)
            elif found.scenario:
                self.choose_scenario(found.scenario)
            else:
                self.change(model=found.model)
            self._publish(message=Message(f"opened {Path(path).name}"))

        self._runner.submit(path, Callbacks(described, self._failed))

    def _request(self) -> None:
        if self._in_flight is not None:
            self._waiting = True
            self._publish(busy=True)
            return
        self._in_flight = self._state.setup
        self._publish(busy=True)
        self._runner.submit(self._state.setup, Callbacks(self._prepared, self._not_prepared, first=self._forecast))

    def _forecast(self, prepared: Prepared) -> None:
        """Draw the forecasts at once; the read-outs follow. A roll-out that is shown would be missing: wait."""
        if not self._state.view.show_rollout:
            self._take(prepared, busy=True)

    def _prepared(self, prepared: Prepared) -> None:
        self._in_flight = None
        more = self._waiting
        self._waiting = False
        self._take(prepared, busy=more)
        if more:
            self._request()
        elif self._state.spinning:
            self._spin_on()

    def _take(self, prepared: Prepared, busy: bool) -> None:
        old = self._state.prepared
        position = self._state.playback.position
        if old is None or _different_film(old.setup, prepared.setup):
            position = 0.0
        last = prepared.comparison.truth.n_frames - 1
        n = prepared.comparison.truth.n_dims
        plane = self._state.plane if max(self._state.plane) < n else (planes(n) or [(0, 0)])[0]
        axes = self._state.view.axes
        view = self._state.view
        if axes is not None and (n <= 3 or max(axes) >= n):
            view = replace(view, axes=None)
        self._publish(
            prepared=prepared,
            playback=replace(self._state.playback, position=min(position, float(last))),
            plane=plane,
            view=view,
            busy=busy,
        )
        if prepared.clamp_note and (old is None or old.clamp_note != prepared.clamp_note):
            self.say(prepared.clamp_note)

    def _not_prepared(self, reason: str) -> None:
        self._in_flight = None
        if self._waiting:
            self._waiting = False
            self._request()
            return
        shown = self._state.prepared
        if shown is not None:  # keep the controls in step with the picture that stays
            self._publish(setup=shown.setup)
            self._undo, self._redo = _before(self._undo, shown.setup), _before(self._redo, shown.setup)
        self._publish(busy=False, spinning=False, can_undo=bool(self._undo), can_redo=bool(self._redo))
        self._failed(reason)

    def _failed(self, reason: str) -> None:
        self._publish(message=Message(reason, "error"))

    # --- the world rotation -------------------------------------------------------------------------------

    def select_plane(self, i: int, j: int) -> None:
        """The plane that the angle box, the dial and spinning act on."""
        self._publish(plane=(i, j))

    def rotate(self, i: int, j: int, degrees: float) -> None:
        """Turn the world in plane i-j by some degrees more; nothing in one dimension, which has no plane."""
        if i == j:
            return
        self._publish(plane=(i, j))
        self.change(operations=with_turn(self._state.setup.operations, Turn(i, j, degrees)))

    def set_angle(self, degrees: float) -> None:
        """Make the turn in the selected plane exactly so large."""
        i, j = self._state.plane
        if i == j:
            return
        now = active_degrees(self._state.setup.operations, i, j)
        self.change(operations=with_turn(self._state.setup.operations, Turn(i, j, degrees - now)))

    def random_rotation(self, seed: int) -> None:
        """A Haar-random rotation instead of all that was applied."""
        self.change(operations=(RandomTurn(seed),))

    def reflect(self) -> None:
        """Change the sign of the first axis of the selected plane; twice is none."""
        operations = self._state.setup.operations
        mirror = Reflect(self._state.plane[0])
        self.change(operations=operations[:-1] if operations[-1:] == (mirror,) else (*operations, mirror))

    def reset_rotation(self) -> None:
        """No rotation."""
        self._publish(spinning=False)
        self.change(operations=())

    def toggle_spin(self) -> None:
        """Let the world turn in the selected plane, one step after each finished forecast; one undo step."""
        spinning = not self._state.spinning and bool(self._state.planes)
        self._publish(spinning=spinning)
        if spinning and not self._state.busy:
            self.rotate(*self._state.plane, SPIN_DEGREES)

    def _spin_on(self) -> None:
        turn = Turn(*self._state.plane, SPIN_DEGREES)
        if turn.i == turn.j:
            self._publish(spinning=False)
            return
        operations = with_turn(self._state.setup.operations, turn)
        self._use(replace(self._state.setup, operations=operations), self._state.message)

    # --- the clock ----------------------------------------------------------------------------------------

    def tick(self, seconds: float) -> None:
        """Let the clock run on by some wall time."""
        playback, prepared = self._state.playback, self._state.prepared
        if not playback.playing or prepared is None:
            return
        times = prepared.comparison.truth.times
        per_frame = float(times[1] - times[0]) if len(times) > 1 else 1.0
        position = playback.position + seconds * playback.speed / per_frame
        if position >= len(times):
            position = 0.0
        self._publish(playback=replace(playback, position=position))

    def toggle_play(self) -> None:
        """Play or pause."""
        playback = self._state.playback
        self._publish(playback=replace(playback, playing=not playback.playing))

    def step(self, frames: int) -> None:
        """Pause and go some frames on or back."""
        self.seek(self._state.frame + frames)

    def seek(self, frame: int) -> None:
        """Pause at a frame."""
        last = max(self._state.n_frames - 1, 0)
        self._publish(
            playback=replace(self._state.playback, playing=False, position=float(min(max(frame, 0), last)))
        )

    def rewind(self) -> None:
        """Back to the first frame, playing on if it was."""
        self._publish(playback=replace(self._state.playback, position=0.0))

    def set_speed(self, speed: float) -> None:
        """Time units per second."""
        self._publish(playback=Playback(self._state.playback.position, self._state.playback.playing, speed))

    def change_speed(self, steps: int) -> None:
        """A step up or down the ladder of speeds."""
        self.set_speed(_neighbour(SPEEDS, self._state.playback.speed, steps))

    # --- the view -----------------------------------------------------------------------------------------

    def set_view(self, **changes: Any) -> None:
        """Change how it is looked at."""
        self._publish(view=replace(self._state.view, **changes))

    def toggle_colour(self) -> None:
        """Colour by charge or by error."""
        colour: Literal["charge", "error"] = "error" if self._state.view.colour_by == "charge" else "charge"
        self.set_view(colour_by=colour)

    def toggle_theme(self) -> None:
        """Dark or light."""
        self.set_view(theme="light" if self._state.view.theme == "dark" else "dark")

    def toggle_rollout(self) -> None:
        """Show the chained roll-out in a pane of its own, or not."""
        self.set_view(show_rollout=not self._state.view.show_rollout)

    def change_trail(self, steps: int) -> None:
        """Longer or shorter trails."""
        self.set_view(trail=int(_neighbour(TRAILS, self._state.view.trail, steps)))

    def toggle_help(self) -> None:
        """Show or hide the explanation."""
        self.set_view(show_help=not self._state.view.show_help)

    def dismiss(self) -> None:
        """Take the message away."""
        self._publish(message=None)

    def say(self, text: str, kind: Literal["info", "error"] = "info") -> None:
        """Show a message."""
        self._publish(message=Message(text, kind))

    # --- export -------------------------------------------------------------------------------------------

    def export(self, folder: str, formats: tuple[str, ...]) -> None:
        """Write the comparison that is shown to a folder."""
        if self._export is not None or self._state.prepared is None:
            return
        request = ExportRequest(self._state.prepared.setup, folder, formats)
        self._publish(export_progress=0.0, message=None)
        self._export_number += 1
        number = self._export_number

        def unless_outdated(then: Callable[[Any], None]) -> Callable[[Any], None]:
            # a cancelled export reports its end late, when the next one may run already
            return lambda value: then(value) if number == self._export_number else None

        callbacks = Callbacks(
            unless_outdated(self._exported),
            unless_outdated(self._export_failed),
            unless_outdated(self._export_progress),
        )
        job = self._runner.submit(request, callbacks)
        if self._state.export_progress is not None:
            self._export = job

    def cancel_export(self) -> None:
        """Stop the export; nothing is left under a final name."""
        if self._export is not None:
            job, self._export = self._export, None
            self._export_number += 1
            self._publish(export_progress=None, message=Message("export cancelled"))
            job.cancel()

    def _export_progress(self, fraction: float) -> None:
        self._publish(export_progress=min(max(fraction, 0.0), 1.0))

    def _exported(self, paths: list[str]) -> None:
        self._export = None
        folder = Path(paths[0]).parent if paths else ""
        self._publish(export_progress=None, message=Message(f"exported {len(paths)} files to {folder}"))

    def _export_failed(self, reason: str) -> None:
        self._export = None
        self._publish(export_progress=None)
        self._failed(reason)


def _before(stack: list[Setup], setup: Setup) -> list[Setup]:
    """What lies below a setup on an undo or redo stack; all of it where the setup is not there."""
    return stack[: len(stack) - 1 - stack[::-1].index(setup)] if setup in stack else stack


def _different_film(a: Setup, b: Setup) -> bool:
    """Whether the clock starts anew: another system, not another rotation or model."""
    keys = ("scenario", "data", "split", "index", "dims", "particles", "seed", "clamped")
    return any(getattr(a, key) != getattr(b, key) for key in keys)


def _neighbour(ladder: tuple[float, ...], value: float, steps: int) -> float:
    nearest = min(range(len(ladder)), key=lambda k: abs(ladder[k] - value))
    return ladder[min(max(nearest + steps, 0), len(ladder) - 1)]
