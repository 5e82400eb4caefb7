"""The data sets of published benchmarks, made by their recipes: :data:`PUBLISHED`.

Where a public generator draws everything from one legacy stream, so do these (`streams`): the same trajectories in
the same order. Where it draws in workers without seeds, each trajectory has a random stream of our own.
"""

from typing import Any

import numpy as np

from physics.datasets.draws import half_of_pairs, near_no_charges, spread_charges
from physics.datasets.recipes import SPLITS, Preset, same
from physics.datasets.streams import Stream, charged, gravitating, seeded

PUBLISHED_STREAM = {"train": 10_000, "valid": 2_000, "test": 2_000}
"""Trajectories per split in the published generator's stream, drawn in this order."""

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
    "times": same(0.1 * np.arange(50)),
    "sizes": PUBLISHED_STREAM,
    "seed": 43,
    "fixed_shape": True,
    "streams": same(Stream(43, PUBLISHED_STREAM, gravitating(50))),
}
_clamped: dict[str, Any] = {
    **_published,
    "seed": 43,
    "input_frame": same(30),
    "target_frame": same(40),
}
_newtonian_counts = {"valid": 2_000, "test": 2_000, "train": 3_000}
_newtonian: dict[str, Any] = {
    **_clamped,
    "parameters": {"eps": 1e-3},
    "times": same(_published_times),
    "sizes": {name: _newtonian_counts[name] for name in SPLITS},
    "streams": same(Stream(43, _newtonian_counts, seeded)),
}
_fast: dict[str, Any] = {
    **_clamped,
    "times": same(0.001 + 0.1 * np.arange(50)),
    "sizes": {"train": 5_000, "valid": 2_000, "test": 2_000},
    "draw": spread_charges,
}

PUBLISHED: dict[str, Preset] = {
    "nbody-reference": Preset(
        **_published,
        times=same(_published_times),
        sizes=PUBLISHED_STREAM,
        seed=43,
        description="the published charged N-body set (Satorras et al. 2021, section 5.1), its own random stream",
        input_frame=same(30),
        target_frame=same(40),
        streams=same(_published_stream),
    ),
    "nbody-reference-long": Preset(
        **_published,
        times=same(0.1 * np.arange(1, 52)),
        sizes=PUBLISHED_STREAM,
        seed=43,
        description="the same recipe with 51 frames, so other trajectories: for targets up to frame 50",
        input_frame=same(30),
        target_frame=same(40),
        streams=same(Stream(43, PUBLISHED_STREAM, charged(51))),
    ),
    "nbody-reference-large": Preset(
        **_published,
        times={"train": 0.5 * np.arange(1, 10), "valid": _published_times, "test": _published_times},
        sizes={"train": 50_000, "valid": 2_000, "test": 2_000},
        seed=42,
        description="its large training set for the data-efficiency sweep (seed 42; valid and test of seed 43)",
        input_frame={"train": 6, "valid": 30, "test": 30},
        target_frame={"train": 8, "valid": 40, "test": 40},
        streams=same(_published_stream) | {"train": Stream(42, {"train": 50_000}, charged(9))},
    ),
    "gravity-5": Preset(
        **_gravity,
        description="softened gravity of 5 equal masses, the set of SEGNN and SEGNO, its own random stream",
        input_frame=same(0),
        target_frame=same(10),
    ),
    "gravity-100": Preset(
        **_gravity,
        particles=100,
        description="the same of 100 masses (0.24 MB a trajectory)",
        input_frame=same(30),
        target_frame=same(40),
    ),
    "es-5": Preset(
        **_newtonian,
        description="ClofNet's Newtonian set ES(5): charges alone, its own random stream",
    ),
    "es-20": Preset(
        **_newtonian,
        particles=20,
        description="ES(20): the same of 20 charges",
    ),
    "g+es-20": Preset(
        **_newtonian,
        particles=20,
        uniform_field=np.array([0.0, 0.0, 0.098]),
        description="G+ES(20): with a uniform force of 0.098 along the third axis, by mass",
    ),
    "l+es-20": Preset(
        **_newtonian,
        particles=20,
        magnetic_field=0.5 * np.array([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]]),
        description="L+ES(20): with the force q v x b, b = (0.5, 0.5, 0.5)",
    ),
    **{
        f"charged-{n}": Preset(
            **_fast,
            particles=n,
            description=f"{n} charges by the recipe of FastEGNN and HEGNN (random streams of our own)",
        )
        for n in (20, 50, 100)
    },
    "springs-5": Preset(
        **_clamped
        | {"law": "spring", "parameters": {"k": 0.5}, "times": same(_published_times), "sizes": PUBLISHED_STREAM},
        draw=near_no_charges,
        edges=half_of_pairs,
        walls={2: 5.0},
        description="springs on half of the pairs, as NRI has them: n = 3 of EGNN's code, or n = 2 between walls",
    ),
}
"""They go into :data:`physics.datasets.presets.PRESETS`."""
