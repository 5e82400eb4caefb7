"""How fast neighbouring runs part: an estimate of the largest Lyapunov exponent."""

import numpy as np

from physics.errors import InputError
from physics.simulate import simulate
from physics.types import FloatArray, State, System

PERTURBATION = 1e-6


def separation_growth(
    system: System,
    state: State,
    duration: float,
    *,
    n_intervals: int = 50,
    integrator: str = "auto",
    dt: float | None = None,
    seed: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Logarithm of how much a perturbation of 1e-6 has grown.

    Parameters
    ----------
    duration : float [time]
    n_intervals : int
        After each the perturbation is brought back to its size, in the direction that it has taken, so that it
        stays small however long the run is.
    integrator, dt
        As in :func:`physics.simulate.simulate`.
    seed : int
        Of the first direction, drawn in all positions and velocities.

    Returns
    -------
    times, growth : (n_intervals + 1,) float64
        Growth is log(size / 1e-6) in the norm of all positions and velocities together, 0 at the start.

    Notes
    -----
    **Source** Benettin, Galgani, Giorgilli and Strelcyn 1980: the largest exponent by renormalisation.
    **Deviations** a finite perturbation instead of the tangent map.
    """
    if n_intervals < 1:
        raise InputError(f"n_intervals must be at least 1; got {n_intervals}")
    apart = np.random.default_rng(seed).standard_normal((2, *state.positions.shape))
    apart *= PERTURBATION / np.linalg.norm(apart)
    times = state.time + duration * np.arange(n_intervals + 1) / n_intervals
    growth = np.zeros(n_intervals + 1)
    for interval in range(n_intervals):
        near = State(state.positions + apart[0], state.velocities + apart[1], state.time)
        until = float(times[interval + 1])
        ends = [
            simulate(system, start, until - start.time, n_frames=2, integrator=integrator, dt=dt).state(-1)
            for start in (state, near)
        ]
        state = ends[0]
        apart = np.array([ends[1].positions - state.positions, ends[1].velocities - state.velocities])
        size = float(np.linalg.norm(apart))
        if size == 0.0:
            raise InputError(f"the perturbed run is the unperturbed one at t = {until:g}: nothing to measure")
        growth[interval + 1] = growth[interval] + np.log(size / PERTURBATION)
        apart *= PERTURBATION / size
    return times, growth


def lyapunov_exponent(system: System, state: State, duration: float, **choices: int | float | str | None) -> float:
    """The mean rate of :func:`separation_growth` over its second half [1/time].

    The first half lets the perturbation turn to the fastest direction. Positive for chaos; of an integrable system
    it falls as log(t) / t towards 0.
    """
    times, growth = separation_growth(system, state, duration, **choices)  # type: ignore[arg-type]
    half = len(times) // 2
    return float((growth[-1] - growth[half]) / (times[-1] - times[half]))
