"""What a data set would take before it is made: bytes, files, memory, and time from a measured sample."""

import time

from physics.datasets.chunks import drawn_states, simulated, streamed
from physics.datasets.presets import PRESETS, States, published_states
from physics.datasets.request import (
    Request,
    chunk_samples,
    schedule_of,
    stored_bytes,
    trajectory_bytes,
    working_memory,
)
from physics.stepping.schedule import Schedule
from physics.sums.lanes import LANES

MEASURED_SECONDS = 1.0
"""How long the sample is simulated, at least."""


def seconds_per_trajectory(request: Request, split: str) -> float:
    """Time that one thread takes for one trajectory of a split, drawing and simulating, measured [s]."""
    schedule = schedule_of(request, split)
    frames = max(len(schedule.n_steps) // 16, 1)  # some of the frames are enough
    head = Schedule(schedule.n_steps[:frames], schedule.dt[:frames])
    share = float((head.n_steps * abs(head.dt)).sum() / (schedule.n_steps * abs(schedule.dt)).sum())
    states = _some_states(request, split)
    simulated(request, states, Schedule(head.n_steps[:1], head.dt[:1]))  # compiled before the clock runs
    passes, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < MEASURED_SECONDS:
        simulated(request, states, head)
        passes += 1
    each = (time.perf_counter() - begin) / passes / share / len(states[0])
    begin = time.perf_counter()
    _some_states(request, split)
    return each + (time.perf_counter() - begin) / len(states[0])


def plan_text(request: Request, workers: int) -> str:
    """The plan of a data set for people, several lines."""
    lines = [f"{request.preset}: n = {request.n_dims}, N = {request.n_particles}, steps of {request.dt:g}"]
    busy = 0.0
    for split, count in request.sizes.items():
        height = chunk_samples(request, split)
        one = trajectory_bytes(request, split)
        chunks = -(-count // height)
        busy += count * seconds_per_trajectory(request, split)
        lines.append(
            f"  {split:6} {count:>13,} trajectories, {2 * one:,} bytes each; {chunks:,} chunks of {height:,} "
            f"({height * one / 2**20:.1f} MiB of positions)"
        )
    arrays = 2 + len(PRESETS[request.preset].arrays(request.n_particles, request.n_dims))
    files = sum(arrays * -(-count // chunk_samples(request, split)) for split, count in request.sizes.items())
    total = stored_bytes(request)
    lines += [
        f"  on disk   {total / 1e9:,.2f} GB in {files:,} chunk files; manifest about {files * 130 / 1e6:,.2f} MB",
        f"  memory    {working_memory(request, workers) / 1e9:.2f} GB for {workers} workers",
        f"  time      {_duration(busy)} on one core, {_duration(busy / workers)} on {workers} "
        f"({total / busy / 1e6:,.1f} MB/s written a core); measured on a sample",
    ]
    return "\n".join(lines) + "\n"


def _some_states(request: Request, split: str) -> States:
    if PRESETS[request.preset].streams:
        return streamed(published_states(request.preset, "train", LANES), LANES)
    return drawn_states(request, split, range(LANES))


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"
