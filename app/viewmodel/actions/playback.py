"""The clock."""

from functools import partial

from app.viewmodel.actions.action import Action
from app.viewmodel.state.view_state import ViewState


def _arrows_step(state: ViewState) -> bool:
    """While particles are moved, the arrow keys nudge them."""
    return state.moving is None


action = partial(Action, "Playback")

ACTIONS: dict[str, Action] = {
    "play": action("Play or pause", "Space", lambda s, d: s.clock.toggle_play(), "Let the clock run, or stop it",
        lambda s: s.playback.playing),
    "step-forward": action("Next frame", "Right", lambda s, d: s.clock.step(1), "Pause, one frame on",
        enabled=_arrows_step),
    "step-back": action("Previous frame", "Left", lambda s, d: s.clock.step(-1), "Pause, one frame back",
        enabled=_arrows_step),
    "skip-forward": action("One time unit on", "Shift+Right", lambda s, d: s.clock.step_time(1.0), "Pause, t + 1",
        enabled=_arrows_step),
    "skip-back": action("One time unit back", "Shift+Left", lambda s, d: s.clock.step_time(-1.0), "Pause, t - 1",
        enabled=_arrows_step),
    "rewind": action("Back to the start", "Home", lambda s, d: s.clock.rewind(), "The first frame"),
    "to-end": action("To the end", "End", lambda s, d: s.clock.to_end(), "The last frame"),
    "go-to-time": action("Go to time…", "Ctrl+G", lambda s, d: d.edit_time(), "Type a time, then Enter"),
    "mark-in": action("Mark in", "I", lambda s, d: s.clock.mark_in(), "Play from this frame on"),
    "mark-out": action("Mark out", "O", lambda s, d: s.clock.mark_out(), "Play up to this frame"),
    "to-mark-in": action("To the mark in", "Shift+I", lambda s, d: s.clock.to_mark(False),
        "Pause where it starts"),
    "to-mark-out": action("To the mark out", "Shift+O", lambda s, d: s.clock.to_mark(True), "Pause where it ends"),
    "clear-marks": action("Clear the marks", "Alt+I", lambda s, d: s.clock.clear_marks(), "Play all of it"),
    "loop": action("Loop", "Ctrl+R", lambda s, d: s.clock.toggle_loop(), "Play again from the start at the end",
        lambda s: s.playback.loop),
    "rock": action("Rock", "Ctrl+Shift+R", lambda s, d: s.clock.toggle_rock(), "Turn round at either end",
        lambda s: s.playback.ending == "rock"),
    "every-frame": action("Every frame", "E", lambda s, d: s.clock.toggle_every_frame(),
        "Skip no frame, however slow the drawing", lambda s: s.playback.every_frame),
    "faster": action("Faster", "]", lambda s, d: s.clock.change_speed(1), "A step up in speed"),
    "slower": action("Slower", "[", lambda s, d: s.clock.change_speed(-1), "A step down in speed"),
}  # fmt: skip
