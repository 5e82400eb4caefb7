"""Many systems of a published set with fields or edges, run by that set's own update."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from physics.boundaries import OPEN, Boundary
from physics.fields import NO_FIELDS, Fields
from physics.integrators.kick_drift import kick_drift
from physics.kernels.parameters import Forces
from physics.laws.names import resolve_parameters
from physics.laws.packing import packed_parameters
from physics.machine import available_cores
from physics.stepping.batch import Batch, block_lanes, filled_lanes, pack_lanes, run_blocks
from physics.stepping.schedule import Schedule
from physics.sums.external import LaneExternal
from physics.types import FloatArray


@dataclass(frozen=True, eq=False)
class External:
    """What acts in some systems beside their law, which a clamp takes in.

    Attributes
    ----------
    uniform : (n_dims,) float64 [length/time^2]
        Acceleration of every particle: a force by mass.
    magnetic : (n_dims, n_dims) float64 antisymmetric
        B of the force q B v.
    edges : (n_systems, n_particles, n_particles) float64
        Weights of the springs between pairs, which are then the law `spring`.
    boundary : Boundary
        Open space or reflecting walls.
    """

    uniform: FloatArray | None = None
    magnetic: FloatArray | None = None
    edges: FloatArray | None = None
    boundary: Boundary = OPEN

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        given = (self.uniform, self.magnetic, self.edges)
        return any(values is not None for values in given) or self.boundary.reflects

    def part(self, which: Any) -> "External":
        """That of some of the systems."""
        return self if self.edges is None else replace(self, edges=self.edges[which])

    def law(self, law: str, parameters: Mapping[str, Any], n_dims: int) -> tuple[FloatArray, float]:
        """The law's parameters as kernels read them, without its clamp, and where that clamp is [force]."""
        values = resolve_parameters(law, parameters)
        limit = float(values.get("force_limit", np.inf))
        if "force_limit" in values:
            values["force_limit"] = np.inf
        fields = NO_FIELDS if self.magnetic is None else Fields(magnetic=self.magnetic)
        return packed_parameters(law, values, n_dims, fields, self.boundary), limit

    def lanes(self, block: slice, lanes: int, limit: float, norm_limit: float = np.inf) -> LaneExternal:
        """What kernels take of it for a block of systems."""
        edges = np.empty((0, 0, 0)) if self.edges is None else pack_lanes(self.edges[block], lanes)
        uniform = np.empty(0) if self.uniform is None else np.array(self.uniform)
        return LaneExternal(uniform, edges, self.magnetic is not None, limit, norm_limit)


NO_EXTERNAL = External()


def external_batch(
    positions: FloatArray,
    velocities: FloatArray,
    charges: FloatArray,
    external: External,
    *,
    law: str,
    parameters: Mapping[str, Any],
    schedule: Schedule,
    masses: FloatArray | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Trajectories of many systems among external forces; arguments as :func:`physics.simulate.simulate_batch`.

    Returns
    -------
    positions, velocities : (n_systems, n_intervals + 1, n_particles, n_dims) float64
    """
    n_systems, n, d = positions.shape
    packed, limit = external.law(law, parameters, d)
    masses = np.ones((n_systems, n)) if masses is None else masses
    external.boundary.refuse_outside(positions)
    paths = np.empty((2, n_systems, len(schedule.n_steps) + 1, n, d))
    batch = Batch(positions, velocities, charges, masses, packed, schedule, 0.0, paths)

    def run(block: slice) -> int:
        whole = external.lanes(block, filled_lanes(block.stop - block.start, n), limit)

        def step(x: FloatArray, v: FloatArray, forces: Forces, a: FloatArray, dt: float, n_steps: int) -> None:
            edges = np.ascontiguousarray(whole.edges[..., : x.shape[2]])
            kick_drift(x, v, forces, whole._replace(edges=edges), a, dt, n_steps)

        return batch.run_steps(block, step, step)

    run_blocks(run, n_systems, workers or available_cores(), progress, block_lanes(n * d))
    return paths[0], paths[1]
