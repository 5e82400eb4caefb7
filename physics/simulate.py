"""`simulate()`, one system, and `simulate_batch()`, many: both run the same lane kernels with the same bits.

Systems are packed into blocks, one in each lane; blocks are independent, so the number of worker threads
cannot change a result. Systems of LARGE particles or more are run one after another, their receivers shared among
the threads, with sums in an order of their own (:mod:`physics.sums.large_systems`).
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError
from physics.fields import NO_FIELDS, Fields
from physics.integrators import INTEGRATORS
from physics.integrators.base import Integrator
from physics.kernels.inverse_cube import FARTHEST
from physics.kernels.parameters import LAW_PARAMETERS
from physics.laws.names import resolve_parameters, singular_at_contact
from physics.laws.packing import packed_parameters
from physics.machine import available_cores
from physics.massless import inertial_masses, refuse_forces_on_massless, without_traces
from physics.stepping.batch import Batch, block_lanes, run_blocks
from physics.stepping.defaults import (
    MOST_FIRST_STEPS,
    STEP_FRACTION,
    able_integrator,
    default_integrator,
    passing_dt,
    shortest_time,
    takes_many_steps,
)
from physics.stepping.guards import refuse_coincident, warn_of_energy, warn_of_passages
from physics.stepping.paths import adaptive_trajectory
from physics.stepping.schedule import Schedule, output_times, refuse_step, schedule_through
from physics.stepping.shared_steps import shared_step
from physics.sums.large_systems import LARGE
from physics.types import FloatArray, State, System, Trajectory


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
        The largest step; by default chosen from the system and its state
        (:func:`physics.stepping.defaults.passing_dt`). Of adaptive integrators: the first step tried, by default a
        fraction of the shortest time scale of the state.
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
        Where a system that keeps its energy did not, by a tenth of the sum of its terms.
    StepWarning
        Else, where two particles passed each other in less than a step, naming a dt that resolves it. Neither is
        looked for in large systems.

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
    dt = None if dt is None else _real("dt", dt)
    if integrator == "auto":
        singular = dt is None and (
            singular_at_contact(system.law, system.parameters) or takes_many_steps(system, state, duration)
        )
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
    if dt is None:
        first = max(STEP_FRACTION * shortest_time(system, state), abs(duration) / MOST_FIRST_STEPS)
        dt = first if stepper.adaptive else passing_dt(system, state, duration)
    path = _run(system, state, frames, integrator, stepper, dt, halved=False)
    if system.n_particles < LARGE and not warn_of_energy(path) and not stepper.adaptive:
        warn_of_passages(path, dt)  # of a large system either would cost as much as the run
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
    dt: float,
    *,
    halved: bool,
) -> Trajectory:
    """One run through `times`, or the same with steps half as long."""
    if stepper.adaptive:
        if halved:
            dt, state = 0.5 * dt, replace(state, memory=None)
        refuse_step(dt, float(times[-1] - times[0]))
        return adaptive_trajectory(system, state, times, stepper, dt)
    schedule = schedule_through(times, dt)
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
    """Trajectories of many systems of the same size, in parallel over blocks.

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
    if masses is None:
        masses = np.ones((n_systems, n))
    refuse_forces_on_massless(law, resolved, fields, charges, masses)
    if singular_at_contact(law, resolved):
        refuse_coincident(law, positions, boundary)
    if np.abs(positions).max(initial=0.0) > FARTHEST:
        raise InputError(
            f"positions must be within {FARTHEST:.0e} of the origin; got {np.abs(positions).max():.3g}"
        )
    boundary.refuse_outside(positions)
    paths = np.empty((2, n_systems, len(schedule.n_steps) + 1, n, d))
    threads, lanes = workers or available_cores(), 1 if n >= LARGE else block_lanes(n * d)
    batch = Batch(positions, velocities, charges, inertial_masses(masses), packed, schedule, start_time, paths)
    if stepper.adaptive:

        def system(s: int) -> System:
            return System(charges[s], masses[s], law, resolved, fields, boundary)

        run_blocks(lambda block: batch.run_paths(block, stepper, system), n_systems, threads, progress, lanes)
        return paths[0], paths[1]
    step = stepper.in_box if boundary.reflects else stepper.step
    assert step is not None
    alone = len(packed) == LAW_PARAMETERS  # one law, nothing around: steps that threads may share
    with shared_step(step, threads) if n >= LARGE and n_systems < threads and alone else nullcontext() as shared:
        run_blocks(
            lambda block: batch.run_steps(block, step, shared or step),
            n_systems,
            1 if shared else threads,
            progress,
            lanes,
        )
    for s in np.flatnonzero(~masses.all(axis=1)):
        paths[:, s] = without_traces(paths[:, s], masses[s])
    return paths[0], paths[1]


def _real(name: str, value: object) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)  # type: ignore[arg-type]  # whatever is no number is refused
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a number; got {value!r:.60}") from None
