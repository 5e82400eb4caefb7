"""Drawing where the particles will go."""

from functools import partial

from app.viewmodel.actions.action import Action

action = partial(Action, "Playback")

ACTIONS: dict[str, Action] = {
    "sketch": action("Draw where it goes", "W", lambda s, d: s.sketch.toggle(),
        "Be the model: draw the paths of the next horizon, then see who was right",
        lambda s: s.sketch is not None),
    "sketch-reveal": action("Reveal the future of the sketch", "Shift+W", lambda s, d: s.sketch.reveal(),
        "Play what really happens and score the sketch"),
    "sketch-wipe": action("Wipe the sketch", "", lambda s, d: s.sketch.wipe(),
        "Take all paths away and draw again"),
}  # fmt: skip
