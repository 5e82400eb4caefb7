"""From a ViewState to a Scene: which panes, which view basis, one frame that no rotation changes. Pure NumPy."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.presenters.edited_system import with_edited
from app.viewmodel.state.detail import trail_length
from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.view import MAX_PANES, TRAILS, chosen_basis, energies_shown, fitting
from app.viewmodel.state.view_state import ViewState
from surrogate.comparison.comparison import Comparison
from surrogate.render import Framing, Scene, ViewOptions, build_scene
from surrogate.render.hud import headline
from surrogate.render.scene import Pane
from surrogate.render.task_scenes import TASK_SCENES
from surrogate.render.theme import THEMES


def options_of(state: ViewState, comparison: Comparison) -> ViewOptions:
    """The view and the selection as the pictures take them."""
    view, selection = fitting(state.view, comparison), state.selection
    everybody = view.trail_of == "all"
    n_trails = comparison.truth.system.n_particles if everybody else len(selection.particles)
    shown: tuple[Any, ...] = ("truth", "forecast")
    if view.show_rollout and comparison.rollout is not None:
        shown = (*shown, "rollout")
    return ViewOptions(
        basis=chosen_basis(view, comparison.truth.n_dims),
        layout=view.layout,
        colour_by=view.colour_by,
        hidden_axis=state.hidden_axis,
        colour_range=view.colour_range,
        trail_length=trail_length(view.trail, n_trails),
        trail_fade=view.trail_fade,
        trail_of=view.trail_of,
        ghosts=view.ghosts,
        fade_hidden=view.fade_hidden,
        depth_by=view.depth_by,
        slice_thickness=view.slice_thickness,
        selected=selection.particles,
        follow=selection.follow,
        hud=view.hud,
        drift=energies_shown(comparison),
        fields=view.fields,
        theme=THEMES[view.theme],
        panes=shown,
    )


def scene_of(state: ViewState, frames: Framing | None = None) -> Scene | None:
    """What the viewport draws: truth, forecast, and as chosen the roll-out and the contrast model; or a sample.

    Parameters
    ----------
    frames : Framing, optional
        What a comparison is framed by; its own when left out.
    """
    result = state.result
    if state.sample is not None:
        sample = state.sample.sample
        return _alone(TASK_SCENES[type(sample)](sample, basis=state.basis, theme=THEMES[state.view.theme]), state)
    if result is None:
        return None
    frames = frames or result.frames
    comparison = result.comparison
    options = options_of(state, comparison)
    if isinstance(state.seen, Preview):
        return _alone(with_edited(_previewed(state.seen, result, state.frame, options, frames), state), state)
    if options.layout == "overlay" and not result.has_forecast(state.frame):
        options = replace(options, panes=("truth",))
    scene = build_scene(comparison, state.frame, options, frames)
    scene = _without_what_is_not_made(scene, result.made, state.frame, _why_not(result))
    if result.contrast is not None:
        frame = _matching_frame(result.contrast, state.time)
        same_scale = replace(options, panes=("forecast",), colour_range=scene.colour_range)
        other = build_scene(result.contrast, frame, same_scale, frames)
        other = _without_what_is_not_made(other, result.contrast_made, frame, "no forecast of this frame")
        scene = replace(scene, panes=(*scene.panes, *other.panes)[:MAX_PANES])
    return _alone(with_edited(scene, state), state)


COMING = "forecast on its way ..."


def _why_not(result: ComparisonResult) -> str:
    """Why a frame has no forecast (yet), in a line."""
    return f"no forecast: {result.no_forecast}" if result.measured else COMING


def _without_what_is_not_made(scene: Scene, made: NDArray[np.bool_] | None, frame: int, words: str) -> Scene:
    """The scene without the forecasts that do not exist: their arrays repeat the truth there."""
    if made is None or made[max(frame - N_KNOTS, 0) : frame + 1].all():
        return scene
    panes = (p if p.source == "truth" else _hidden(p, made, frame, words) for p in scene.panes)
    return replace(scene, panes=tuple(panes))


N_KNOTS = max(TRAILS)
"""The longest trail [frame]."""


def _hidden(pane: Pane, made: NDArray[np.bool_], frame: int, words: str) -> Pane:
    """A forecast's pane without the knots of its trails that are none, and empty where this frame is none."""
    n_knots, n_trails = pane.trail_colours.shape[:2]
    knots = np.maximum(np.arange(frame - n_knots + 1, frame + 1), 0)
    colours = pane.trail_colours.copy()
    own = colours[:, : n_trails // 2] if pane.ghost_style == "glass" else colours  # the truth's follow
    own[~made[knots], :, 3] = 0
    if made[frame]:
        return replace(pane, trail_colours=colours)
    none = not made.any() and words != COMING
    return replace(
        pane,
        subtitle="" if none else words,
        badge=words if none else pane.badge,
        footer="",
        trail_colours=np.zeros_like(colours),
        radii=np.zeros_like(pane.radii),
        ghosts=None if pane.ghosts is None else pane.points,
        link_ends=None,
    )


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
    scene = _without_what_is_not_made(scene, preview.made, at, "no forecast of this frame")
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
