"""`python -m physics.bench`: the engine against REBOUND, a NumPy generator and what the machine can do at all.

Every comparison runs in a process of its own, in which the calls take turns; what counts is the CPU time that one
in ten of the repetitions stays below, so that other processes on the machine change little. The limit is
arithmetic alone: the multiplications and fused multiply-adds of one pair, at the rate measured for the latter.
"""

import importlib.util
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from physics.kernels.jit import kernel
from physics.kernels.vectors import broadcast, fma, load, store
from physics.laws.reference import REFERENCE_DT
from physics.machine import available_cores, processor
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from physics.types import FloatArray

SIZES = tuple((n_dims, n) for n_dims in (2, 3, 4, 8) for n in (5, 20, 100))
SYSTEMS = 64
PAIR_STEPS = 40_000_000
"""Pairs times steps of one repetition: some 20 milliseconds, beside which the packing of the start is little."""
ROUNDS = 40
LOW = 0.1
SOFTENING = 0.1
REFERENCE_STEPS = 4900
"""Steps of a published trajectory."""
LARGE_SYSTEM = 10_000


def instructions(n_dims: int) -> int:
    """Multiplications and fma's for one pair of a vector: r^2, r^-3, the couplings, the two forces."""
    return n_dims + 12 + 2 + 2 * n_dims


def low_times(calls: dict[str, Callable[[], None]], rounds: int = ROUNDS) -> dict[str, float]:
    """CPU seconds of each call, made in turn, that one repetition in ten stays below."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()  # compiles
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            times[name].append(time.process_time() - begin)
    return {name: float(np.quantile(values, LOW)) for name, values in times.items()}


@kernel
def fma_chains(x: FloatArray, count: int) -> None:
    """`count` times 128 independent fused multiply-adds."""
    total, factor, shift = load(x, 0, 128), broadcast(0.999, 128), broadcast(0.001, 128)
    for _ in range(count):
        total = fma(total, factor, shift)
    store(x, 0, total)


def pair_comparison(n_dims: int, n: int) -> dict[str, float]:
    """Nanoseconds per unordered pair and leapfrog step, one thread: engine, limit and, for n = 3, REBOUND."""
    rng = np.random.default_rng(0)
    pairs = n * (n - 1) // 2
    x, v = rng.standard_normal((2, SYSTEMS, n, n_dims))
    q = np.sign(rng.standard_normal((SYSTEMS, n)))
    n_steps = PAIR_STEPS // (SYSTEMS * pairs)
    schedule = Schedule(np.array([n_steps]), np.array([5e-5]))
    chains = np.zeros(128)
    calls: dict[str, Callable[[], None]] = {
        "engine": lambda: (simulate_batch(x, v, q, schedule=schedule, workers=1), None)[1],
        "limit": lambda: fma_chains(chains, 100_000),
    }
    work = {"engine": SYSTEMS * n_steps * pairs, "limit": 100_000 * 128 / instructions(n_dims)}
    if n_dims == 3 and importlib.util.find_spec("rebound"):
        simulation = rebound_simulation(x[0], v[0])
        steps = PAIR_STEPS // (8 * pairs)
        calls["rebound"] = lambda: simulation.steps(steps)
        work["rebound"] = steps * pairs
    return {name: 1e9 * seconds / work[name] for name, seconds in low_times(calls).items()}


def rebound_simulation(x: FloatArray, v: FloatArray) -> Any:
    """The same leapfrog of softened equal masses in REBOUND."""
    import rebound

    simulation = rebound.Simulation()
    simulation.integrator = "leapfrog"
    simulation.softening = SOFTENING
    simulation.dt = 5e-5
    for (a, b, c), (d, e, f) in zip(x, v, strict=True):
        simulation.add(m=1.0 / len(x), x=a, y=b, z=c, vx=d, vy=e, vz=f)
    return simulation


def numpy_steps(x: FloatArray, v: FloatArray, q: FloatArray, n_steps: int) -> None:
    """One system under the published law with NumPy arrays of its particles, as its generator goes about it."""
    others = ~np.eye(len(x), dtype=bool)
    for _ in range(n_steps):
        r_ij = x[:, None] - x
        r = np.sqrt((r_ij**2).sum(axis=-1))
        c = np.zeros_like(r)
        c[others] = (q[:, None] * q)[others] / r[others] ** 3
        force = np.clip((c[..., None] * r_ij).sum(axis=1), -0.1 / REFERENCE_DT, 0.1 / REFERENCE_DT)
        v = v + REFERENCE_DT * force
        x = x + REFERENCE_DT * v


def generator_comparison() -> dict[str, float]:
    """Seconds a published trajectory (five charges, 4900 steps) on one core: engine and NumPy."""
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, 4 * SYSTEMS, 5, 3))
    q = np.sign(rng.standard_normal((4 * SYSTEMS, 5)))
    frames = REFERENCE_STEPS // 100
    schedule = Schedule(np.full(frames, 100), np.full(frames, REFERENCE_DT))
    choices: dict[str, Any] = {"law": "reference", "schedule": schedule, "workers": 1}
    times = low_times(
        {
            "engine": lambda: (simulate_batch(x, v, q, **choices), None)[1],
            "numpy": lambda: numpy_steps(x[0], v[0], q[0], 200),
        }
    )
    return {"engine": times["engine"] / (4 * SYSTEMS), "numpy": times["numpy"] * REFERENCE_STEPS / 200}


def large_comparison() -> dict[str, float]:
    """Seconds a leapfrog step of one large system: CPU time on one core, wall time on all."""
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, 1, LARGE_SYSTEM, 3))
    q = np.sign(rng.standard_normal((1, LARGE_SYSTEM)))
    schedule = Schedule(np.array([4]), np.array([1e-4]))

    def run(workers: int | None) -> None:
        simulate_batch(x, v, q, schedule=schedule, workers=workers)

    evaluations = 5  # one to begin with
    one = low_times({"one": lambda: run(1)}, 8)["one"] / evaluations
    walls = []
    for _ in range(8):
        begin = time.perf_counter()
        run(None)
        walls.append(time.perf_counter() - begin)
    return {"one_core": one, "all_cores": float(np.quantile(walls, LOW)) / evaluations}


def in_own_process(comparison: Callable[..., dict[str, float]], *arguments: int) -> dict[str, float]:
    """What a comparison finds in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(comparison, *arguments).result()


def machine() -> str:
    """The processor, its cores and how busy they are."""
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{processor()}, {available_cores()} cores{busy}"


def measure(table: BenchTable) -> None:
    """All comparisons, into a table as they come."""
    say, numbers = table.say, table.numbers
    say("\n| engine, one thread, ns a pair and step | engine | limit | share | REBOUND | times faster |")
    say("|---|---|---|---|---|---|")
    for n_dims, n in SIZES:
        found = in_own_process(pair_comparison, n_dims, n)
        key = f"n{n_dims}_N{n}"
        numbers.update({f"{name}_ns_per_pair_{key}": value for name, value in found.items()})
        peer = f"{found['rebound']:.1f} | {found['rebound'] / found['engine']:.1f}" if "rebound" in found else "| "
        share = 100 * found["limit"] / found["engine"]
        say(f"| n = {n_dims}, N = {n} | {found['engine']:.2f} | {found['limit']:.2f} | {share:.0f} % | {peer} |")
    if not importlib.util.find_spec("rebound"):
        say("\nREBOUND is not installed: pip install -c constraints.txt -e '.[bench]'")
    found = in_own_process(generator_comparison)
    numbers.update({f"generator_seconds_{name}": value for name, value in found.items()})
    times = found["numpy"] / found["engine"]
    say(
        f"\nOne published trajectory: {1e6 * found['engine']:.0f} microseconds on one core, "
        f"{found['numpy']:.3f} s by NumPy: {times:.0f} times, {times * available_cores():.0f} on all cores"
    )
    found = in_own_process(large_comparison)
    numbers.update({f"large_step_seconds_{name}": value for name, value in found.items()})
    say(
        f"\nOne leapfrog step of N = {LARGE_SYSTEM:,}, n = 3: {found['one_core']:.3f} s on one core, "
        f"{found['all_cores']:.3f} s on all"
    )


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser("physics.bench", "Measure the engine against REBOUND, NumPy and the machine's limit.")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for engine.json, engine.md")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    table = BenchTable(machine())
    measure(table)
    table.write(options.out, "engine")


if __name__ == "__main__":
    sys.exit(run_command(main))
