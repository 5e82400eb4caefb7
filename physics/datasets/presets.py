"""The data presets: how each data set's initial states are drawn, under which law, stored when.

Trajectory i of a split depends on (seed, split, i) alone, so any part of the work gives the same bytes.
The exceptions are published sets whose generators draw everything from one legacy stream (`streams`).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from physics.datasets.draws import bound_charges, no_charges, real_charges, two_groups, within_groups
from physics.datasets.published import PUBLISHED
from physics.datasets.recipes import SPLITS as SPLITS
from physics.datasets.recipes import Preset, same
from physics.datasets.streams import State
from physics.errors import InputError
from physics.types import FloatArray

_isotropic: dict[str, Any] = {
    "law": "coulomb",
    "integrator": "leapfrog",
    "dt": 5e-5,
    "sizes": {"train": 3000, "valid": 2000, "test": 2000},
    "seed": 0,
    "input_frame": same(31),
    "target_frame": same(41),
}
_unknown_law: dict[str, Any] = {
    **_isotropic,
    "times": same(0.1 * np.arange(132)),
    "sizes": {"train": 90, "valid": 10, "test": 100},
}

PRESETS: dict[str, Preset] = {
    **PUBLISHED,
    "charged-iso": Preset(
        **_isotropic,
        parameters={"eps": 0.1, "p": 2.0},
        times=same(0.1 * np.arange(132)),
        description="free charges under the softened isotropic law, any n and N",
    ),
    "charged-bound": Preset(
        **_isotropic,
        parameters={"eps": 0.1, "p": 2.0, "kappa": 0.5},
        times=same(0.1 * np.arange(232)),
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
    "two-groups": Preset(
        law="spring",
        parameters={"k": 1.0},
        integrator="symplectic-euler",
        dt=0.001,
        times=same(0.1 * np.arange(1, 50)),
        first_frame_is_start=False,
        sizes={"train": 3000, "valid": 2000, "test": 2000},
        seed=0,
        particles=6,
        input_frame=same(30),
        target_frame=same(40),
        draw=two_groups,
        edges=within_groups,
        description="two groups with springs inside and nothing across; a charge of +-1 says which is which",
    ),
}


class States(NamedTuple):
    """Initial states of some trajectories: x, v (S, N, n); charges, masses (S, N); edges (S, N, N) or none."""

    x: FloatArray
    v: FloatArray
    q: FloatArray
    m: FloatArray
    edges: FloatArray | None = None


def initial_states(preset: str, split: str, indices: range, *, n_particles: int, n_dims: int, seed: int) -> States:
    """Initial states of trajectories of a preset in which each has a random stream of its own."""
    drawn = []
    for index in indices:
        rng = np.random.default_rng([seed, SPLITS.index(split), index])
        state = draw_state(preset, n_particles, n_dims, rng)
        masses = draw_masses(preset, n_particles, rng)
        edges = PRESETS[preset].edges
        drawn.append((*state, masses, *(() if edges is None else (edges(state[2], rng),))))
    return States(*(np.array(values) for values in zip(*drawn, strict=True)))


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
