"""`python -m surrogate.bench.layers` (part of `make bench`): our EGNN beside the published layout, same weights.

One process, one thread; variants are timed in turns and the low quantile is kept, so that the ratios hold on a
busy machine too. Large systems: time for each directed edge, and memory, each size in a process of its own.
"""

import multiprocessing
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from surrogate.bench import gpu, textbook
from surrogate.bench.timing import PARTICLES, Call, checked_errors, fresh_model, low_times, states, stepper
from surrogate.models.egnn.model import EGNN, EGNNConfig
from surrogate.tasks.molecules.networks import EGNNProperties, PropertyConfig, atom_inputs
from surrogate.training.compiled import compiler
from surrogate.training.machine import chosen_device, keep_freed_memory, machine

BATCHES = (100, 1)
LAYOUTS = {"textbook": "textbook", "torch": "torch", "fused": "fused, as a loaded forecaster has it"}
SIZES = (100, 300, 1000)
LARGEST = 2000
ATOMS = 18
MOLECULES = {
    "recipe": (PropertyConfig(hidden=64, layers=4, basis=16), 24),
    "published": (PropertyConfig(), 96),
}
"""Networks of QM9 and molecules of a step: of `egnn-qm9-alpha`, and as published."""
NEAR = (20_000, 30)
"""Particles of one system, and the neighbours of each."""
NEAR_REPEATS = 3


def bench_forward(n_systems: int, seconds: float) -> dict[str, float]:
    """Milliseconds of a forward pass in inference mode, and errors against float64."""
    model = fresh_model()
    state = states(n_systems, PARTICLES)
    weights, edges = model.state_dict(), textbook.edge_list(n_systems, PARTICLES)
    calls: dict[str, Call] = {
        "textbook": partial(textbook.egnn, weights, "init", 4, *state, edges),
        "torch": partial(model, *state),
        "fused": partial(model.for_inference().forward, *state),
    }
    with torch.inference_mode():
        exact = fresh_model().double()(*(t.double() for t in state))[0]
        numbers = {f"{name}_ms": 1e3 * value for name, value in low_times(calls, seconds).items()}
        found = {"textbook": textbook.egnn(weights, "init", 4, *state, edges), "torch": model(*state)[0]}
        found["fused"] = model.for_inference().forward(*state)[0]
    return numbers | checked_errors(found, exact)


def bench_step(seconds: float) -> dict[str, float]:
    """Milliseconds of a training step at batch 100: forward, backward and the trainer's optimiser, for all alike.

    Compiled if there is a compiler.
    """
    state = states(100, PARTICLES)
    target = state[0] + state[1]
    edges = textbook.edge_list(100, PARTICLES)
    published, eager, fused = fresh_model(), fresh_model(), fresh_model()
    by_kernels = fused.for_training().forward
    weights: dict[str, Tensor] = dict(published.named_parameters())
    calls = {
        "textbook": stepper(weights.values(), lambda: textbook.egnn(weights, "init", 4, *state, edges), target),
        "eager": stepper(eager.parameters(), lambda: eager(*state)[0], target),
        "fused": stepper(fused.parameters(), lambda: by_kernels(*state)[0], target),
    }
    if compiler():
        compiled = fresh_model()
        made = torch.compile(compiled)
        calls["compiled"] = stepper(compiled.parameters(), lambda: made(*state)[0], target)
    return {f"step_{name}_ms": 1e3 * value for name, value in low_times(calls, seconds).items()}


def bench_molecules(seconds: float) -> dict[str, float]:
    """Milliseconds of a training step on molecules of ATOMS atoms, in PyTorch and by the kernels."""
    generator = torch.Generator().manual_seed(0)
    numbers: dict[str, float] = {}
    for name, (config, batch) in MOLECULES.items():
        positions = 2.0 * torch.randn(batch, ATOMS, 3, generator=generator)
        atoms = atom_inputs(torch.full((batch, ATOMS), 6))
        target = torch.randn(batch, 1, generator=generator)
        torch.manual_seed(0)
        eager, fused = EGNNProperties(config), EGNNProperties(config)
        calls = {
            "torch": stepper(eager.parameters(), partial(eager, atoms, positions), target),
            "fused": stepper(fused.parameters(), partial(fused.fused, atoms, positions), target),
        }
        numbers |= {f"molecules_{name}_{k}_ms": 1e3 * v for k, v in low_times(calls, seconds).items()}
    return numbers


def _peak() -> float:
    """Bytes of memory this process has held at most; `getrusage` would count its parent's as well."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024.0 * next(float(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def peak_memory(n: int, fused: bool) -> float:
    """Bytes above base of a forward pass of one system of n (Linux); for a process of its own."""
    torch.set_num_threads(1)
    model = fresh_model()
    call = model.for_inference().forward if fused else model
    with torch.inference_mode():
        call(*states(1, 8))
        state = states(1, n)
        before = _peak()
        call(*state)
    return _peak() - before


def near_forward(n: int, neighbours: int) -> dict[str, float]:
    """Of one forward pass over near pairs: seconds, those that finding them takes, and bytes above base (Linux).

    Seconds are of the processor, in one thread. For a process of its own.
    """
    torch.set_num_threads(1)
    model = EGNN(EGNNConfig(neighbours=neighbours))
    with torch.inference_mode():
        model(*states(1, 2 * neighbours))
        state = states(1, n)
        before, times, of_list = _peak(), [], []
        for _ in range(NEAR_REPEATS):
            begin = time.process_time()
            model(*state)
            times.append(time.process_time() - begin)
            begin = time.process_time()
            model.edges_of(state[0])
            of_list.append(time.process_time() - begin)
    return {"near_seconds": min(times), "near_list_seconds": min(of_list), "near_bytes": _peak() - before}


def bench_large(seconds: float) -> dict[str, float]:
    """Nanoseconds for each directed edge (all four layers), by size, and memory of the largest."""
    model = fresh_model()
    fused = model.for_inference().forward
    numbers = {}
    with torch.inference_mode():
        for n in SIZES:
            state = states(1, n)
            calls: dict[str, Call] = {"torch": partial(model, *state), "fused": partial(fused, *state)}
            times = low_times(calls, seconds)
            for name, value in times.items():
                numbers[f"{name}_ns_per_edge_N{n}"] = 1e9 * value / (n * (n - 1))
    for name in ("torch", "fused"):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            above = pool.apply(peak_memory, (LARGEST, name == "fused"))
        numbers[f"{name}_megabytes_N{LARGEST}"] = above / 1e6
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        numbers |= pool.apply(near_forward, NEAR)
    return numbers


def table_lines(numbers: dict[str, float]) -> list[str]:
    """The tables of what was measured."""
    lines = ["| EGNN, 4 layers x 64, one thread | ms | times the published layout | error against float64 |"]
    lines.append("|---|---|---|---|")
    for n_systems in BATCHES:
        base = numbers[f"b{n_systems}_textbook_ms"]
        for name, words in LAYOUTS.items():
            ms, error = numbers[f"b{n_systems}_{name}_ms"], numbers[f"b{n_systems}_{name}_error"]
            what = f"forward, {n_systems} x {PARTICLES}, {words}"
            lines.append(f"| {what} | {ms:.3f} | {base / ms:.1f} | {error:.1e} |")
    for name in (name for name in ("textbook", "eager", "fused", "compiled") if f"step_{name}_ms" in numbers):
        ms = numbers[f"step_{name}_ms"]
        gain = numbers["step_textbook_ms"] / ms
        lines.append(f"| train step, 100 x {PARTICLES}, {name} | {ms:.2f} | {gain:.1f} | |")
    if "step_compiled_ms" not in numbers:
        lines.append("| train step, compiled: not measured, there is no C++ compiler | | | |")
    lines += ["", "| one system of N | " + " | ".join(f"N = {n}, ns per edge" for n in SIZES) + " |"]
    lines[-1] += f" MB above base, N = {LARGEST} |"
    lines.append("|---" * (len(SIZES) + 2) + "|")
    for name in ("torch", "fused"):
        cells = [f"{numbers[f'{name}_ns_per_edge_N{n}']:.0f}" for n in SIZES]
        lines.append(
            f"| {name} | " + " | ".join([*cells, f"{numbers[f'{name}_megabytes_N{LARGEST}']:.0f}"]) + " |"
        )
    lines += [
        "",
        f"| train step, molecules of {ATOMS} atoms | ms in PyTorch | ms by kernels | gain |",
        "|---|---|---|---|",
    ]
    for name, (config, batch) in MOLECULES.items():
        slow, fast = (numbers[f"molecules_{name}_{kind}_ms"] for kind in ("torch", "fused"))
        what = f"{name}: {config.layers} layers x {config.hidden}, {batch} molecules"
        lines.append(f"| {what} | {slow:.1f} | {fast:.1f} | {slow / fast:.1f} |")
    lines += [
        "",
        "| one system of near pairs, forward | s of one core | of it, to find the pairs | MB above base |",
    ]
    seconds, to_find, above = (numbers[f"near_{name}"] for name in ("seconds", "list_seconds", "bytes"))
    lines += [
        "|---|---|---|---|",
        f"| N = {NEAR[0]}, {NEAR[1]} neighbours | {seconds:.2f} | {to_find:.2f} | {above / 1e6:.0f} |",
    ]
    return lines


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser("surrogate.bench.layers", "Time our EGNN against the published layout (a minute).")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for layers.json, layers.md")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each comparison")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: on the GPU, graphs too")
    options = parser.parse_args(argv)
    device = chosen_device(options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    keep_freed_memory()  # as `surrogate.train` does
    numbers: dict[str, float] = {}
    if device == "cuda":
        numbers = gpu.bench_gpu(options.seconds)
        _write(options.out, "layers-cuda", torch.cuda.get_device_name(), numbers, gpu.table_lines(numbers))
        return
    for n_systems in BATCHES:
        measured = bench_forward(n_systems, options.seconds)
        numbers |= {f"b{n_systems}_{name}": value for name, value in measured.items()}
    numbers |= bench_step(options.seconds)
    numbers |= bench_molecules(options.seconds)
    numbers |= bench_large(options.seconds)
    _write(options.out, "layers", machine(), numbers, table_lines(numbers))


def _write(out: Path, name: str, where: str, numbers: dict[str, float], lines: list[str]) -> None:
    table = BenchTable(f"{where}; PyTorch {torch.__version__}")
    table.numbers.update(numbers)
    for line in ("", *lines):
        table.say(line)
    table.write(out, name)


if __name__ == "__main__":
    sys.exit(run_command(main))
