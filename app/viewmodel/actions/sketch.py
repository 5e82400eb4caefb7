"""Drawing where the particles will go."""

from app.viewmodel.actions.action import Action

ACTIONS: dict[str, Action] = {
    "sketch": Action(
        "Draw where it goes", "Playback", "W", lambda s, d: s.sketch.toggle(),
        "Be the model: draw the paths of the next horizon, then see who was right", lambda s: s.sketch is not None,
    ),
    "sketch-reveal": Action(
        "Reveal the future of the sketch", "Playback", "Shift+W", lambda s, d: s.sketch.reveal(),
        "Play what really happens and score the sketch",
    ),
    "sketch-wipe": Action(
        "Wipe the sketch", "Playback", "", lambda s, d: s.sketch.wipe(), "Take all paths away and draw again"
    ),
}  # fmt: skip
