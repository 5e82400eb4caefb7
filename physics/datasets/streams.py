"""Legacy NumPy streams of public generators: all trajectories of a set are drawn from one seeded stream, in order.

What a generator draws and does not use (noise that it multiplies by 0) is drawn here and thrown away, so that the
next trajectory is theirs too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from physics.types import FloatArray

SPEED = 0.5
"""Initial speed of every charge in every set."""

WALL = 5.0
"""Half side of the box that the charged sets' generators have, and reflect nothing but starts in [length]."""

State = tuple[FloatArray, FloatArray, FloatArray]
"""Positions and velocities (N, n), charges (N,)."""


@dataclass(frozen=True, eq=False)
class Stream:
    """One stream, and what is drawn from it.

    Attributes
    ----------
    seed : int
    counts : mapping of split to int
        Trajectories of each split, in the order in which the splits are drawn.
    draw : callable
        (stream, n_particles) -> the next initial state.
    """

    seed: int
    counts: Mapping[str, int]
    draw: Callable[[np.random.RandomState, int], State]
    _reached: dict[tuple[int, int], Any] = field(default_factory=dict)  # by N and trajectory, where splits meet

    def states(self, split: str, count: int, n_particles: int) -> Iterator[State]:
        """The first `count` initial states of a split; the draws of the splits before it are walked."""
        names = list(self.counts)
        skipped = sum(self.counts[name] for name in names[: names.index(split)])
        stream = np.random.RandomState(self.seed)
        begun = max((at for size, at in self._reached if size == n_particles and at <= skipped), default=0)
        if begun:
            stream.set_state(self._reached[n_particles, begun])
        for index in range(begun, skipped + count):
            state = self.draw(stream, n_particles)
            if index + 1 in (skipped, skipped + count):
                self._reached[n_particles, index + 1] = stream.get_state(legacy=True)
            if index >= skipped:
                yield state


def charged(n_frames: int) -> Callable[[np.random.RandomState, int], State]:
    """Draws of the published charged set in n = 3, of trajectories of `n_frames` stored frames.

    Charges, positions and velocities as (n, N) arrays, then two arrays of noise (n_frames, n, N).

    Notes
    -----
    **Source** Satorras et al. 2021, section 5.1, and its public generator.
    """

    def draw(stream: np.random.RandomState, n_particles: int) -> State:
        q = stream.choice([-1.0, 0.0, 1.0], size=(n_particles, 1), p=[0.5, 0.0, 0.5])
        x = stream.randn(3, n_particles) * (n_particles / 5) ** (1 / 3)
        v = stream.randn(3, n_particles)
        v = v * SPEED / np.sqrt((v**2).sum(axis=0, keepdims=True))
        for _ in range(2):
            stream.randn(n_frames, 3, n_particles)
        return x.T, v.T, q[:, 0]

    return draw


def seeded(stream: np.random.RandomState, n_particles: int) -> State:
    """Draws of the Newtonian many-body sets: a seed, and the charged set's numbers from a stream of that seed.

    What starts beyond a wall is reflected, position and velocity: with 20 charges in one trajectory of ten.

    Notes
    -----
    **Source** the generator in the code of Du et al. 2022 (ClofNet). Its workers hand in trajectories in any
    order; here they stand in the order of their seeds. Its box reflects the start alone, in place.
    """
    x, v, q = charged(0)(np.random.RandomState(stream.choice(1_000_000)), n_particles)
    beyond, side = np.abs(x) > WALL, np.sign(x)
    return np.where(beyond, side * 2 * WALL - x, x), np.where(beyond, -side * np.abs(v), v), q


def gravitating(n_frames: int) -> Callable[[np.random.RandomState, int], State]:
    """Draws of the gravity sets in n = 3: positions, velocities, three arrays of noise (n_frames, N, n).

    Notes
    -----
    **Source** the generator in the code of Brandstetter et al. 2022 (SEGNN).
    """

    def draw(stream: np.random.RandomState, n_particles: int) -> State:
        x, v = stream.randn(n_particles, 3), stream.randn(n_particles, 3)
        v -= v.mean(axis=0)
        for _ in range(3):
            stream.randn(n_frames, n_particles, 3)
        return x, v, np.zeros(n_particles)

    return draw
