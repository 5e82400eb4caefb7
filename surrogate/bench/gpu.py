"""`python -m surrogate.bench.layers --device cuda`: our EGNN beside the published layout on the same GPU.

Forward pass and training step, eager, compiled and captured in a CUDA graph. A time is of several calls without a
wait between them, as in training; variants are timed in turns.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from surrogate.bench import textbook
from surrogate.bench.timing import PARTICLES, Call, checked_errors, fresh_model, low_times, states, stepper
from surrogate.models.egnn.model import EGNN
from surrogate.training.compiled import compile_in_place
from surrogate.training.whole_epochs import WARM_UP_STEPS, recorded

CALLS = 20
"""Made one after another before the device is waited for."""
BATCH = 100
VARIANTS = ("textbook", "eager", "compiled", "captured", "compiled and captured")


def waited(call: Call, device: str) -> Call:
    """`CALLS` calls, until the device has done them."""

    def calls() -> None:
        for _ in range(CALLS):
            call()
        if device == "cuda":
            torch.cuda.synchronize()

    return calls


def captured(call: Call) -> Call:
    """The same work from a graph."""

    def warm_up() -> None:
        for _ in range(WARM_UP_STEPS):
            call()

    graph = recorded(warm_up, call)
    replay: Call = graph.replay
    return replay


def bench_gpu(seconds: float, device: str = "cuda", batch: int = BATCH) -> dict[str, float]:
    """Milliseconds of a forward pass and of a training step, and errors against float64.

    `compiled` is missing where `torch.compile` does not work here.
    """
    state = tuple(t.to(device) for t in states(batch, PARTICLES))
    x, v, q = state
    receivers, senders = textbook.edge_list(batch, PARTICLES)
    edges = receivers.to(device), senders.to(device)

    def model() -> EGNN:
        return fresh_model().to(device)

    published, ours, whole = model(), model(), model()
    compiled = None if compile_in_place(whole, device) else whole
    weights: dict[str, Tensor] = dict(published.named_parameters())
    forwards: dict[str, tuple[EGNN, Callable[[], Tensor]]] = {
        "textbook": (published, lambda: textbook.egnn(weights, "init", 4, x, v, q, edges)),
        "eager": (ours, lambda: ours(x, v, q)[0]),
    }
    if compiled is not None:
        forwards["compiled"] = (compiled, lambda: whole(x, v, q)[0])
    with torch.no_grad():
        exact = fresh_model().double()(*(t.double() for t in states(batch, PARTICLES)))[0]
        found = {name: forward().cpu() for name, (_, forward) in forwards.items()}
        calls = _with_graphs({name: forward for name, (_, forward) in forwards.items()})
        numbers = _timed("forward", calls, seconds, device)
    numbers |= {f"forward_{name}": error for name, error in checked_errors(found, exact).items()}
    target = x + v
    steps = {name: stepper(owner.parameters(), forward, target) for name, (owner, forward) in forwards.items()}
    return numbers | _timed("step", _with_graphs(steps), seconds, device)


def _with_graphs(calls: dict[str, Call]) -> dict[str, Call]:
    """Ours from graphs beside the calls themselves."""
    graphs = {"captured": captured(calls["eager"])}
    if "compiled" in calls:
        graphs["compiled and captured"] = captured(calls["compiled"])
    return calls | graphs


def _timed(what: str, calls: dict[str, Call], seconds: float, device: str) -> dict[str, float]:
    times = low_times({name: waited(call, device) for name, call in calls.items()}, seconds)
    return {f"{what}_{name}_ms": 1e3 * value / CALLS for name, value in times.items()}


def table_lines(numbers: dict[str, float]) -> list[str]:
    """The table of what was measured."""
    lines = ["| EGNN, 4 layers x 64, batch 100 x 5 | ms | times the published layout | error against float64 |"]
    lines.append("|---|---|---|---|")
    for what, words in (("forward", "forward"), ("step", "training step")):
        base = numbers[f"{what}_textbook_ms"]
        for name in VARIANTS:
            if (ms := numbers.get(f"{what}_{name}_ms")) is None:
                lines.append(f"| {words}, {name}: not measured, torch.compile does not work here | | | |")
                continue
            error = numbers.get(f"{what}_{name}_error")
            lines.append(
                f"| {words}, {name} | {ms:.4f} | {base / ms:.1f} | {'' if error is None else f'{error:.1e}'} |"
            )
    return lines
