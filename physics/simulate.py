"""`simulate()`, one system, and `simulate_batch()`, many: both run the same lane kernels with the same bits.

Systems are packed up to LANES at a time into blocks; blocks are independent, so the number of worker threads
cannot change a result. Systems of LARGE particles or more are run one after another, their receivers shared among
the threads, with sums in an order of their own (:mod:`physics.large_systems`).
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.errors import InputError, SimulationError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.forces import FORCES, LANES, packed_parameters, resolve_parameters
from physics.integrators import INTEGRATORS, Integrator, Step
from physics.integrators.gauss_radau import memory_size
from physics.lane_laws import FARTHEST, GROUP
from physics.large_systems import LARGE
from physics.shared_steps import shared_step
from physics.types import State, System, Trajectory

FloatArray = NDArray[np.float64]

REFERENCE_DT = 0.001
"""Step of the published generator."""

CACHE_LINE = 64
"""Bytes."""

BLOCK_NUMBERS = 1024
"""Coordinates of a block that fit into the nearest cache three times, spread over it by their stride."""

MAX_STEPS = 2_000_000_000
"""A run longer than this is refused: it would take a day even for two particles."""


@dataclass(frozen=True)
class Schedule:
    """From one frame to the next: how many steps of which size.

    Attributes
    ----------
    n_steps : (n_intervals,) int64
    dt : (n_intervals,) float64 [time]
    """

    n_steps: NDArray[np.int64]
    dt: FloatArray

    @classmethod
    def through(cls, times: FloatArray, dt: float) -> "Schedule":
        """Equal steps of at most `dt` in each interval of `times`, so that every time is met exactly."""
        intervals = np.diff(times)
        # The small slack keeps 0.1 / 0.001 at 100 steps when the interval is a rounded difference.
        n_steps = np.maximum(np.ceil(np.abs(intervals) / dt - 1e-6), 1).astype(np.int64)
        return cls(n_steps, intervals / n_steps)


def default_integrator(law: str, fields: Fields = NO_FIELDS) -> str:
    """The integrator that "auto" stands for."""
    if law == "reference":
        return "symplectic-euler"
    return "boris" if fields.on_velocity else "leapfrog"


def default_dt(system: System) -> float:
    """A step that resolves the law's shortest time scale (a softened head-on passage), in time units."""
    if system.law == "reference":
        return REFERENCE_DT
    eps = float(system.parameters.get("eps", 1.0))
    charges = system.masses if FORCES[system.law].couplings == "masses" else system.charges
    strongest = float(np.max(np.abs(charges))) ** 2 / float(system.masses.min())
    strongest *= abs(float(system.parameters.get("G", 1.0)))
    scale = math.sqrt(eps**3 / max(strongest, 1e-12))
    return min(5e-4, 0.02 * scale) if eps > 0 else 1e-4


def simulate(
    system: System,
    state: State,
    duration: float,
    *,
    times: ArrayLike | None = None,
    n_frames: int | None = None,
    integrator: str = "auto",
    dt: float | None = None,
) -> Trajectory:
    """The trajectory of one system from a given state.

    Parameters
    ----------
    system : System
    state : State
        Becomes frame 0.
    duration : float [time]
        Negative runs back in time, with a reversible integrator only.
    times : (n_frames,) float, optional [time]
        Output times, strictly monotonic from `state.time` to `state.time + duration`.
    n_frames : int, optional
        This many equally spaced frames instead (default 101).
    integrator : str
        A name of :data:`physics.integrators.INTEGRATORS`, or "auto".
    dt : float, optional [time]
        The largest step; by default chosen from the law. Of adaptive integrators: the first step tried.

    Returns
    -------
    Trajectory
        times (F,), positions and velocities (F, N, n).

    Raises
    ------
    InputError
        For arguments that do not fit.
    SimulationError
        For coincident particles under a law that is singular there, or a state that stops being finite.
    """
    duration = _real("duration", duration)
    if not math.isfinite(duration) or duration == 0:
        raise InputError(f"duration must be finite and not zero; got {duration}")
    if state.positions.shape[0] != system.n_particles:
        raise InputError(
            f"state has {state.positions.shape[0]} particles but system has {system.n_particles} charges"
        )
    output_times = _output_times(state.time, duration, times, n_frames)
    stepper = _integrator(system.law, integrator, system.fields)
    if duration < 0 and not stepper.reversible:
        name = default_integrator(system.law, system.fields) if integrator == "auto" else integrator
        reversible = ", ".join(key for key, row in INTEGRATORS.items() if row.reversible)
        raise InputError(
            f"duration must be positive for integrator {name!r} (reversible: {reversible}); got {duration:g}"
        )
    step = default_dt(system) if dt is None else _real("dt", dt)
    if stepper.adaptive:
        return _adaptive(system, state, output_times, stepper, step)
    schedule = schedule_through(output_times, step)
    positions, velocities = simulate_batch(
        state.positions[None],
        state.velocities[None],
        system.charges[None],
        masses=system.masses[None],
        law=system.law,
        parameters=dict(system.parameters),
        schedule=schedule,
        fields=system.fields,
        integrator=integrator,
        start_time=state.time,
        workers=None if system.n_particles >= LARGE else 1,
    )
    offset = stepper.velocity_offset * float(schedule.dt[0])
    return Trajectory(output_times, positions[0], velocities[0], system, offset)


def simulate_batch(
    positions: FloatArray,
    velocities: FloatArray,
    charges: FloatArray,
    *,
    schedule: Schedule,
    masses: FloatArray | None = None,
    law: str = "coulomb",
    parameters: dict[str, object] | None = None,
    fields: Fields = NO_FIELDS,
    integrator: str = "auto",
    start_time: float = 0.0,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Trajectories of many systems of the same size, in parallel over blocks of LANES.

    Parameters
    ----------
    positions, velocities : (n_systems, n_particles, n_dims) float64
        Positions within 1e150 of the origin.
    charges : (n_systems, n_particles) float64
    schedule : Schedule
        Intervals between frames; frame 0 is the start.
    masses : (n_systems, n_particles) float64, optional
        1 by default.
    workers : int, optional
        Threads; default: all cores. Results do not depend on it.
    progress : callable, optional
        Called with the number of systems just finished.

    Returns
    -------
    positions, velocities : (n_systems, n_intervals + 1, n_particles, n_dims) float64
    """
    n_systems, n, d = positions.shape
    resolved = resolve_parameters(law, parameters or {})
    packed = packed_parameters(law, resolved, d, fields)
    stepper = _integrator(law, integrator, fields)
    if masses is None:
        masses = np.ones((n_systems, n))
    if not FORCES[law].smooth_at_contact or resolved.get("eps") == 0.0:
        _refuse_coincident(law, positions)
    if np.abs(positions).max(initial=0.0) > FARTHEST:
        raise InputError(
            f"positions must be within {FARTHEST:.0e} of the origin; got {np.abs(positions).max():.3g}"
        )
    n_frames = len(schedule.n_steps) + 1
    x_out = np.empty((n_systems, n_frames, n, d))
    v_out = np.empty((n_systems, n_frames, n, d))
    code = FORCES[law].code

    def run_paths(block: slice) -> int:
        times = start_time + np.concatenate([[0.0], np.cumsum(schedule.n_steps * schedule.dt)])
        for s in range(block.start, block.stop):
            system = System(charges[s], masses[s], law, resolved, fields)
            memory, first = np.zeros(memory_size(n, d)), abs(float(schedule.dt[0]))
            x_out[s], v_out[s] = path_of(system, positions[s], velocities[s], times, stepper, first, memory)
        return int(block.stop - block.start)

    def run(block: slice, step: Step | None = stepper.step) -> int:
        assert step is not None
        count = block.stop - block.start
        lanes = count if count == 1 or n >= LARGE else count + -count % GROUP
        x, v, q, m = (pack_lanes(values[block], lanes) for values in (positions, velocities, charges, masses))
        a = aligned_zeros(x.shape)
        x_path, v_path = np.empty((2, n_frames, n, d, count))
        for frame in range(n_frames):
            if frame:
                dt, n_steps = float(schedule.dt[frame - 1]), int(schedule.n_steps[frame - 1])
                step(code, x, v, q, m, packed, a, dt, n_steps)
            x_path[frame], v_path[frame] = x[..., :count], v[..., :count]
        x_out[block], v_out[block] = np.moveaxis(x_path, -1, 0), np.moveaxis(v_path, -1, 0)
        _refuse_non_finite(x_out[block], v_out[block], schedule, start_time, block.start)
        return int(count)

    threads = workers or available_cores()
    if n >= LARGE and n_systems < threads and not fields.any:
        with shared_step(stepper.step, threads) as step:
            if step:
                run_blocks(lambda block: run(block, step), n_systems, 1, progress, 1)
                return x_out, v_out
    lanes = 1 if n >= LARGE else block_lanes(n * d)
    run_blocks(run_paths if stepper.adaptive else run, n_systems, workers, progress, lanes)
    return x_out, v_out


def _adaptive(system: System, state: State, times: FloatArray, stepper: Integrator, dt: float) -> Trajectory:
    """The trajectory by an integrator that chooses its own steps; it goes on from the state's memory, if any."""
    if not math.isfinite(dt) or dt <= 0:
        raise InputError(f"dt must be positive and finite; got {dt}")
    n, d = state.positions.shape
    size = memory_size(n, d)
    memory = np.zeros(size) if state.memory is None else np.array(state.memory, dtype=np.float64)
    if memory.size == size and memory[2] * (times[-1] - times[0]) < 0:
        memory = np.zeros(size)  # it was on its way in the other direction: nothing to go on with
    if memory.shape != (size,):
        raise InputError(
            f"the state's memory must be ({size},) for {n} particles in {d} dimensions; got {memory.shape}"
        )
    begun, step = memory[1], memory[2]
    if memory[0] and not 0 <= (state.time - begun) / step <= 1:
        raise InputError(
            f"the state's memory is of a step from t = {begun:g} to {begun + step:g}; its time is {state.time:g}"
        )
    if not FORCES[system.law].smooth_at_contact or system.parameters.get("eps") == 0.0:
        _refuse_coincident(system.law, state.positions[None])
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
        Where the steps became too small to go on.
    """
    assert stepper.path is not None
    n, d = positions.shape
    x_out, v_out = np.empty((2, len(times), n, d))
    packed = packed_parameters(system.law, system.parameters, d, system.fields)
    columns = (np.ascontiguousarray(values[:, None]) for values in (system.charges, system.masses))
    x, v = (np.array(values, dtype=np.float64) for values in (positions, velocities))
    q, m = columns
    code = FORCES[system.law].code
    if stepper.path(code, x, v, q, m, packed, times, dt, memory, x_out, v_out) < 0:
        raise SimulationError(
            f"the step became too small near t = {memory[1]:g}: a close encounter of law {system.law!r} cannot be "
            "resolved; raise eps"
        )
    return x_out, v_out


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
        futures = [pool.submit(run, block) for block in blocks]
        try:
            for future in futures:
                done = future.result()
                if progress:
                    progress(done)
        except BaseException:
            for future in futures:
                future.cancel()
            wait(futures, return_when=FIRST_EXCEPTION)
            raise


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _real(name: str, value: object) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)  # type: ignore[arg-type]  # whatever is no number is refused
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a number; got {value!r:.60}") from None


def _output_times(start: float, duration: float, times: ArrayLike | None, n_frames: int | None) -> FloatArray:
    if times is None:
        count = 101 if n_frames is None else n_frames
        if not isinstance(count, int | np.integer) or count < 2:
            raise InputError(f"n_frames must be a whole number of at least 2; got {count!r:.60}")
        return start + duration * np.arange(count) / (count - 1)
    if n_frames is not None:
        raise InputError("give times or n_frames, not both")
    try:
        output = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"times must be numbers; got {type(times).__name__}") from None
    steps = np.diff(output)
    direction = math.copysign(1.0, duration)
    if output.ndim != 1 or output.size < 2 or not np.isfinite(output).all() or not (steps * direction > 0).all():
        raise InputError("times must be finite, at least two, and run strictly in the direction of duration")
    tolerance = 1e-9 * max(1.0, abs(duration))
    if abs(output[0] - start) > tolerance or abs(output[-1] - start - duration) > tolerance:
        raise InputError(
            f"times must run from the state's time {start:g} to {start + duration:g}; "
            f"got {output[0]:g} to {output[-1]:g}"
        )
    return output


def _integrator(law: str, name: str, fields: Fields) -> Integrator:
    resolved = default_integrator(law, fields) if name == "auto" else name
    if resolved not in INTEGRATORS:
        raise unknown_name("integrator", resolved, [*INTEGRATORS, "auto"])
    if fields.on_velocity and not INTEGRATORS[resolved].takes_velocity_forces:
        able = ", ".join(key for key, row in INTEGRATORS.items() if row.takes_velocity_forces)
        raise InputError(f"integrator {resolved!r} takes no magnetic field and no drag; these do: {able}")
    return INTEGRATORS[resolved]


def schedule_through(times: FloatArray, dt: float) -> Schedule:
    """The schedule through `times` with steps of at most `dt`, refused where dt or the step count is absurd."""
    if not math.isfinite(dt) or dt <= 0:
        raise InputError(f"dt must be positive and finite; got {dt}")
    expected = abs(times[-1] - times[0]) / dt
    if expected > MAX_STEPS:
        raise InputError(f"dt = {dt:g} means {expected:.3g} steps; at most {MAX_STEPS:.0e} are allowed")
    return Schedule.through(times, dt)


def _coincident(positions: FloatArray) -> tuple[int, int, int] | None:
    """The first system with two particles in one place, and these two."""
    along = np.sort(positions[:, :, 0], axis=1)
    for index in np.flatnonzero((along[:, 1:] == along[:, :-1]).any(axis=1)):  # the others cannot hold any
        x = positions[index] + 0.0  # -0 becomes 0
        _, first, which = np.unique(x, axis=0, return_index=True, return_inverse=True)
        twins = np.flatnonzero(first[which.reshape(-1)] != np.arange(len(x)))
        if len(twins):
            return int(index), int(first[which.reshape(-1)[twins[0]]]), int(twins[0])
    return None


def _refuse_coincident(law: str, positions: FloatArray) -> None:
    if found := _coincident(positions):
        index, i, j = found
        raise SimulationError(
            f"particles {i} and {j} coincide in system {index}: law {law!r} without softening "
            "is singular there; use eps > 0 or move one"
        )


def _refuse_non_finite(x: FloatArray, v: FloatArray, schedule: Schedule, start_time: float, first: int) -> None:
    bad = ~(np.isfinite(x) & np.isfinite(v)).all(axis=-1)
    if not bad.any():
        return
    system, frame, particle = map(int, np.argwhere(bad)[np.argmin(np.argwhere(bad)[:, 1])])
    elapsed = float(np.sum(schedule.n_steps[:frame] * schedule.dt[:frame]))
    raise SimulationError(
        f"state of system {first + system} is not finite by t = {start_time + elapsed:g} (particle {particle}): "
        "step too large for a close encounter; reduce dt or raise eps"
    )
