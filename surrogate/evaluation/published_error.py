"""The error of a model on the first windows of the published test set, simulated when asked for; reads no file."""

import numpy as np

from physics.datasets.presets import PRESETS, published_states
from physics.simulate import simulate_batch
from physics.stepping.schedule import schedule_through
from surrogate.evaluation.metrics import sample_errors
from surrogate.inference.forecaster import Forecaster


def published_error(model: Forecaster, count: int) -> tuple[float, float, float]:
    """MSE and median over the first `count` published test windows, and the MSE of x + v t."""
    preset = PRESETS["nbody-reference"]
    x, v, q = (np.array(a) for a in zip(*published_states("nbody-reference", "test", count), strict=True))
    times = np.concatenate([[0.0], preset.times["test"][[30, 40]]])
    schedule = schedule_through(times, preset.dt)
    positions, velocities = simulate_batch(
        x, v, q, schedule=schedule, law=preset.law, integrator=preset.integrator
    )
    forecast = model.forecast(positions[:, 1], velocities[:, 1], q)
    errors = sample_errors(forecast.positions, positions[:, 2])
    ballistic = sample_errors(positions[:, 1] + velocities[:, 1], positions[:, 2])
    return float(errors.mean()), float(np.median(errors)), float(ballistic.mean())
