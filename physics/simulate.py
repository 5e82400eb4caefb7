"""`simulate()`, one system, and `simulate_batch()`, many: both run the same lane kernels with the same bits.

Systems are packed up to LANES at a time into blocks; blocks are independent, so the number of worker threads
cannot change a result. Systems of LARGE particles or more are run one after another, their receivers shared among
the threads, with sums in an order of their own (:mod:`physics.kernels.large_systems`).
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.forces import LANES
from physics.integrators import INTEGRATORS, Integrator, Step
from physics.kernels.fields import LAW_PARAMETERS
from physics.kernels.lane_laws import FARTHEST, GROUP
from physics.kernels.large_systems import LARGE
from physics.kernels.vectors import CACHE_LINE
from physics.laws import force_of, packed_parameters, resolve_parameters, singular_at_contact
from physics.stepping.defaults import default_integrator
from physics.stepping.guards import refuse_coincident, refuse_non_finite, warn_of_energy
from physics.stepping.paths import adaptive_trajectory, path_of
from physics.stepping.schedule import Schedule, output_times, refuse_step, schedule_through
from physics.stepping.shared_steps import shared_step
from physics.time_scales import SHARE, default_dt, shortest_time
from physics.types import State, System, Trajectory

FloatArray = NDArray[np.float64]

BLOCK_NUMBERS = 1024
"""Coordinates of a block that fit into the nearest cache three times, spread over it by their stride."""


def simulate(
    system: System,
    state: State,
    duration: float,
    *,
    times: ArrayLike | None = None,
    n_frames: int | None = None,
    integrator: str = "auto",
    dt: float | None = None,
    estimate_error: bool = False,
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
        A name of :data:`physics.integrators.INTEGRATORS`, or "auto" (:mod:`physics.stepping.defaults`).
    dt : float, optional [time]
        The largest step; by default chosen from the system (:func:`physics.time_scales.default_dt`). Of adaptive
        integrators: the first step tried, by default a share of the shortest time scale of the state.
    estimate_error : bool
        Run a second time with steps half as long and give the trajectory its `position_errors`: three times the
        work.

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

    Warns
    -----
    EnergyWarning
        Where a system that keeps its energy did not, by a tenth of the sum of its terms; not looked for in large
        systems.

    Notes
    -----
    The error of a frame is the largest displacement of any particle between the two runs, times 2^p / (2^p - 1)
    for an integrator of order p (1 at walls): Richardson's estimate, good while the error is small. Of ias15,
    whose steps do not follow dt, the two runs differ by round-off and its growth alone.
    """
    duration = _real("duration", duration)
    if not math.isfinite(duration) or duration == 0:
        raise InputError(f"duration must be finite and not zero; got {duration}")
    if state.positions.shape[0] != system.n_particles:
        raise InputError(
            f"state has {state.positions.shape[0]} particles but system has {system.n_particles} charges"
        )
    frames = output_times(state.time, duration, times, n_frames)
    if integrator == "auto":
        singular = dt is None and singular_at_contact(system.law, system.parameters)
        integrator = default_integrator(system.law, system.fields, system.boundary, singular=singular)
    stepper = able_integrator(integrator, system.fields, system.boundary)
    if duration < 0 and not stepper.reversible:
        reversible = ", ".join(key for key, row in INTEGRATORS.items() if row.reversible)
        raise InputError(
            f"duration must be positive for integrator {integrator!r} (reversible: {reversible}); got {duration:g}"
        )
    system.boundary.refuse_outside(state.positions)
    if singular_at_contact(system.law, system.parameters):
        refuse_coincident(system.law, state.positions[None], system.boundary)
    dt = None if dt is None else _real("dt", dt)
    path = _run(system, state, frames, integrator, stepper, dt, halved=False)
    if system.n_particles < LARGE:  # the sum over pairs of every frame would cost as much as the run
        warn_of_energy(path)
    if not estimate_error:
        return path
    finer = _run(system, state, frames, integrator, stepper, dt, halved=True)
    order = 1 if system.boundary.reflects else stepper.order
    apart = np.linalg.norm(finer.positions - path.positions, axis=-1).max(axis=-1)
    return replace(path, position_errors=apart * 2.0**order / (2.0**order - 1.0))


def _run(
    system: System,
    state: State,
    times: FloatArray,
    integrator: str,
    stepper: Integrator,
    dt: float | None,
    *,
    halved: bool,
) -> Trajectory:
    """One run through `times`, or the same with steps half as long."""
    if stepper.adaptive:
        first = SHARE * shortest_time(system, state) if dt is None else dt
        if halved:
            first, state = 0.5 * first, replace(state, memory=None)
        refuse_step(first, float(times[-1] - times[0]))
        return adaptive_trajectory(system, state, times, stepper, first)
    schedule = schedule_through(times, default_dt(system, state.n_dims) if dt is None else dt)
    if halved:
        schedule = schedule.halved()
    positions, velocities = simulate_batch(
        state.positions[None],
        state.velocities[None],
        system.charges[None],
        masses=system.masses[None],
        law=system.law,
        parameters=dict(system.parameters),
        schedule=schedule,
        fields=system.fields,
        boundary=system.boundary,
        integrator=integrator,
        start_time=state.time,
        workers=None if system.n_particles >= LARGE else 1,
    )
    offset = stepper.velocity_offset * float(schedule.dt[0])
    return Trajectory(times, positions[0], velocities[0], system, offset)


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
    boundary: Boundary = OPEN,
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
    packed = packed_parameters(law, resolved, d, fields, boundary)
    name = default_integrator(law, fields, boundary) if integrator == "auto" else integrator
    stepper = able_integrator(name, fields, boundary)
    advance = stepper.in_box if boundary.reflects else stepper.step
    if masses is None:
        masses = np.ones((n_systems, n))
    if singular_at_contact(law, resolved):
        refuse_coincident(law, positions, boundary)
    if np.abs(positions).max(initial=0.0) > FARTHEST:
        raise InputError(
            f"positions must be within {FARTHEST:.0e} of the origin; got {np.abs(positions).max():.3g}"
        )
    boundary.refuse_outside(positions)
    n_frames = len(schedule.n_steps) + 1
    x_out = np.empty((n_systems, n_frames, n, d))
    v_out = np.empty((n_systems, n_frames, n, d))
    code = force_of(law).code

    def run_paths(block: slice) -> int:
        assert stepper.memory_size is not None
        times = schedule.times(start_time)
        for s in range(block.start, block.stop):
            system = System(charges[s], masses[s], law, resolved, fields, boundary)
            memory, first = np.zeros(stepper.memory_size(n, d)), abs(float(schedule.dt[0]))
            x_out[s], v_out[s] = path_of(system, positions[s], velocities[s], times, stepper, first, memory)
        return int(block.stop - block.start)

    def one_system(system: int, frame: int, x: FloatArray, v: FloatArray, n_steps: int) -> None:
        assert advance is not None
        q, m = (np.ascontiguousarray(values[system][:, None]) for values in (charges, masses))
        advance(code, x, v, q, m, packed, np.empty_like(x), float(schedule.dt[frame - 1]), n_steps)

    def run(block: slice, step: Step | None = advance) -> int:
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
        refuse_non_finite(x_out[block], v_out[block], schedule, start_time, block.start, one_system)
        return int(count)

    threads = workers or available_cores()
    if n >= LARGE and n_systems < threads and len(packed) == LAW_PARAMETERS:  # one law, nothing around
        with shared_step(stepper.step, threads) as step:
            if step:
                run_blocks(lambda block: run(block, step), n_systems, 1, progress, 1)
                return x_out, v_out
    lanes = 1 if n >= LARGE else block_lanes(n * d)
    run_blocks(run_paths if stepper.adaptive else run, n_systems, workers, progress, lanes)
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


def able_integrator(name: str, fields: Fields, boundary: Boundary) -> Integrator:
    """The row of an integrator that takes these fields and this boundary.

    Raises
    ------
    InputError
        For an unknown name, or naming those that are able.
    """
    if name not in INTEGRATORS:
        raise unknown_name("integrator", name, [*INTEGRATORS, "auto"])
    row = INTEGRATORS[name]
    if fields.on_velocity and not row.takes_velocity_forces:
        able = ", ".join(key for key, row in INTEGRATORS.items() if row.takes_velocity_forces)
        raise InputError(f"integrator {name!r} takes no magnetic field and no drag; these do: {able}")
    if boundary.reflects and not row.takes_walls:
        able = ", ".join(key for key, row in INTEGRATORS.items() if row.takes_walls)
        raise InputError(f"integrator {name!r} takes no reflecting walls; these do: {able}")
    return row
