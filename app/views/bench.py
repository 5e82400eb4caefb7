"""The measurements behind `python -m app.bench`, taken in the real window: paints, not promises."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.runner import Callbacks, Request
from app.views.start import first_setup, loaded, make_window, run
from physics.errors import InputError
from surrogate.bench.rendering import many_particles
from surrogate.comparison.comparison import Comparison

PATIENCE, FORECAST = 60.0, 300.0
INTERVAL = 0.004
"""Between two looks at the clock [second]."""

REST = 0.4
"""Between two rotations [second]."""


class BlockMeter(QObject):
    """Measures how long the event loop does not run: so long a click would have to wait.

    Attributes
    ----------
    longest : float
        Longest time between two runs since `reset`, less the interval [second].
    busiest : float
        Most processor time of the thread between two runs [second]; what other programs take does not count.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._run)
        self.reset()
        self._timer.start(round(1000 * INTERVAL))

    def reset(self) -> None:
        """Forget what was."""
        self.longest = self.busiest = 0.0
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def _run(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.longest = max(self.longest, now - self._last - INTERVAL)
        self.busiest = max(self.busiest, worked - self._worked)
        self._last, self._worked = now, worked


class Paints(QObject):
    """Calls a function after a widget was painted."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """See the painting."""
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._then)
        return False


def wait_until(reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Run the event loop until then."""
    loop = QEventLoop()
    timer = QTimer()
    deadline = time.monotonic() + seconds

    def look() -> None:
        if reached() or time.monotonic() > deadline:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(5)
    loop.exec()
    if not reached():
        raise InputError(f"the window did not get there in {seconds:g} s")


def rest(seconds: float) -> None:
    """Run the event loop for some time."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end)


def measured_start(began: float) -> dict[str, float]:
    """Open the application as `python -m app` does: seconds from `began` (time.monotonic) to what is seen.

    Returns
    -------
    dict
        `shown`: the window is painted. `picture`: the first comparison is in its panes. `playing`: a later frame
        of it was drawn. `block`: the longest time between the painted window and that during which it did not
        listen.
    """
    seen: dict[str, float] = {}

    def opened(window: Any) -> None:
        blocks = BlockMeter()
        drawn: list[int] = []

        def painted() -> None:
            if "shown" not in seen:
                seen["shown"] = time.monotonic() - began
                blocks.reset()

        paints = Paints(painted)
        window.installEventFilter(paints)

        def look() -> None:
            if window.viewport.on_screen is None or "shown" not in seen:
                return
            if "picture" not in seen:
                seen["picture"] = time.monotonic() - began
                drawn[:] = [window.session.state.frame, window.viewport.renders]
            elif window.session.state.frame > drawn[0] and window.viewport.renders > drawn[1]:
                seen["playing"] = time.monotonic() - began
                seen["block"] = blocks.longest
                timer.stop()
                window.close()

        timer = QTimer(window)
        timer.timeout.connect(look)
        timer.start(3)
        window.bench = (blocks, paints, timer)  # kept as long as the window

    run((), opened)
    return seen


def measured_rotations(
    n_dims: int, plane: tuple[int, int], playing: bool, count: int, degrees: float = 10.0
) -> list[dict[str, float]]:
    """Turn the world some times: seconds until the new forecast is on the screen, and the longest block."""
    application = QApplication.instance() or QApplication(["isotwin"])
    setup = first_setup() if n_dims == 3 else Setup(scenario="bound", dims=n_dims, model=first_setup().model)
    window = make_window(None, setup)
    window.show()
    session = window.session
    session.start()
    results = []
    try:
        wait_until(lambda: window.viewport.on_screen is not None and not session.state.busy)
        session.overlays.clear()
        loaded()  # as `run` does
        if session.state.playback.playing != playing:
            session.clock.toggle_play()
        rest(1.0)
        blocks = BlockMeter()
        for k in range(count + 1):
            blocks.reset()
            seconds = _rotation(window, plane, degrees)
            wait_until(lambda: not session.state.busy)
            rest(REST)
            if k:  # the first one warms up
                results.append({"seconds": seconds, "block": blocks.longest})
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()
    return results


class _Ready:
    """A runner that has one comparison, for measurements of the window alone."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def submit(self, request: Request, callbacks: Callbacks) -> "_Ready":
        """Answer at once."""
        assert isinstance(request, Setup)
        frames = self._comparison.truth.n_frames
        callbacks.done(
            ComparisonResult(
                request, self._comparison, None, "", np.ones(frames), None, "", 0.0, drawn=False, seed=None
            )
        )
        return self

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""


def measured_playback(n_particles: int = 200, trail: int = 200, count: int = 60) -> list[dict[str, float]]:
    """Ticks of a playing window with all default panels: seconds of the tick, and of the painting after it.

    Returns
    -------
    list of dict
        `tick`: from the clock's tick to the painter's end, all listeners called. `render`: VTK's picture of the
        panes and what Qt paints around it.
    """
    application = QApplication.instance() or QApplication(["isotwin"])
    window = make_window(_Ready(many_particles(n_particles)), Setup(model="circles"))
    window.show()
    session = window.session
    results = []
    try:
        session.start()
        session.view.set(show_help=False, trail=trail, colour_by="speed")
        wait_until(lambda: window.viewport.on_screen is not None)
        rest(1.0)
        window.timer.stop()  # the clock is ticked here, so that each part is seen alone
        session.clock.seek(session.state.n_frames // 2)
        session.clock.toggle_play()
        step = 0.02  # a frame
        for k in range(count + 5):
            begin = time.perf_counter()
            session.clock.tick(step)
            ticked = time.perf_counter()
            window.viewport.plotter.repaint()
            application.processEvents()
            end = time.perf_counter()
            if k >= 5:
                results.append({"tick": ticked - begin, "render": end - ticked})
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()
    return results


def measured_own_data(path: Path, forecast: bool) -> dict[str, float]:
    """Open a file of stored data in a running window, as by Ctrl+O: seconds until it is seen and plays.

    Returns
    -------
    dict
        `picture`: its first frame is in the panes. `playing`: a later one was drawn. `block`, `busy`: the longest
        time until then during which the window did not listen, and in which its thread worked without a break.
        `forecast`, if it is waited for: the first forecast is there.
    """
    application = QApplication.instance() or QApplication(["isotwin"])
    window = make_window(None, first_setup())
    window.show()
    session = window.session
    session.start()
    seen: dict[str, float] = {}
    try:
        wait_until(lambda: window.viewport.on_screen is not None and not session.state.busy)
        session.overlays.clear()
        loaded()  # as `run` does
        rest(1.0)
        blocks = BlockMeter()
        begin, drawn = time.perf_counter(), 0
        session.files.open(str(path))

        def playing() -> bool:
            nonlocal drawn
            shown = window.viewport.on_screen
            if shown is None or shown.setup.data != str(path):
                return False
            if "picture" not in seen:
                seen["picture"], drawn = time.perf_counter() - begin, window.viewport.renders
            return session.state.frame > 0 and window.viewport.renders > drawn

        wait_until(playing)
        seen |= {"playing": time.perf_counter() - begin, "block": blocks.longest, "busy": blocks.busiest}
        if forecast:
            wait_until(
                lambda: session.state.result is not None and session.state.result.has_any_forecast, FORECAST
            )
            seen["forecast"] = time.perf_counter() - begin
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()
    return seen


def _rotation(window: Any, plane: tuple[int, int], degrees: float) -> float:
    begin = time.perf_counter()
    window.session.world.rotate(*plane, degrees)
    wanted = window.session.state.setup
    end = 0.0

    def swapped() -> None:
        nonlocal end
        shown = window.viewport.on_screen
        if not end and shown is not None and shown.setup == wanted:
            end = time.perf_counter()

    widget = window.viewport.plotter
    widget.frameSwapped.connect(swapped)
    try:
        wait_until(lambda: bool(end))
    finally:
        widget.frameSwapped.disconnect(swapped)
    return end - begin


if __name__ == "__main__":
    import json

    sys.stdout.write(json.dumps(measured_start(float(sys.argv[1]))) + "\n")
