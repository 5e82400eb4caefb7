"""From a ViewState to a Scene: which panes, which view basis, one frame that no rotation changes. Pure NumPy."""

from dataclasses import replace
from typing import Any

import numpy as np

from app.viewmodel.presenters.edited_system import with_edited
from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.view import MAX_PANES, chosen_basis, fitting
from app.viewmodel.state.view_state import ViewState
from surrogate.comparison.comparison import Comparison
from surrogate.render import Framing, Scene, ViewOptions, build_scene, framing
from surrogate.render.hud import headline
from surrogate.render.projection import RUNAWAY, rounded_up
from surrogate.render.theme import THEMES


def steady_framing(result: ComparisonResult) -> Framing:
    """A ball about the origin that holds the truth under every rotation.

    The world turns about the origin, so a ball there does not move; its radius is rounded up to two digits, so
    that round-off in a rotated truth does not change it.
    """
    comparison = result.comparison
    reach = float(np.linalg.norm(comparison.truth.positions, axis=-1).max())
    furthest = float(np.linalg.norm(comparison.forecast.positions, axis=-1).max())
    radius = max(reach, min(furthest, RUNAWAY * reach))
    limit = framing(comparison.truth, comparison.forecast).error_limit
    return Framing(np.zeros(comparison.truth.n_dims), rounded_up(radius), rounded_up(limit))


def options_of(state: ViewState, comparison: Comparison) -> ViewOptions:
    """The view and the selection as the pictures take them."""
    view, selection = fitting(state.view, comparison), state.selection
    shown: tuple[Any, ...] = ("truth", "forecast")
    if view.show_rollout and comparison.rollout is not None:
        shown = (*shown, "rollout")
    return ViewOptions(
        basis=chosen_basis(view, comparison.truth.n_dims),
        layout=view.layout,
        colour_by=view.colour_by,
        hidden_axis=state.hidden_axis,
        colour_range=view.colour_range,
        trail_length=view.trail,
        trail_fade=view.trail_fade,
        trail_of=view.trail_of,
        ghosts=view.ghosts,
        fade_hidden=view.fade_hidden,
        depth_by=view.depth_by,
        slice_thickness=view.slice_thickness,
        selected=selection.particles,
        follow=selection.follow,
        hud=view.hud,
        fields=view.fields,
        theme=THEMES[view.theme],
        panes=shown,
    )


def scene_of(state: ViewState, frames: Framing) -> Scene | None:
    """What the viewport draws: truth, forecast, and as chosen the roll-out and the contrast model."""
    result = state.result
    if result is None:
        return None
    comparison = result.comparison
    options = options_of(state, comparison)
    if isinstance(state.seen, Preview):
        return _alone(with_edited(_previewed(state.seen, result, state.frame, options, frames), state), state)
    scene = build_scene(comparison, state.frame, options, frames)
    if result.contrast is not None:
        frame = _matching_frame(result.contrast, state.time)
        same_scale = replace(options, panes=("forecast",), colour_range=scene.colour_range)
        other = build_scene(result.contrast, frame, same_scale, frames)
        scene = replace(scene, panes=(*scene.panes, *other.panes)[:MAX_PANES])
    return _alone(with_edited(scene, state), state)


def _alone(scene: Scene, state: ViewState) -> Scene:
    """The scene with the maximised pane alone, if there is one."""
    maximised = state.view.maximised
    if maximised is None or maximised >= len(scene.panes):
        return scene
    return replace(scene, panes=(scene.panes[maximised],))


def _previewed(
    preview: Preview, result: ComparisonResult, frame: int, options: ViewOptions, frames: Framing
) -> Scene:
    """The scene of a frame of a preview; what some frames cannot know is that of the comparison before."""
    at = frame - preview.first
    whole = build_scene(result.comparison, frame, options, frames)
    options = replace(options, colour_range=whole.colour_range, drift=False)
    scene = build_scene(preview.comparison, at, options, frames)
    text = headline(
        replace(result.comparison, rotation=preview.comparison.rotation, details=preview.comparison.details),
        frame,
        scene.visible_fraction,
    )
    scene = replace(scene, headline=text)
    if preview.contrast is None:
        return scene
    other = build_scene(preview.contrast, at, replace(options, panes=("forecast",)), frames)
    return replace(scene, panes=(*scene.panes, *other.panes)[:MAX_PANES])


def pane_texts(scene: Scene | None) -> list[str]:
    """The words at the head of each pane in full, left to right, for tool tips."""
    panes = () if scene is None else scene.panes
    return ["\n".join(filter(None, (pane.title, pane.subtitle, pane.badge))) for pane in panes]


def _matching_frame(comparison: Comparison, time: float) -> int:
    return int(np.argmin(np.abs(comparison.truth.times - time)))
