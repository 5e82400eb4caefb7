"""The clock."""

from app.viewmodel.actions.action import Action
from app.viewmodel.state.view_state import ViewState


def _arrows_step(state: ViewState) -> bool:
    """While particles are moved, the arrow keys nudge them."""
    return state.moving is None


ACTIONS: dict[str, Action] = {
    "play": Action(
        "Play or pause", "Playback", "Space", lambda s, d: s.clock.toggle_play(), "Let the clock run, or stop it",
        lambda s: s.playback.playing,
    ),
    "step-forward": Action(
        "Next frame", "Playback", "Right", lambda s, d: s.clock.step(1), "Pause, one frame on",
        enabled=_arrows_step,
    ),
    "step-back": Action(
        "Previous frame", "Playback", "Left", lambda s, d: s.clock.step(-1), "Pause, one frame back",
        enabled=_arrows_step,
    ),
    "skip-forward": Action(
        "One time unit on", "Playback", "Shift+Right", lambda s, d: s.clock.step_time(1.0), "Pause, t + 1",
        enabled=_arrows_step,
    ),
    "skip-back": Action(
        "One time unit back", "Playback", "Shift+Left", lambda s, d: s.clock.step_time(-1.0), "Pause, t - 1",
        enabled=_arrows_step,
    ),
    "rewind": Action("Back to the start", "Playback", "Home", lambda s, d: s.clock.rewind(), "The first frame"),
    "to-end": Action("To the end", "Playback", "End", lambda s, d: s.clock.to_end(), "The last frame"),
    "go-to-time": Action(
        "Go to time…", "Playback", "Ctrl+G", lambda s, d: d.edit_time(), "Type a time, then Enter"
    ),
    "mark-in": Action("Mark in", "Playback", "I", lambda s, d: s.clock.mark_in(), "Play from this frame on"),
    "mark-out": Action("Mark out", "Playback", "O", lambda s, d: s.clock.mark_out(), "Play up to this frame"),
    "to-mark-in": Action(
        "To the mark in", "Playback", "Shift+I", lambda s, d: s.clock.to_mark(False), "Pause where it starts"
    ),
    "to-mark-out": Action(
        "To the mark out", "Playback", "Shift+O", lambda s, d: s.clock.to_mark(True), "Pause where it ends"
    ),
    "clear-marks": Action(
        "Clear the marks", "Playback", "Alt+I", lambda s, d: s.clock.clear_marks(), "Play all of it"
    ),
    "loop": Action(
        "Loop", "Playback", "Ctrl+R", lambda s, d: s.clock.toggle_loop(), "Play again from the start at the end",
        lambda s: s.playback.loop,
    ),
    "rock": Action(
        "Rock", "Playback", "Ctrl+Shift+R", lambda s, d: s.clock.toggle_rock(), "Turn round at either end",
        lambda s: s.playback.ending == "rock",
    ),
    "every-frame": Action(
        "Every frame", "Playback", "E", lambda s, d: s.clock.toggle_every_frame(),
        "Skip no frame, however slow the drawing", lambda s: s.playback.every_frame,
    ),
    "faster": Action("Faster", "Playback", "]", lambda s, d: s.clock.change_speed(1), "A step up in speed"),
    "slower": Action("Slower", "Playback", "[", lambda s, d: s.clock.change_speed(-1), "A step down in speed"),
}  # fmt: skip
