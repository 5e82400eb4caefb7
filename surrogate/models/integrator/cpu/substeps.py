"""How many sub-steps a pair takes in a round: from its closest approach on the straight path."""

from physics.kernels.jit import inlined_kernel
from physics.types import FloatArray


@inlined_kernel
def closest_approach(r: FloatArray, w: FloatArray, dt: float) -> tuple[float, float]:
    """Least squared distance on the path r + t w (n,), 0 <= t <= dt, and the relative speed's square."""
    ww, rw = 0.0, 0.0
    for k in range(r.shape[0]):
        ww += w[k] * w[k]
        rw += r[k] * w[k]
    t = 0.0
    if ww > 0.0:
        t = min(max(-rw / ww, 0.0), dt)
    r2 = 0.0
    for k in range(r.shape[0]):
        r2 += (r[k] + t * w[k]) ** 2
    return r2, ww


@inlined_kernel
def substeps_for(phase: float, angle: float, most: int) -> int:
    """The least power of two, up to `most`, whose parts of the phase are at most `angle`."""
    count = 1
    while 2 * count <= most and phase > angle * count:
        count *= 2
    return count
