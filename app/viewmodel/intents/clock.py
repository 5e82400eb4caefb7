"""The one clock of all panes."""

from dataclasses import replace
from typing import Any

import numpy as np

from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.state.playback import SPEEDS, Ending, advanced, step_on_ladder
from app.viewmodel.store import Store
from surrogate.render.captions import mean_spacing


class ClockIntents:
    """Play, step, seek, speed, marks."""

    def __init__(self, store: Store, preferences: PreferenceIntents) -> None:
        self._store, self._preferences = store, preferences

    def tick(self, seconds: float) -> None:
        """Let the clock run on by some wall time."""
        playback, result = self._store.state.playback, self._store.state.result
        if not playback.playing or result is None:
            return
        step = seconds * playback.speed * result.clock_unit / self._per_frame
        sketch = self._store.state.sketch
        if sketch is not None and playback.position < sketch.end <= playback.position + step:
            self._set(position=float(sketch.end), playing=False)  # what was drawn is over
            return
        self._store.publish(playback=advanced(playback, step, self._store.state.n_frames))

    def toggle_play(self) -> None:
        """Play or pause."""
        state = self._store.state
        if state.sketch is not None and not state.sketch.revealed:
            self._store.say("the future is hidden while you draw: reveal it, or put the pen away")
            return
        playback = replace(state.playback, playing=not state.playback.playing)
        first, last = playback.bounds(state.n_frames)
        if playback.playing and not playback.loop and state.frame >= last:
            playback = replace(playback, position=float(first))  # played to the end: once more
        self._store.publish(playback=playback)

    def step(self, frames: int) -> None:
        """Pause and go some frames on or back."""
        self.seek(self._store.state.frame + frames)

    def step_time(self, time: float) -> None:
        """Pause and go some units of time (`ComparisonResult.clock_unit`) on or back, a frame at least."""
        result = self._store.state.result
        unit = result.clock_unit if result is not None else 1.0
        frames = max(round(abs(time) * unit / self._per_frame), 1)
        self.step(frames if time > 0 else -frames)

    def seek(self, frame: int) -> None:
        """Pause at a frame."""
        state = self._store.state
        last = max(state.n_frames - 1, 0)
        if state.sketch is not None and not state.sketch.revealed:
            last = min(last, state.sketch.start)
        position = float(min(max(frame, 0), last))
        self._set(playing=False, position=position)

    def seek_time(self, time: float) -> None:
        """Pause at the frame nearest to a time."""
        result = self._store.state.result
        if result is not None:
            self.seek(int(np.argmin(np.abs(result.comparison.truth.times - time))))

    def toggle_loop(self) -> None:
        """Play again from the start at the end, or stop there."""
        self._preferences.set(loop=not self._store.state.playback.loop)

    def toggle_rock(self) -> None:
        """Turn round at either end, or jump back to the start."""
        playback = self._store.state.playback
        self.set_ending("loop" if playback.ending == "rock" else "rock")

    def set_ending(self, ending: Ending) -> None:
        """What happens at the end."""
        self._set(rock=ending == "rock", backwards=False)
        if self._store.state.playback.loop != (ending != "once"):
            self._preferences.set(loop=ending != "once")

    def toggle_every_frame(self) -> None:
        """Skip no frame, or keep to the time."""
        self._set(every_frame=not self._store.state.playback.every_frame)

    def rewind(self) -> None:
        """Back to the first frame that is played, playing on if it was."""
        state = self._store.state
        self._set(position=float(state.playback.bounds(state.n_frames)[0]), backwards=False)

    def to_end(self) -> None:
        """Pause at the last frame that is played."""
        state = self._store.state
        self.seek(state.playback.bounds(state.n_frames)[1])

    def mark_in(self) -> None:
        """Play from this frame on; a mark for the end before it goes."""
        state = self._store.state
        end = state.playback.mark_out
        self._set(mark_in=state.frame or None, mark_out=end if end is None or end > state.frame else None)

    def mark_out(self) -> None:
        """Play up to this frame; a mark for the start behind it goes."""
        state = self._store.state
        start = state.playback.mark_in
        at = state.frame if state.frame < state.n_frames - 1 else None
        self._set(mark_out=at, mark_in=start if start is None or start < state.frame else None)

    def clear_marks(self) -> None:
        """Play all of it."""
        self._set(mark_in=None, mark_out=None)

    def to_mark(self, end: bool) -> None:
        """Pause at the mark for the start or for the end; at the first or last frame without one."""
        state = self._store.state
        self.seek(state.playback.bounds(state.n_frames)[end])

    def set_speed(self, speed: float) -> None:
        """Units of time per second."""
        self._set(speed=speed)

    def change_speed(self, steps: int) -> None:
        """A step up or down the ladder of speeds."""
        self.set_speed(step_on_ladder(SPEEDS, self._store.state.playback.speed, steps))

    @property
    def _per_frame(self) -> float:
        result = self._store.state.result
        times = result.comparison.truth.times if result is not None else np.zeros(1)
        return mean_spacing(times) if len(times) > 1 else 1.0

    def _set(self, **changes: Any) -> None:
        self._store.publish(playback=replace(self._store.state.playback, **changes))
