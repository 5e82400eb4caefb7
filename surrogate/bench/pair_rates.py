"""`python -m surrogate.bench.pair_rates`: what a pair and law call of a forecast costs beside true-law leapfrog.

Both go over the same windows of gravity-100's law in one process, with the same number of law calls per pair:
leapfrog has as many steps as the forecast has calls, sub-steps of close pairs included. All that a user waits for
counts: the second pass over the pairs, which calls no law, restoring energy and angular momentum, PyTorch's part.
Leapfrog packs systems side by side into vectors, so a single small system uses one lane of them: the rows of
several systems say how far the arithmetic itself is apart. One thread is measured in processor time, which other
work on the machine disturbs little; two in time on the clock.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from physics import State, System, simulate
from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from physics.types import FloatArray
from surrogate.inference.loading import load
from surrogate.training.machine import machine

LAW, PARAMETERS = "gravity", {"eps": 0.1, "G": 1.0}
CASES = {5: (1, 200), 20: (1, 100), 100: (1, 16), 2000: (1,)}
"""Particles, and numbers of systems in a batch."""
ROUNDS = 128
"""Per unit of time, as the leaderboard has for gravity-100."""
HORIZONS = {2000: 0.05}
"""Lengths of the windows where they are not 1 [time]."""
TURNS = 5


def window(number: int) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities (N, 3) at the density of gravity-100, for 100 bodies at its input frame's time."""
    rng = np.random.default_rng(number)
    x, v = rng.standard_normal((2, number, 3))
    start = State((number / 100.0) ** (1.0 / 3.0) * x, v - v.mean(axis=0))
    system = System(np.zeros(number), law=LAW, parameters=PARAMETERS)
    path = simulate(system, start, min(3.0, 300.0 / number), n_frames=2, integrator="leapfrog", dt=1e-3)
    return path.positions[-1], path.velocities[-1]


def fastest(calls: Sequence[Callable[[], object]], clock: Callable[[], float]) -> list[float]:
    """The least seconds of each call, made in turns after one call that compiles."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(TURNS):
        for made, call in zip(times, calls, strict=True):
            begin = clock()
            call()
            made.append(clock() - begin)
    return [min(made) for made in times]


def rates(number: int, systems: int, threads: int) -> tuple[float, float, float]:
    """Nanoseconds a pair and law call of the forecast and of leapfrog, and law calls a pair."""
    x, v = (np.repeat(a[None], systems, axis=0) for a in window(number))
    q, m, horizon = np.zeros((systems, number)), np.ones((systems, number)), HORIZONS.get(number, 1.0)
    model = load("integrator-gravity").with_horizon(horizon).with_evaluations(max(round(ROUNDS * horizon), 1))
    model.forecast(x, v, q, horizon, masses=m)
    calls = float(model.cost.force_evaluations or 0.0)
    steps = round(calls)
    schedule = Schedule.through(np.array([0.0, horizon]), horizon / steps)

    def leapfrog() -> object:
        facts: Any = {"law": LAW, "parameters": PARAMETERS, "integrator": "leapfrog", "workers": threads}
        return simulate_batch(x, v, q, masses=m, schedule=schedule, **facts)

    clock = time.process_time if threads == 1 else time.perf_counter
    ours, true_law = fastest([lambda: model.forecast(x, v, q, horizon, masses=m), leapfrog], clock)
    pairs = systems * number * (number - 1) / 2
    return 1e9 * ours / (pairs * calls), 1e9 * true_law / (pairs * steps), calls


def bench_rates(table: BenchTable, particles: Sequence[int]) -> None:
    """The table of docs/benchmarks.md."""
    table.say(
        "\n| N | systems | threads | law calls a pair | forecast, ns a pair and call | leapfrog, ns | ratio |"
        "\n|---|---|---|---|---|---|---|"
    )
    threads = torch.get_num_threads()
    try:
        for number in particles:
            for systems in CASES[number]:
                for count in (1, 2):
                    ours, leapfrog, calls = rates(number, systems, count)
                    table.numbers[f"pairs_n{number}_b{systems}_t{count}_times_leapfrog"] = ours / leapfrog
                    table.say(
                        f"| {number} | {systems} | {count} | {calls:.1f} | {ours:.1f} | {leapfrog:.2f} "
                        f"| {ours / leapfrog:.1f} |"
                    )
    finally:
        torch.set_num_threads(threads)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser("surrogate.bench.pair_rates", "Measure forecasts beside true-law leapfrog, per pair.")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for pair_rates.json and .md")
    parser.add_argument("--particles", type=int, nargs="+", choices=tuple(CASES), default=tuple(CASES), help="N")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    table = BenchTable(machine())
    bench_rates(table, options.particles)
    table.write(options.out, "pair_rates")


if __name__ == "__main__":
    sys.exit(run_command(main))
