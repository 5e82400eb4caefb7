"""The clock."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "play": Action(
        "Play or pause", "Playback", "Space", lambda s, d: s.clock.toggle_play(), "Let the clock run, or stop it",
        lambda s: s.playback.playing,
    ),
    "step-forward": Action(
        "Next frame", "Playback", "Right", lambda s, d: s.clock.step(1), "Pause, one frame on"
    ),
    "step-back": Action(
        "Previous frame", "Playback", "Left", lambda s, d: s.clock.step(-1), "Pause, one frame back"
    ),
    "skip-forward": Action(
        "One horizon on", "Playback", "Shift+Right", lambda s, d: s.clock.step(25), "Pause, 25 frames on"
    ),
    "skip-back": Action(
        "One horizon back", "Playback", "Shift+Left", lambda s, d: s.clock.step(-25), "Pause, 25 frames back"
    ),
    "rewind": Action("Back to the start", "Playback", "Home", lambda s, d: s.clock.rewind(), "The first frame"),
    "loop": Action(
        "Loop", "Playback", "Ctrl+R", lambda s, d: s.clock.toggle_loop(), "Play again from the start at the end",
        lambda s: s.playback.loop,
    ),
    "faster": Action("Faster", "Playback", "]", lambda s, d: s.clock.change_speed(1), "A step up in speed"),
    "slower": Action("Slower", "Playback", "[", lambda s, d: s.clock.change_speed(-1), "A step down in speed"),
}  # fmt: skip
