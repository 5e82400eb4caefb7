"""What a step of a lesson can wait for: conditions on the state of the window, by name. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.viewmodel.state.lessons import LessonStep
from app.viewmodel.state.setup import Reflect, Setup, Turn
from app.viewmodel.state.view_state import ViewState

SEEN_DIMENSIONS = 3
"""Axes from this one on are not among the first three."""


@dataclass(frozen=True)
class Condition:
    """When a step is done.

    Attributes
    ----------
    met : callable
        Of the state, which shows a finished comparison, and of the step.
    takes_value : bool
        Whether the step must say what to compare with.
    """

    met: Callable[[ViewState, LessonStep], bool]
    takes_value: bool = False


def _shown(state: ViewState) -> Setup:
    assert state.result is not None
    return state.result.setup


def _turned(state: ViewState, step: LessonStep) -> bool:
    before = step.setup.operations if step.setup is not None else ()
    return bool(_shown(state).operations) and _shown(state).operations != before


def _turned_far(state: ViewState, step: LessonStep) -> bool:
    turns = [o for o in _shown(state).operations if isinstance(o, Turn)]
    return any(abs(turn.degrees) >= float(step.value) for turn in turns)


def _turned_out_of_sight(state: ViewState, step: LessonStep) -> bool:
    turns = [o for o in _shown(state).operations if isinstance(o, Turn)]
    return any(max(turn.i, turn.j) >= SEEN_DIMENSIONS for turn in turns)


def _passed(state: ViewState, step: LessonStep) -> bool:
    return state.frame >= float(step.value) * (state.n_frames - 1)


CONDITIONS: dict[str, Condition] = {
    "turned": Condition(_turned),
    "turned-by": Condition(_turned_far, takes_value=True),
    "turned-out-of-sight": Condition(_turned_out_of_sight),
    "reflected": Condition(lambda s, _: any(isinstance(o, Reflect) for o in _shown(s).operations)),
    "not-turned": Condition(lambda s, _: not _shown(s).operations),
    "plane-is-hidden": Condition(lambda s, _: max(s.plane) >= SEEN_DIMENSIONS),
    "spinning": Condition(lambda s, _: s.spinning),
    "dimension-is": Condition(lambda s, step: s.n_dims == int(step.value), takes_value=True),
    "model-is": Condition(lambda s, step: _shown(s).model == step.value, takes_value=True),
    "contrast-is": Condition(lambda s, step: _shown(s).contrast == step.value, takes_value=True),
    "scenario-is": Condition(lambda s, step: _shown(s).scenario == step.value, takes_value=True),
    "clamped": Condition(lambda s, _: _shown(s).clamped),
    "not-clamped": Condition(lambda s, _: not _shown(s).clamped),
    "paused": Condition(lambda s, _: not s.playback.playing),
    "playing": Condition(lambda s, _: s.playback.playing),
    "time-passed": Condition(_passed, takes_value=True),
    "roll-out-shown": Condition(lambda s, _: s.view.show_rollout),
    "sketch-revealed": Condition(lambda s, _: s.sketch is not None and s.sketch.revealed),
    "coloured-by": Condition(lambda s, step: s.view.colour_by == step.value, takes_value=True),
}
"""Everything a lesson can wait for; `value` is a share of the duration for time-passed, degrees for turned-by."""


def ticked(state: ViewState) -> ViewState:
    """The state with the present step of its lesson ticked if its condition is met."""
    running = state.lesson
    if running is None or running.at in running.done or state.busy or state.result is None:
        return state
    step = running.lesson.steps[running.at]
    asked = step.question is not None
    if asked:
        met = running.at in running.answers
    else:
        met = not step.condition or CONDITIONS[step.condition].met(state, step)
    if not met:
        return state
    return replace(state, lesson=replace(running, done=running.done | {running.at}))
