"""The one clock of all panes."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.viewmodel.state import SPEEDS, neighbour

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class ClockIntents:
    """Play, step, seek, speed."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def tick(self, seconds: float) -> None:
        """Let the clock run on by some wall time."""
        playback, prepared = self._session.state.playback, self._session.state.prepared
        if not playback.playing or prepared is None:
            return
        times = prepared.comparison.truth.times
        per_frame = float(times[1] - times[0]) if len(times) > 1 else 1.0
        position = playback.position + seconds * playback.speed / per_frame
        playing = True
        sketch = self._session.state.sketch
        if sketch is not None and playback.position < sketch.end <= position:  # what was drawn is over
            position, playing = float(sketch.end), False
        if position >= len(times):
            position, playing = (0.0, True) if playback.loop else (float(len(times) - 1), False)
        self._session.publish(playback=replace(playback, position=position, playing=playing))

    def toggle_play(self) -> None:
        """Play or pause."""
        state = self._session.state
        if state.sketch is not None and not state.sketch.revealed:
            self._session.say("the future is hidden while you draw: reveal it, or put the pen away")
            return
        playback = replace(state.playback, playing=not state.playback.playing)
        if playback.playing and not playback.loop and state.frame == state.n_frames - 1:
            playback = replace(playback, position=0.0)  # played to the end: once more
        self._session.publish(playback=playback)

    def step(self, frames: int) -> None:
        """Pause and go some frames on or back."""
        self.seek(self._session.state.frame + frames)

    def seek(self, frame: int) -> None:
        """Pause at a frame."""
        state = self._session.state
        last = max(state.n_frames - 1, 0)
        if state.sketch is not None and not state.sketch.revealed:
            last = min(last, state.sketch.start)
        position = float(min(max(frame, 0), last))
        self._session.publish(playback=replace(state.playback, playing=False, position=position))

    def toggle_loop(self) -> None:
        """Play again from the start at the end, or stop there."""
        self._session.preferences.set(loop=not self._session.state.playback.loop)

    def rewind(self) -> None:
        """Back to the first frame, playing on if it was."""
        self._session.publish(playback=replace(self._session.state.playback, position=0.0))

    def set_speed(self, speed: float) -> None:
        """Time units per second."""
        self._session.publish(playback=replace(self._session.state.playback, speed=speed))

    def change_speed(self, steps: int) -> None:
        """A step up or down the ladder of speeds."""
        self.set_speed(neighbour(SPEEDS, self._session.state.playback.speed, steps))
