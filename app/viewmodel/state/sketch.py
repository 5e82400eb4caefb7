"""Draw where it goes: paths over one horizon, drawn while the future is hidden, then scored. Pure.

A sketch lives in the drawn space (three coordinates, two where the picture is flat). In more than three dimensions
that is a projection, and model and straight line are scored in it, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import chosen_basis
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import short_number
from surrogate.render.picking import on_screen
from surrogate.render.projection import default_view_basis, project

if TYPE_CHECKING:
    from app.viewmodel.state.view_state import ViewState

FloatArray = NDArray[np.float64]
Rectangle = tuple[float, float, float, float]

REACH = 30.0
"""A pen set down further from every particle draws for the one that was drawn last [pixel]."""

CLOSEST = 1e-12


@dataclass(frozen=True, eq=False)
class Sketch:
    """What the user has drawn.

    Attributes
    ----------
    setup : Setup
        Of the comparison it was drawn over.
    basis : (n_dims, 3) float64
        The view basis it was drawn in.
    start, n_frames : int
        The frame it starts from, and how many frames one horizon is.
    paths : mapping of int to (n_points, 3) float64 [length]
        For each particle that has one, from where it is to where it is said to go.
    revealed : bool
    """

    setup: Setup
    basis: FloatArray
    start: int
    n_frames: int
    paths: Mapping[int, FloatArray] = field(default_factory=dict)
    revealed: bool = False

    @property
    def end(self) -> int:
        """The frame that the paths lead to."""
        return self.start + self.n_frames


@dataclass(frozen=True)
class Score:
    """RMSE of one forecaster over the particles that were drawn, in the drawn coordinates [length].

    Attributes
    ----------
    end : float
        One horizon ahead.
    path : float
        Over all frames up to there.
    """

    end: float
    path: float


def shown_basis(state: "ViewState") -> FloatArray:
    """The view basis of the picture, (n_dims, 3)."""
    basis = chosen_basis(state.view, state.n_dims)
    return default_view_basis(state.n_dims) if basis is None else basis


def fresh_sketch(state: "ViewState") -> Sketch | None:
    """A sketch from the shown frame on, or from the last one that has a horizon after it; None without room."""
    if state.prepared is None:
        return None
    comparison = state.prepared.comparison
    times = comparison.truth.times
    if comparison.horizon is None or len(times) < 2:
        return None
    n_frames = round(comparison.horizon / float(times[1] - times[0]))
    last = len(times) - 1 - n_frames
    if n_frames < 1 or last < 0:
        return None
    return Sketch(state.prepared.setup, shown_basis(state), min(state.frame, last), n_frames)


def kept(state: "ViewState") -> "ViewState":
    """The state without its sketch where that no longer belongs to what is shown."""
    sketch = state.sketch
    if sketch is None or state.prepared is None:
        return state
    same = state.prepared.setup == sketch.setup and np.array_equal(shown_basis(state), sketch.basis)
    return state if same else replace(state, sketch=None)


def unprojected(x: float, y: float, through: ArrayLike, matrix: FloatArray, viewport: Rectangle) -> FloatArray:
    """The point under a pixel on the plane through a point that faces the camera, (3,) [length].

    Parameters
    ----------
    x, y : float
        From the lower left corner of the window [pixel].
    through : (3,) [length]
    matrix : (4, 4) float64
        From the drawn space to clip coordinates.
    viewport : (left, bottom, width, height) of the pane [pixel]

    Notes
    -----
    All points of that plane have the same depth before the camera, so the same third and fourth clip coordinate:
    the first two follow from the pixel, and the matrix is inverted.
    """
    left, bottom, width, height = viewport
    *_, z, w = matrix @ np.append(np.asarray(through, dtype=np.float64), 1.0)
    across = 2.0 * (x - left) / width - 1.0
    up = 2.0 * (y - bottom) / height - 1.0
    point = np.linalg.solve(matrix, np.array([across * w, up * w, z, w]))
    return np.asarray(point[:3] / point[3])


def nearest_particle(
    x: float, y: float, points: FloatArray, matrix: FloatArray, viewport: Rectangle
) -> int | None:
    """The particle whose place (n_particles, 3) is drawn nearest to a pixel, within REACH; else None."""
    pixels, depth, _ = on_screen(points, matrix, viewport)
    away = np.where(np.isfinite(depth), np.hypot(pixels[:, 0] - x, pixels[:, 1] - y), np.inf)
    found = int(np.argmin(away))
    return found if away[found] <= REACH else None


def evenly(points: FloatArray, count: int) -> FloatArray:
    """`count` points along a path at equal shares of its length, without its start: (count, 3)."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < CLOSEST:
        return np.repeat(points[-1:], count, axis=0)
    wanted = along[-1] * np.arange(1, count + 1) / count
    return np.stack([np.interp(wanted, along, points[:, k]) for k in range(points.shape[1])], axis=1)


def scores(sketch: Sketch, comparison: Comparison) -> dict[str, Score]:
    """User, model and straight line over the particles that were drawn; empty without any.

    Notes
    -----
    The user's path is walked at constant speed. The model's last frame is its forecast from the frame the sketch
    starts at; its frames before that are forecasts from earlier ones. The straight line is x + v t.
    """
    members = sorted(sketch.paths)
    if not members:
        return {}
    truth, window = comparison.truth, slice(sketch.start + 1, sketch.end + 1)
    wanted = project(truth.positions[window][:, members], sketch.basis)
    x, v = truth.positions[sketch.start, members], truth.velocities[sketch.start, members]
    elapsed = truth.times[window] - truth.times[sketch.start]
    found = {
        "you": np.stack([evenly(sketch.paths[k], sketch.n_frames) for k in members], axis=1),
        "model": project(comparison.forecast.positions[window][:, members], sketch.basis),
        "straight": project(x + v * elapsed[:, None, None], sketch.basis),
    }
    n_shown = int((np.abs(sketch.basis).sum(axis=0) > 0).sum())
    made = {}
    for name, path in found.items():
        squares = ((path - wanted) ** 2).sum(axis=-1) / n_shown  # (n_frames, n_members)
        made[name] = Score(float(np.sqrt(squares[-1].mean())), float(np.sqrt(squares.mean())))
    return made


def verdict(sketch: Sketch, comparison: Comparison) -> list[tuple[str, ...]]:
    """The scores as rows of words: who, error at the end, along the path, share of the straight line's error."""
    made = scores(sketch, comparison)
    if not made:
        return []
    names = {"you": "You", "model": "Model", "straight": "x + v t"}
    line = max(made["straight"].end, CLOSEST)
    rows: list[tuple[str, ...]] = [("", "end", "path", "ratio")]
    for name, title in names.items():
        score = made[name]
        rows.append((title, short_number(score.end), short_number(score.path), f"{score.end / line:.2g}×"))
    return rows


def shown_coordinates(n_dims: int) -> str:
    """In what space the user draws, where that is not all of it."""
    if n_dims <= 3:
        return ""
    return f"You draw in the three coordinates that are shown; this scene has {n_dims}."
