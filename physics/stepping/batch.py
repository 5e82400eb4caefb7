"""Many systems of one size, side by side in the lanes of blocks, and blocks in the threads of a pool."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from physics.integrators.base import Integrator, Step
from physics.kernels.inverse_cube import GROUP
from physics.kernels.parameters import Forces
from physics.kernels.vectors import CACHE_LINE
from physics.machine import available_cores
from physics.stepping.guards import refuse_non_finite
from physics.stepping.paths import path_of
from physics.stepping.schedule import Schedule
from physics.sums.lanes import LANES
from physics.sums.large_systems import LARGE
from physics.types import FloatArray, System

BLOCK_NUMBERS = 1024
"""Coordinates of a block that fit into the nearest cache three times, spread over it by their stride."""


def pack_lanes(values: FloatArray, lanes: int = 0) -> FloatArray:
    """(systems, ...) to contiguous (..., lanes); always a copy, since kernels work in place.

    Where more lanes than systems are asked for, the others do what the last system does.
    """
    count = len(values)
    packed = aligned_zeros((*values.shape[1:], max(lanes, count)))
    packed[..., :count] = np.moveaxis(values, 0, -1)
    packed[..., count:] = packed[..., count - 1 : count]
    return packed


def aligned_zeros(shape: tuple[int, ...]) -> FloatArray:
    """Zeros that begin at a cache line: vectors that straddle two cost half the speed."""
    size = math.prod(shape)
    raw = np.zeros(size + CACHE_LINE // 8)
    first = -raw.ctypes.data % CACHE_LINE // 8
    return raw[first : first + size].reshape(shape)


def block_lanes(coordinates: int) -> int:
    """Systems of so many coordinates a block: one group of lanes for large ones, so that it stays in the cache."""
    return LANES if coordinates * LANES <= BLOCK_NUMBERS else GROUP


def filled_lanes(count: int, n_particles: int) -> int:
    """Lanes of a block of `count` systems: whole groups, except of one or of large systems."""
    return count if count == 1 or n_particles >= LARGE else count + -count % GROUP


def run_blocks(
    run: Callable[[slice], int],
    n_systems: int,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lanes: int = LANES,
) -> None:
    """Call `run` on every block of `lanes` systems from a pool of threads; the first error stops the rest."""
    blocks = [slice(s, min(s + lanes, n_systems)) for s in range(0, n_systems, lanes)]
    n_workers = workers or available_cores()
    if n_workers == 1 or len(blocks) == 1:
        for block in blocks:
            done = run(block)
            if progress:
                progress(done)
        return
    with ThreadPoolExecutor(n_workers) as pool:
        try:
            for done in pool.map(run, blocks):
                if progress:
                    progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@dataclass(frozen=True, eq=False)
class Batch:
    """Systems under one law, their start and the place of their trajectories.

    Attributes
    ----------
    positions, velocities : (n_systems, n_particles, n_dims) float64
    charges, masses : (n_systems, n_particles) float64
    parameters : (any,) float64
        As packed for kernels.
    schedule : Schedule
    start_time : float [time]
    paths : (2, n_systems, n_intervals + 1, n_particles, n_dims) float64
        Written: positions and velocities at every frame.
    """

    positions: FloatArray
    velocities: FloatArray
    charges: FloatArray
    masses: FloatArray
    parameters: FloatArray
    schedule: Schedule
    start_time: float
    paths: FloatArray

    def run_steps(self, block: slice, step: Step, block_step: Step) -> int:
        """Run a block of systems side by side in lanes by equal steps; how many they were.

        Parameters
        ----------
        step, block_step : callable
            The kernel, and the same or one that shares its work among threads.
        """
        count, n = block.stop - block.start, self.positions.shape[1]
        lanes = filled_lanes(count, n)
        x, v, q, m = (
            pack_lanes(values[block], lanes)
            for values in (self.positions, self.velocities, self.charges, self.masses)
        )
        forces, a = Forces(q, m, self.parameters), aligned_zeros(x.shape)
        frames = np.empty((2, *self.paths.shape[2:], count))
        (x_frames, v_frames), x_used, v_used = frames, x[..., :count], v[..., :count]
        x_frames[0], v_frames[0] = x_used, v_used
        steps = zip(self.schedule.dt.tolist(), self.schedule.n_steps.tolist(), strict=True)
        for frame, (dt, n_steps) in enumerate(steps, 1):
            block_step(x, v, forces, a, dt, n_steps)
            x_frames[frame], v_frames[frame] = x_used, v_used
        self.paths[:, block] = np.moveaxis(frames, -1, 1)

        def advance(system: int, frame: int, x: FloatArray, v: FloatArray, n_steps: int) -> None:
            q, m = (values[system][:, None].copy() for values in (self.charges, self.masses))
            step(
                x, v, Forces(q, m, self.parameters), np.empty_like(x), float(self.schedule.dt[frame - 1]), n_steps
            )

        x_out, v_out = self.paths[:, block]
        refuse_non_finite(x_out, v_out, self.schedule, self.start_time, block.start, advance)
        return int(count)

    def run_paths(self, block: slice, stepper: Integrator, system: Callable[[int], System]) -> int:
        """Run the systems of a block, each with steps of its own; how many they were."""
        assert stepper.memory_size is not None
        times, first = self.schedule.times(self.start_time), abs(float(self.schedule.dt[0]))
        for s in range(block.start, block.stop):
            memory = np.zeros(stepper.memory_size(*self.positions.shape[1:]))
            self.paths[:, s] = path_of(
                system(s), self.positions[s], self.velocities[s], times, stepper, first, memory
            )
        return int(block.stop - block.start)
