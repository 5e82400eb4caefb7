"""Windows of data, forecast under any pair law by the rounds of a model, and how likely the errors are."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from torch import Tensor

from physics.datasets.split import DataSplit
from physics.types import FloatArray
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator
from surrogate.models.integrator.pair_law import KNOT_SPACING, PairLaw
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.windows import windows

GROUPS = 20
"""Of fewer trajectories, each is cut into parts."""
LEAST_GAIN = 0.01
"""Of the likelihood's logarithm: a smaller one ends a fit."""
MOST_DOUBLINGS = 4
"""A step may get so many times twice as long."""
FREEDOM = 2.0
"""Degrees of freedom of the errors' distribution: small, so that encounters and other misfits weigh little."""


class GivenLaw(PairLaw):
    """A pair law whose table is given instead of made by a network."""

    given: Tensor

    def table(self) -> Tensor:
        """See PairLaw.table."""
        return self.given


@dataclass(frozen=True, eq=False)
class LawWindows:
    """Windows of a split, in the model's units, and what forecasts them under a law of one's own.

    Attributes
    ----------
    network : Integrator
        A copy, whose law is a `GivenLaw`.
    state : tuple of tensors
        x, v (W, N, n), q, m (W, N).
    target : tuple of tensors
        x, v (W, N, n).
    group : (W,) int64
        Windows of one trajectory (of few trajectories: of a part of one) go together.
    horizon : float
    rounds : int
    given : dict of str to (W, ...) tensor
        Fields that the model sees.
    """

    network: Integrator
    state: tuple[Tensor, Tensor, Tensor, Tensor]
    target: tuple[Tensor, Tensor]
    group: NDArray[np.int64]
    horizon: float
    rounds: int
    given: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.group)

    @torch.no_grad()
    def errors(self, table: FloatArray) -> FloatArray:
        """Of positions over the horizon, and of velocities: (2, W, N, n) [speed]."""
        law = self.network.law
        assert isinstance(law, GivenLaw)
        law.given = torch.as_tensor(table)
        x, v, q, m = self.state
        found = self.network.for_inference().forward(
            x, v, q, self.horizon, m, evaluations=self.rounds, **self.given
        )
        x_end, v_end = found
        assert v_end is not None
        x_error, v_error = x_end - self.target[0], v_end - self.target[1]
        return np.stack([x_error.numpy() / self.horizon, v_error.numpy()])

    def part(self, which: NDArray[np.bool_]) -> "LawWindows":
        """Some of the windows."""
        at = torch.from_numpy(np.flatnonzero(which))
        x, v, q, m = (t[at] for t in self.state)
        x_end, v_end = (t[at] for t in self.target)
        given = {name: values[at] for name, values in self.given.items()}
        return replace(self, state=(x, v, q, m), target=(x_end, v_end), group=self.group[which], given=given)


def law_windows(model: Forecaster, split: DataSplit, frames: int, most: int, rounds_a_frame: int) -> LawWindows:
    """At most so many windows of so many frames of a split, drawn from all its trajectories.

    Parameters
    ----------
    model : Forecaster
        Of an integrator.
    split : DataSplit
    frames : int
        Of frames that lie evenly; of others the windows of the same length as the first.
    most : int
    rounds_a_frame : int
        Rounds of a window for each of its frames; half of what the model takes where that is more.
    """
    network = with_given_law(model)
    first = split.first_state
    every = DataConfig(input_frame=first, target_frame=first + frames, windows="all")
    w = windows(
        split, "train", every, model.scales, centre=network.centres, dtype=torch.float64, takes=network.takes
    )
    samples, starts = (a.ravel() for a in np.meshgrid(np.arange(len(w)), w.starts, indexing="ij"))
    parts = -(-GROUPS // len(w))
    group = samples * parts + starts * parts // (int(w.starts[-1]) + 1)
    if len(samples) > most:
        some = np.sort(np.random.default_rng(0).choice(len(samples), most, replace=False))
        samples, starts, group = samples[some], starts[some], group[some]
    x, v, q, m, x_end, v_end = w.pick(torch.as_tensor(samples), torch.as_tensor(starts))
    rounds = max(network.rounds_for(w.horizon) // 2, rounds_a_frame * frames)  # of order 4 half will do
    given = {name: values[torch.as_tensor(samples)] for name, values in w.given.items()}
    return LawWindows(network, (x, v, q, m), (x_end, v_end), group, w.horizon, rounds, given)


def with_given_law(model: Forecaster) -> Integrator:
    """A copy of the model's network whose pair law is a table, of order 4 where it can; its trap and drag stay.

    At order 2 the rounds' own error showed in softenings (0.1 % of them, dozens of standard errors).
    """
    network = model.network(torch.float64)
    assert isinstance(network, Integrator)
    table = network.law.table().detach()
    bare = copy.copy(network)
    bare._modules = dict(network._modules)
    old = network.law
    law = GivenLaw(old.n_channels, old.powers, 1, old.softening, old.reach)
    law.given = table
    bare.law = law.double()
    bare.energy, bare.features = False, None
    bare.order = 2 if network.log_limit is not None else 4
    return bare.eval()


def knots(law: PairLaw) -> FloatArray:
    """Distances at the knots of a law's table, in its own units: (G - 2,), the first 0."""
    u = law.u0 + KNOT_SPACING * np.arange(law.n_knots - 2)
    return np.asarray(np.sqrt(np.maximum(np.exp(2 * u) - law.softening**2, 0.0)))


def table_through(values: FloatArray) -> FloatArray:
    """Coefficients (C, G) of the cubic B-splines through values at the knots, (C, G - 2); straight at the ends."""
    n = values.shape[1]
    bands = np.ones((3, n))
    bands[1] = 4.0
    bands[1, [0, -1]] = 6.0
    bands[0, 1], bands[2, -2] = 0.0, 0.0
    inner = solve_banded((1, 1), bands, 6 * values.T).T
    first, last = 2 * inner[:, :1] - inner[:, 1:2], 2 * inner[:, -1:] - inner[:, -2:-1]
    return np.concatenate([first, inner, last], axis=1)


@dataclass(frozen=True)
class Likelihood:
    """Student's t of each particle's error vector, of positions and of velocities, each with a scale of its own.

    Attributes
    ----------
    squares : (2, W, N) float64
        Squared lengths of the error vectors.
    n_dims : int
    """

    squares: FloatArray
    n_dims: int

    @property
    def scales(self) -> FloatArray:
        """The most likely squared scales: (2,)."""
        squares = np.maximum(self.squares.reshape(2, -1), 1e-300)
        scale = np.maximum(np.median(squares, axis=1), 1e-300)
        for _ in range(60):
            weights = (FREEDOM + self.n_dims) / (FREEDOM + squares / scale[:, None])
            scale = np.maximum((weights * squares).mean(axis=1) / self.n_dims, 1e-300)
        return np.asarray(scale)

    def weights(self, scales: FloatArray) -> FloatArray:
        """Of squared errors in a least-squares step, (2, W, N)."""
        z = self.squares / scales[:, None, None]
        return np.asarray((FREEDOM + self.n_dims) / (FREEDOM + z) / scales[:, None, None])

    def log(self, scales: FloatArray) -> FloatArray:
        """Logarithm of the likelihood of each window, up to a constant: (W,)."""
        z = self.squares / scales[:, None, None]
        each = -0.5 * (FREEDOM + self.n_dims) * np.log1p(z / FREEDOM)
        each -= 0.5 * self.n_dims * np.log(scales)[:, None, None]
        return np.asarray(each.sum(axis=(0, 2)))


def likelihood(errors: FloatArray) -> Likelihood:
    """Of errors (2, W, N, n)."""
    return Likelihood(np.nan_to_num((errors**2).sum(axis=-1), nan=1e6, posinf=1e6), errors.shape[-1])


Residuals = Callable[[FloatArray], FloatArray]
"""Parameters (P,) -> errors (2, W, N, n)."""


@dataclass(frozen=True)
class Fit:
    """The most likely parameters.

    Attributes
    ----------
    values : (P,) float64
    covariance : (P, P) float64
        From the scatter of the groups' gradients.
    scales : (2,) float64
    log : (W,) float64
        Of each window.
    """

    values: FloatArray
    covariance: FloatArray
    scales: FloatArray
    log: FloatArray


def most_likely(
    errors: Residuals, start: FloatArray, groups: NDArray[np.int64], steps: FloatArray, iterations: int = 8
) -> Fit:
    """Gauss and Newton's method with Levenberg's damping for the likelihood of errors.

    Parameters
    ----------
    errors : Residuals
    start : (P,) float64
    groups : (W,) int64
        Windows of one group are not independent of each other.
    steps : sequence of P floats
        Of the parameters, for differences.
    """
    h, count, damping = np.asarray(steps), len(start), 1e-3
    now = _Point.at(errors, np.array(start, dtype=np.float64))
    hessian, gradients = np.eye(count), np.zeros((1, count))
    for _ in range(iterations):
        weights = now.likelihood.weights(now.scales)
        slopes = np.stack([errors(now.values + h * (np.arange(count) == k)) - now.errors for k in range(count)])
        each = np.einsum("pswnd,swn,swnd->pw", slopes, weights, now.errors)
        flat = slopes.reshape(count, -1)
        hessian = (flat * np.repeat(weights.ravel(), now.errors.shape[-1])) @ flat.T
        gradients = np.stack([np.bincount(groups, row) for row in each], axis=1)
        gradient = gradients.sum(axis=0)
        for _try in range(6):
            lifted = hessian + damping * np.diag(np.diag(hessian) + 1e-300)
            step = -np.linalg.lstsq(lifted, gradient, rcond=1e-12)[0]
            new = _Point.at(errors, now.values + h * step)
            if new.total > now.total - 1e-9 * abs(now.total):
                break
            damping *= 10
        else:
            break
        for _longer in range(MOST_DOUBLINGS):  # weights change with the step, which assumes that they do not
            step = 2 * step
            further = _Point.at(errors, now.values + h * step)
            if further.total < new.total + LEAST_GAIN:
                break
            new = further
        gain, now, damping = new.total - now.total, new, max(damping / 10, 1e-9)
        if gain < LEAST_GAIN:
            break
    inverse = np.linalg.pinv(hessian, rcond=1e-14, hermitian=True)
    covariance = inverse @ (gradients.T @ gradients) @ inverse * np.outer(h, h)
    return Fit(now.values, covariance, now.scales, now.likelihood.log(now.scales))


@dataclass(frozen=True)
class _Point:
    """Parameters (P,), their errors, and the logarithm of their likelihood with its own scales."""

    values: FloatArray
    errors: FloatArray
    likelihood: Likelihood
    scales: FloatArray
    total: float

    @classmethod
    def at(cls, errors: Residuals, values: FloatArray) -> "_Point":
        found = errors(values)
        made = likelihood(found)
        scales = made.scales
        return cls(values, found, made, scales, float(made.log(scales).sum()))
