"""Draw where it goes: paths over one horizon, drawn while the future is hidden, then scored. Pure.

A sketch is made in the drawn space: three coordinates, two where the picture is flat. In more dimensions that is a
projection; model and straight line are scored in it, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from app.viewmodel.state.setup import Setup
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render.projection import project

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
    The user's path is taken at constant speed. The model's last frame is its forecast from the frame the sketch
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
