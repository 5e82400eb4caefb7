"""What a data preset is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.draws import free_charges
from physics.datasets.streams import State, Stream
from physics.types import FloatArray

SPLITS = ("train", "valid", "test")

Draw = Callable[[int, int, np.random.Generator], State]
EdgeDraw = Callable[[FloatArray, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Preset:
    """A data set recipe.

    Attributes
    ----------
    law, parameters : str, mapping
    dt : float [time]
    times : mapping of split to (n_frames,) float64 [time]
    sizes : mapping of split to int
        Default numbers of trajectories.
    seed : int
    particles : int
        N; another can be asked for unless `fixed_shape`.
    fixed_shape : bool
        Only this N, and n = 3 or one with walls: a published set.
    streams : mapping of split to Stream
        Of a set whose public generator draws all trajectories from one legacy stream.
    first_frame_is_start : bool
        Whether the initial state is stored.
    draw : callable
        (n_particles, n_dims, rng) -> positions, velocities (N, n), charges (N,): one initial state.
    masses : (float, float), optional [mass]
        Drawn uniformly between these and stored; else 1 and not stored.
    uniform_field, magnetic_field : (n,), (n, n) float64, optional
        Acceleration of every particle [length/time^2], and B of the force q B v; stored with each trajectory.
    edges : callable, optional
        (charges (N,), rng) -> weights (N, N) of the springs between pairs of one system, drawn last; stored.
    walls : mapping of n to float [length]
        Half side of the reflecting box in n dimensions.
    input_frame, target_frame : mapping of split to int
        The task's default window.
    description : str
    """

    law: str
    parameters: Mapping[str, float]
    integrator: str
    dt: float
    times: Mapping[str, NDArray[Any]]
    sizes: Mapping[str, int]
    seed: int
    description: str
    input_frame: Mapping[str, int]
    target_frame: Mapping[str, int]
    particles: int = 5
    fixed_shape: bool = False
    first_frame_is_start: bool = True
    streams: Mapping[str, Stream] = field(default_factory=dict)
    draw: Draw = free_charges
    masses: tuple[float, float] | None = None
    uniform_field: FloatArray | None = None
    magnetic_field: FloatArray | None = None
    edges: EdgeDraw | None = None
    walls: Mapping[int, float] = field(default_factory=dict)

    @property
    def dims(self) -> tuple[int, ...]:
        """The n that a set of fixed shape has."""
        return (3, *self.walls)

    def arrays(self, n_particles: int, n_dims: int) -> dict[str, tuple[int, ...]]:
        """What is stored of each trajectory beside its frames: names and shapes."""
        shapes: dict[str, tuple[int, ...]] = {"charges": (n_particles,)}
        if self.masses:
            shapes["masses"] = (n_particles,)
        if self.edges:
            shapes["edges"] = (n_particles, n_particles)
        if self.uniform_field is not None:
            shapes["uniform_field"] = (n_dims,)
        if self.magnetic_field is not None:
            shapes["magnetic_field"] = (n_dims, n_dims)
        return shapes


def same(value: Any) -> dict[str, Any]:
    """One value for every split."""
    return dict.fromkeys(SPLITS, value)
