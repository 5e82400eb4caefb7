"""The data presets: how each data set's initial states are drawn, under which law, stored when.

Trajectory i of a split depends on (seed, split, i) alone, so any part of the work gives the same bytes.
The exceptions are published sets whose generators draw everything from one legacy stream (`streams`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.streams import SPEED, State, Stream, charged, gravitating
from physics.errors import InputError
from physics.types import FloatArray

SPLITS = ("train", "valid", "test")

PUBLISHED_STREAM = {"train": 10_000, "valid": 2_000, "test": 2_000}
"""Trajectories per split in the published generator's stream, drawn in this order."""

Draw = Callable[[int, int, np.random.Generator], State]


def _free(n_particles: int, n_dims: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Positions N(0, 1) (N/5)^(1/3) and velocities of speed 0.5 in random directions."""
    x = rng.standard_normal((n_particles, n_dims)) * (n_particles / 5) ** (1 / 3)
    v = rng.standard_normal((n_particles, n_dims))
    v *= SPEED / np.linalg.norm(v, axis=-1, keepdims=True)
    return x, v


def free_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of +-1."""
    x, v = _free(n_particles, n_dims, rng)
    return x, v, rng.choice([-1.0, 1.0], size=n_particles)


def real_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of 0.5 to 2 and either sign."""
    x, v, signs = free_charges(n_particles, n_dims, rng)
    return x, v, signs * rng.uniform(0.5, 2.0, n_particles)


def no_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of 0."""
    return *_free(n_particles, n_dims, rng), np.zeros(n_particles)


def bound_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """In the centre-of-mass frame, with charges that alternate from one random sign."""
    x, v = _free(n_particles, n_dims, rng)
    x -= x.mean(axis=0)
    v -= v.mean(axis=0)
    return x, v, rng.choice([-1.0, 1.0]) * np.where(np.arange(n_particles) % 2 == 0, 1.0, -1.0)


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
        Only n = 3 and this N: a published set.
    streams : mapping of split to Stream
        Of a set whose public generator draws all trajectories from one legacy stream.
    first_frame_is_start : bool
        Whether the initial state is stored.
    draw : callable
        (n_particles, n_dims, rng) -> positions, velocities (N, n), charges (N,): one initial state.
    masses : (float, float), optional [mass]
        Drawn uniformly between these and stored; else 1 and not stored.
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


def _same(value: Any) -> dict[str, Any]:
    return dict.fromkeys(SPLITS, value)


_published_times = 0.1 * np.arange(1, 50)
_published_stream = Stream(43, PUBLISHED_STREAM, charged(49))
_published: dict[str, Any] = {
    "law": "reference",
    "parameters": {},
    "integrator": "symplectic-euler",
    "dt": 0.001,
    "fixed_shape": True,
    "first_frame_is_start": False,
}
_gravity: dict[str, Any] = {
    "law": "gravity",
    "parameters": {"eps": 0.1, "G": 1.0},
    "integrator": "leapfrog",
    "dt": 0.001,
    "times": _same(0.1 * np.arange(50)),
    "sizes": PUBLISHED_STREAM,
    "seed": 43,
    "fixed_shape": True,
    "streams": _same(Stream(43, PUBLISHED_STREAM, gravitating(50))),
}
_isotropic: dict[str, Any] = {
    "law": "coulomb",
    "integrator": "leapfrog",
    "dt": 5e-5,
    "sizes": {"train": 3000, "valid": 2000, "test": 2000},
    "seed": 0,
    "input_frame": _same(31),
    "target_frame": _same(41),
}
_unknown_law: dict[str, Any] = {
    **_isotropic,
    "times": _same(0.1 * np.arange(132)),
    "sizes": {"train": 90, "valid": 10, "test": 100},
}

PRESETS: dict[str, Preset] = {
    "nbody-reference": Preset(
        **_published,
        times=_same(_published_times),
        sizes=PUBLISHED_STREAM,
        seed=43,
        description="the published charged N-body set (Satorras et al. 2021, section 5.1), its own random stream",
        input_frame=_same(30),
        target_frame=_same(40),
        streams=_same(_published_stream),
    ),
    "nbody-reference-long": Preset(
        **_published,
        times=_same(0.1 * np.arange(1, 52)),
        sizes=PUBLISHED_STREAM,
        seed=43,
        description="the same recipe with 51 frames, so other trajectories: for targets up to frame 50",
        input_frame=_same(30),
        target_frame=_same(40),
        streams=_same(Stream(43, PUBLISHED_STREAM, charged(51))),
    ),
    "nbody-reference-large": Preset(
        **_published,
        times={"train": 0.5 * np.arange(1, 10), "valid": _published_times, "test": _published_times},
        sizes={"train": 50_000, "valid": 2_000, "test": 2_000},
        seed=42,
        description="its large training set for the data-efficiency sweep (seed 42; valid and test of seed 43)",
        input_frame={"train": 6, "valid": 30, "test": 30},
        target_frame={"train": 8, "valid": 40, "test": 40},
        streams=_same(_published_stream) | {"train": Stream(42, {"train": 50_000}, charged(9))},
    ),
    "gravity-5": Preset(
        **_gravity,
        description="softened gravity of 5 equal masses, the set of SEGNN and SEGNO, its own random stream",
        input_frame=_same(0),
        target_frame=_same(10),
    ),
    "gravity-100": Preset(
        **_gravity,
        particles=100,
        description="the same of 100 masses (0.24 MB a trajectory)",
        input_frame=_same(30),
        target_frame=_same(40),
    ),
    "charged-iso": Preset(
        **_isotropic,
        parameters={"eps": 0.1, "p": 2.0},
        times=_same(0.1 * np.arange(132)),
        description="free charges under the softened isotropic law, any n and N",
    ),
    "charged-bound": Preset(
        **_isotropic,
        parameters={"eps": 0.1, "p": 2.0, "kappa": 0.5},
        times=_same(0.1 * np.arange(232)),
        draw=bound_charges,
        description="alternating charges held together by a weak pull, any n and N: roll-outs mean something here",
    ),
    "law-gravity": Preset(
        **_unknown_law | {"law": "gravity"},
        parameters={"eps": 0.1, "G": 1.0},
        draw=no_charges,
        masses=(0.5, 2.0),
        description="softened gravity, masses of 0.5 to 2 (a law to be recovered from 100 trajectories)",
    ),
    "law-spring": Preset(
        **_unknown_law | {"law": "spring"},
        parameters={"k": 0.5},
        draw=no_charges,
        description="equal springs between all pairs (a law to be recovered)",
    ),
    "law-yukawa": Preset(
        **_unknown_law | {"law": "yukawa"},
        parameters={"eps": 0.1, "screening": 2.0},
        description="screened charges (a law to be recovered)",
    ),
    "law-softcore": Preset(
        **_unknown_law | {"law": "softcore"},
        parameters={"eps": 0.5},
        description="a 1/r force with a soft core between charges (a law to be recovered)",
    ),
    "law-couplings": Preset(
        **_unknown_law,
        parameters={"eps": 0.1, "p": 2.0},
        draw=real_charges,
        description="charges of any strength from 0.5 to 2 and either sign (a law to be recovered)",
    ),
}


def initial_states(
    preset: str, split: str, indices: range, *, n_particles: int, n_dims: int, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Initial positions, velocities (S, N, n), charges, masses (S, N) of trajectories of an isotropic preset."""
    drawn = []
    for index in indices:
        rng = np.random.default_rng([seed, SPLITS.index(split), index])
        state = draw_state(preset, n_particles, n_dims, rng)
        drawn.append((*state, draw_masses(preset, n_particles, rng)))
    x, v, q, m = (np.array(values) for values in zip(*drawn, strict=True))
    return x, v, q, m


def draw_masses(preset: str, n_particles: int, rng: np.random.Generator) -> FloatArray:
    """Masses (N,) of one system; drawn after its state."""
    span = PRESETS[preset].masses
    return np.ones(n_particles) if span is None else rng.uniform(*span, n_particles)


def draw_state(preset: str, n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """One initial state of a preset but for its masses: positions and velocities (N, n), charges (N,)."""
    if preset not in PRESETS:
        raise InputError(f"no preset {preset!r}")
    return PRESETS[preset].draw(n_particles, n_dims, rng)


def published_states(preset: str, split: str, count: int) -> Iterator[State]:
    """The first `count` initial states of a split of a published stream: positions, velocities, charges.

    Yields
    ------
    (N, n), (N, n), (N,) float64
        In stream order; the draws of the splits before it are walked and thrown away.
    """
    spec = PRESETS[preset]
    return spec.streams[split].states(split, count, spec.particles)
