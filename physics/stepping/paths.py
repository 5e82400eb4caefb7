"""Runs of integrators that choose their own steps: one system at a time, going on from a memory."""

import math

import numpy as np

from physics.errors import InputError, SimulationError
from physics.integrators.base import HEAD, Integrator
from physics.massless import without_traces
from physics.types import FloatArray, State, System, Trajectory


def adaptive_trajectory(
    system: System, state: State, times: FloatArray, stepper: Integrator, dt: float
) -> Trajectory:
    """The trajectory by an integrator that chooses its own steps; it goes on from the state's memory, if any."""
    assert stepper.memory_size is not None
    if not math.isfinite(dt) or dt <= 0:
        raise InputError(f"dt must be positive and finite; got {dt}")
    n, d = state.positions.shape
    size = stepper.memory_size(n, d)
    memory = np.zeros(size) if state.memory is None else np.array(state.memory, dtype=np.float64)
    if memory.shape != (size,):
        raise InputError(
            f"the state's memory must be ({size},) for {n} particles in {d} dimensions; got {memory.shape}"
        )
    begun, step = memory[1], memory[2]
    if memory[0] and not 0 <= (state.time - begun) / step <= 1:
        raise InputError(
            f"the state's memory is of a step from t = {begun:g} to {begun + step:g}; its time is {state.time:g}"
        )
    x, v = path_of(system, state.positions, state.velocities, times, stepper, dt, memory)
    return Trajectory(times, x, v, system, 0.0, memory)


def path_of(
    system: System,
    positions: FloatArray,
    velocities: FloatArray,
    times: FloatArray,
    stepper: Integrator,
    dt: float,
    memory: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """States of one system at `times` by an adaptive integrator, (F, N, n) each; `memory` is updated.

    Raises
    ------
    SimulationError
        Where the steps became too small to go on, or the state is no longer finite.
    """
    assert stepper.path is not None
    n, d = positions.shape
    x_out, v_out = np.empty((2, len(times), n, d))
    x, v = (np.array(values, dtype=np.float64) for values in (positions, velocities))
    if stepper.path(x, v, system.forces(d), times, dt, memory, x_out, v_out) < 0:
        where = _closest_pair(system, memory[HEAD : HEAD + n * d].reshape(n, d))
        raise SimulationError(
            f"the step became too small near t = {memory[1]:g}{where}: a close encounter of law {system.law!r} "
            "cannot be resolved; raise eps"
        )
    bad = ~(np.isfinite(x_out) & np.isfinite(v_out)).all(axis=-1)
    if bad.any():
        frame, particle = map(int, np.argwhere(bad)[0])
        raise SimulationError(
            f"the state is not finite by t = {times[frame]:g} (particle {particle}): numbers too large to square"
        )
    return without_traces(x_out, system.masses), without_traces(v_out, system.masses)


def _closest_pair(system: System, positions: FloatArray) -> str:
    """The closest pair, for a message."""
    pairs = [(i, j) for i in range(len(positions)) for j in range(i)]
    if not pairs:
        return " (particle 0)"
    with np.errstate(over="ignore", invalid="ignore"):
        apart = [
            float(np.linalg.norm(system.boundary.nearest_images(positions[i] - positions[j]))) for i, j in pairs
        ]
    i, j = pairs[int(np.argmin(apart))]
    return f" (particles {j} and {i}, {min(apart):.2g} apart)"
