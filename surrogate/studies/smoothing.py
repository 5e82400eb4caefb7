"""Noisy positions made better by their velocities: a Kalman smoother, before a law is recovered from them."""

import numpy as np

from physics.types import FloatArray

LEAST_DOUBT = 1e-3
"""Doubt in a step of the path where both quadratures agree, as a share of the noise."""


def path_steps(velocities: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The way from frame to frame by quadrature of the velocities, and how far to trust it.

    Parameters
    ----------
    velocities : (..., n_frames, N, n) float64 [length/time]
    times : (n_frames,) float64 [time]

    Returns
    -------
    steps, doubts : (..., n_frames - 1, N, n) float64 [length]
        h (v0 + v1) / 2 + h^2 (a0 - a1) / 12 with accelerations by differences; the doubt is the size of the
        correction, which is large in close encounters alone.
    """
    h = np.diff(times)[:, None, None]
    a = np.gradient(velocities, times, axis=-3)
    trapezium = 0.5 * h * (velocities[..., 1:, :, :] + velocities[..., :-1, :, :])
    correction = h**2 / 12 * (a[..., :-1, :, :] - a[..., 1:, :, :])
    return trapezium + correction, np.abs(correction)


def smoothed(positions: FloatArray, velocities: FloatArray, times: FloatArray, noise: float) -> FloatArray:
    """Positions with independent noise, made consistent with exact velocities.

    Parameters
    ----------
    positions, velocities : (n_samples, n_frames, N, n) float64
    times : (n_frames,) float64
    noise : float [length]
        Standard deviation of each coordinate.

    Returns
    -------
    (n_samples, n_frames, N, n) float64 [length]

    Notes
    -----
    Each coordinate is a random walk with known steps and observed with noise: Kalman's filter forth,
    Rauch, Tung and Striebel's pass back. The variance of a step is that of its doubt, all coordinates of a
    particle together.
    """
    steps, doubts = path_steps(velocities, times)
    q = (doubts**2).mean(axis=-1, keepdims=True) + (LEAST_DOUBT * noise) ** 2
    n_frames, r = positions.shape[1], noise**2
    mean, variance = np.empty_like(positions), np.empty((*positions.shape[:-1], 1))
    mean[:, 0], variance[:, 0] = positions[:, 0], r
    for k in range(1, n_frames):
        ahead, spread = mean[:, k - 1] + steps[:, k - 1], variance[:, k - 1] + q[:, k - 1]
        gain = spread / (spread + r)
        mean[:, k] = ahead + gain * (positions[:, k] - ahead)
        variance[:, k] = (1 - gain) * spread
    for k in range(n_frames - 2, -1, -1):
        gain = variance[:, k] / (variance[:, k] + q[:, k])
        mean[:, k] += gain * (mean[:, k + 1] - mean[:, k] - steps[:, k])
    return mean
