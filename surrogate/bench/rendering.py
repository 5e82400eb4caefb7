"""How long one tick of the picture takes on the main thread: building the scene and updating the painter."""

import time

import numpy as np

from physics.types import System, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.options import ViewOptions
from surrogate.render.painter import Painter
from surrogate.render.scene import build_scene

SIZE = (1280, 700)


def many_particles(n_particles: int = 200, n_frames: int = 400) -> Comparison:
    """A large comparison that costs nothing to make: every particle on a circle of its own, n = 3."""
    rng = np.random.default_rng(0)
    times = 0.02 * np.arange(n_frames, dtype=np.float64)
    frames = np.linalg.qr(rng.standard_normal((n_particles, 3, 3)))[0]  # columns: two across, one unused
    phase = np.multiply.outer(times, rng.uniform(0.5, 2.0, n_particles)) + rng.uniform(0, 6, n_particles)
    circle = np.stack([np.cos(phase), np.sin(phase)], axis=-1) * rng.uniform(1.0, 4.0, (n_particles, 1))
    positions = np.einsum("fpa,pka->fpk", circle, frames[:, :, :2])
    system = System(charges=np.where(np.arange(n_particles) % 2, -1.0, 1.0))
    velocities = np.asarray(np.gradient(positions, 0.02, axis=0))
    truth = Trajectory(times, positions, velocities, system)
    forecast = Trajectory(times, 1.02 * positions, truth.velocities, system)
    return Comparison(truth, forecast, None, np.eye(3), 0.0, "circles", "circles")


def measured_ticks(
    comparison: Comparison, options: ViewOptions, count: int = 60
) -> tuple[list[float], list[float]]:
    """Seconds of `build_scene` with `Painter.update`, and of the rendering after it, for `count` frames."""
    updates, renders = list[float](), list[float]()
    last = comparison.truth.n_frames - 1
    with Painter.offscreen(build_scene(comparison, last, options), SIZE) as painter:
        painter.frame()
        for k in range(count):
            begin = time.perf_counter()
            painter.update(build_scene(comparison, last - k, options))
            middle = time.perf_counter()
            painter.render()
            updates.append(middle - begin)
            renders.append(time.perf_counter() - middle)
    return updates, renders


def ticks_of_many(count: int = 60) -> dict[str, float]:
    """Medians for 200 particles with trails of 200 frames, truth and forecast: {"update_ms", "render_ms"}."""
    options = ViewOptions(trail_length=200, colour_by="speed")
    updates, renders = measured_ticks(many_particles(), options, count)
    return {"update_ms": 1e3 * float(np.median(updates)), "render_ms": 1e3 * float(np.median(renders))}
