"""From a ViewState to a Scene: which panes, which view basis, one frame that no rotation changes. Pure NumPy."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.glimpse import Glimpse
from app.viewmodel.state import ViewState, chosen_basis
from app.viewmodel.work import Prepared
from surrogate.comparison import Comparison
from surrogate.render import Framing, Scene, ViewOptions, build_scene, framing
from surrogate.render.captions import Source, pane_badge, pane_title
from surrogate.render.hud import headline
from surrogate.render.projection import RUNAWAY
from surrogate.render.theme import THEMES

FloatArray = NDArray[np.float64]
MAX_PANES = 4


def steady_framing(prepared: Prepared) -> Framing:
    """A ball about the origin that holds the truth under every rotation.

    The world turns about the origin, so a ball there does not move; its radius is rounded up to two digits, so
    that round-off in a rotated truth does not change it.
    """
    comparison = prepared.comparison
    reach = float(np.linalg.norm(comparison.truth.positions, axis=-1).max())
    furthest = float(np.linalg.norm(comparison.forecast.positions, axis=-1).max())
    radius = max(reach, min(furthest, RUNAWAY * reach))
    limit = framing(comparison.truth, comparison.forecast).error_limit
    return Framing(np.zeros(comparison.truth.n_dims), rounded_up(radius), rounded_up(limit))


def rounded_up(value: float) -> float:
    """The next number of two significant digits, a little above exact ones (so that 2.0 and 2.0000001 agree)."""
    if not value > 0:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step + 1e-6) * step


def scene_of(state: ViewState, frames: Framing) -> Scene | None:
    """What the viewport draws: truth, forecast, and as chosen the roll-out and the contrast model."""
    prepared = state.prepared
    if prepared is None:
        return None
    comparison = prepared.comparison
    shown: tuple[Any, ...] = ("truth", "forecast")
    if state.view.show_rollout and comparison.rollout is not None:
        shown = (*shown, "rollout")
    options = ViewOptions(
        basis=chosen_basis(state.view, comparison.truth.n_dims),
        hidden_axis=state.hidden_axis,
        colour_by=state.view.colour_by,
        trail_length=state.view.trail,
        theme=THEMES[state.view.theme],
        panes=shown,
    )
    if isinstance(state.seen, Glimpse):
        return _glimpsed(state.seen, prepared, state.frame, options, frames)
    scene = build_scene(comparison, state.frame, options, frames)
    if prepared.contrast is None:
        return scene
    frame = _matching_frame(prepared.contrast, state.time)
    other = build_scene(prepared.contrast, frame, replace(options, panes=("forecast",)), frames)
    return replace(scene, panes=(*scene.panes, *other.panes)[:MAX_PANES])


def _glimpsed(glimpse: Glimpse, prepared: Prepared, frame: int, options: ViewOptions, frames: Framing) -> Scene:
    """The scene of a frame of a glimpse; what some frames cannot know is that of the comparison before."""
    at = frame - glimpse.first
    options = replace(options, colour_range=build_scene(prepared.comparison, frame, options, frames).colour_range)
    scene = build_scene(glimpse.comparison, at, options, frames)
    text = headline(
        replace(prepared.comparison, rotation=glimpse.comparison.rotation, details=glimpse.comparison.details),
        frame,
        scene.visible_fraction,
    )
    scene = replace(scene, headline=text)
    if glimpse.contrast is None:
        return scene
    other = build_scene(glimpse.contrast, at, replace(options, panes=("forecast",)), frames)
    return replace(scene, panes=(*scene.panes, *other.panes)[:MAX_PANES])


def pane_texts(state: ViewState) -> list[str]:
    """The words at the head of each pane in full, left to right, for tool tips."""
    if state.prepared is None:
        return []
    comparison, contrast = state.prepared.comparison, state.prepared.contrast
    panes: list[tuple[Comparison, Source]] = [(comparison, "truth"), (comparison, "forecast")]
    if state.view.show_rollout and comparison.rollout is not None:
        panes.append((comparison, "rollout"))
    if contrast is not None:
        panes.append((contrast, "forecast"))
    return ["\n".join(filter(None, (*pane_title(*pane), pane_badge(*pane)))) for pane in panes]


def _matching_frame(comparison: Comparison, time: float) -> int:
    return int(np.argmin(np.abs(comparison.truth.times - time)))
