"""`python -m surrogate.studies.inferred_edges`: what an EGNN's inferred edges find, beside the true ones.

On springs along half of the pairs, whose edges a model is given, or not, or is to infer; and on two groups that do
not act on each other, which it is to tell apart. Every case is trained with one configuration for a few minutes.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from physics.baselines.references import leapfrog_forecast, windows_at
from physics.cli import CommandParser, command_line, key_values, refuse_existing, run_command
from physics.datasets.draws import half_of_pairs
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.datasets.split import DataSplit
from physics.datasets.streams import SPEED
from physics.files import atomic_path, atomic_write, write_json
from physics.generate import generate
from physics.types import FloatArray
from surrogate.evaluation.metrics import sample_errors
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.models.egnn.model import EGNN
from surrogate.studies.inferred_edges_page import figure, page
from surrogate.tasks.dynamics.frames import task_frames, task_horizon
from surrogate.training.config import Config, add_settings, load_config
from surrogate.training.machine import machine
from surrogate.training.run import train

SIZES = {"train": 3000, "valid": 500, "test": 1000}
DRAWN_SETS, STEPS = 100, 20
"""Sets of edges over which a forecast is averaged, and leapfrog steps of each."""
DECODED = 100
"""States whose edges are looked for by all sets of them."""
EXAMPLES = (
    "python -m surrogate.studies.inferred_edges --out docs --work out/inferred-edges",
    "python -m surrogate.studies.inferred_edges --out out/quick --set train.epochs=5",
)


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes
    ----------
    preset : str
    what : str
        In words.
    settings : mapping
        Of the EGNN.
    """

    preset: str
    what: str
    settings: Mapping[str, str]


GIVEN, INFERRED = {"model.edge_attributes": "1"}, {"model.infer_edges": "true"}
GATED = {**INFERRED, "model.gate_coordinates": "true"}
CASES: dict[str, Case] = {
    "springs-hidden": Case("springs-5", "edges hidden", {}),
    "springs-given": Case("springs-5", "edges given", GIVEN),
    "springs-inferred": Case("springs-5", "edges hidden, inferred", INFERRED),
    "springs-gated": Case("springs-5", "edges hidden, inferred, coordinates gated", GATED),
    "springs-given-gated": Case("springs-5", "edges given, and inferred, coordinates gated", {**GIVEN, **GATED}),
    "groups-plain": Case("two-groups", "no inferred edges", {}),
    "groups-inferred": Case("two-groups", "inferred", INFERRED),
    "groups-gated": Case("two-groups", "inferred, coordinates gated", GATED),
}


def configured(case: Case, data: Path, settings: Mapping[str, str]) -> Config:
    """The whole configuration of a case: a short run of `egnn-nbody` without a velocity head."""
    protocol = {
        "model.velocity_head": "false",
        "train.velocity_epochs": "0",
        "train.schedule": "one-cycle",
        "train.epochs": "100",
        "train.ema": "0.99",
        "train.weight_decay": "0.0",
    }
    config = load_config("egnn-nbody", {**protocol, **case.settings, **settings})
    return replace(config, data=replace(config.data, paths=(str(data),)), note=case.what)


def prepared_data(folder: Path, preset: str) -> Path:
    """The data set of a preset, made where it is missing."""
    path = folder / f"{preset}.zarr"
    if not (path / "manifest.json").is_file():
        shutil.rmtree(path, ignore_errors=True)
        sizes = {name: str(count) for name, count in SIZES.items()}
        generate(request_from_options(preset, sizes, None, None, None, {}), path)
    return path


def area_under_curve(inside: FloatArray, across: FloatArray) -> float:
    """Share of pairs (one of each) in which the first is the larger; equal ones count half."""
    order = np.sort(across)
    below, upto = (np.searchsorted(order, inside, side=side) for side in ("left", "right"))
    return float(np.mean(below + upto) / (2 * len(order)))


def inferred(model: Forecaster, split: DataSplit) -> FloatArray | None:
    """The model's e_ij for the input states of a split, (layers, samples, N, N); None where it infers none."""
    network = model.network(torch.float64)
    assert isinstance(network, EGNN)
    if not network.infers_edges:
        return None
    w = windows_at(split, task_frames(split, "test", -1, -1)[0])
    scales = model.scales
    x = (w.x - w.x.mean(axis=1, keepdims=True)) / scales.length
    given = {"edges": torch.tensor(np.array(split.edges))} if network.given else {}
    state = (torch.tensor(a) for a in (x, w.v / scales.speed, w.q / scales.charge))
    return np.asarray(network.inferred_edges(*state, **given).numpy())


def told_apart(e: FloatArray, edges: FloatArray) -> list[dict[str, float]]:
    """Of each layer the mean e_ij of pairs with an edge and of others, and the area under the curve."""
    apart = ~np.eye(edges.shape[-1], dtype=bool) & np.ones(edges.shape, dtype=bool)
    bound = edges > 0
    found = []
    for layer in e:
        inside, across = layer[apart & bound], layer[apart & ~bound]
        numbers = {"inside": float(inside.mean()), "across": float(across.mean())}
        found.append(numbers | {"auc": area_under_curve(inside, across)})
    return found


def averaged_forecast_error(split: DataSplit, seed: int = 0) -> float:
    """Mean squared error of the mean forecast over edges that are drawn anew, under the true law.

    It is what the best forecast would make of states that told nothing of their edges.
    """
    first, last = task_frames(split, "test", -1, -1)
    w, target, horizon = windows_at(split, first), windows_at(split, last), task_horizon(split)
    rng, total = np.random.default_rng(seed), np.zeros_like(w.x)
    for _ in range(DRAWN_SETS):
        edges = np.array([half_of_pairs(q, rng) for q in w.q])
        drawn = replace(w, external=replace(w.external, edges=edges))
        total += leapfrog_forecast(drawn, horizon, STEPS)[0]
    return float(sample_errors(total / DRAWN_SETS, target.x).mean())


def decoded(split: DataSplit) -> dict[str, int]:
    """Of how many states (`tried`) the edges are named by how the data were made: all speeds were SPEED at first.

    Every set of edges is run back to the start; the one after which speeds differ least from that is taken.
    """
    first = task_frames(split, "test", -1, -1)[0]
    some = windows_at(split, first).part(slice(0, DECODED))
    n = some.x.shape[1]
    pairs = list(combinations(range(n), 2))
    sets = np.zeros((2 ** len(pairs), n, n))
    for bit, (i, j) in enumerate(pairs):
        sets[:, i, j] = sets[:, j, i] = np.arange(len(sets)) >> bit & 1
    right = 0
    for index in range(len(some)):
        one = some.part(np.full(len(sets), index))
        w = replace(one, external=replace(one.external, edges=sets))
        back = leapfrog_forecast(w, -float(split.times[first]), STEPS)[1]
        best = np.abs(np.linalg.norm(back, axis=-1) - SPEED).max(axis=1).argmin()
        right += bool((sets[best] == some.external.part(slice(index, index + 1)).edges).all())
    return {"decoded": right, "tried": len(some)}


def measured(case: Case, config: Config, run: Path, command: str) -> dict[str, Any]:
    """Train, or take the finished run; its numbers, and the picture of its e_ij."""
    train(config, run, resume=True, device="cpu", command=command, quiet=True)
    model, split = load(run), read_split(config.data.paths[0], "test")
    assert split.edges is not None
    numbers = evaluation(model, split, "test", rotations=1)
    result: dict[str, Any] = {"preset": case.preset, "what": case.what, "settings": dict(case.settings)}
    result |= {key: numbers[key] for key in ("mse", "mse_stderr", "mse_median", "relative_mse")}
    result["seconds"] = json.loads((run / "run.json").read_text())["seconds"]
    result["steps"] = config.train.epochs * (SIZES["train"] // config.train.batch_size)
    if (e := inferred(model, split)) is not None:
        result["layers"] = told_apart(e, np.asarray(split.edges))
        x = windows_at(split, task_frames(split, "test", -1, -1)[0]).x
        np.savez(run / "edges.npz", e=e[-1], edges=split.edges, x=x)
    return result


def references(folder: Path) -> dict[str, Any]:
    """What the springs' states say of their edges, without a network."""
    split = read_split(folder / "springs-5.zarr", "test")
    x = windows_at(split, task_frames(split, "test", -1, -1)[0]).x
    distances = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)
    nearness = told_apart(-distances[None], np.asarray(split.edges))[0]["auc"]
    return {"averaged": averaged_forecast_error(split), "distance_auc": nearness, **decoded(split)}


def main(argv: Sequence[str]) -> None:
    """Parse the command line, then train and measure one case after the other."""
    parser = CommandParser("surrogate.studies.inferred_edges", "Compare inferred edges with true ones.", EXAMPLES)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for inferred-edges.md, .json and the figure"
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="folder for data and runs (default: work in --out)"
    )
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there")
    add_settings(parser, "change the configuration of every case (egnn-nbody)")
    options = parser.parse_args(argv)
    settings, work = key_values(options.set), options.work or options.out / "work"
    for case in CASES.values():
        configured(case, work, settings)  # refuses before anything is made
    refuse_existing(work, options.resume, "--resume to go on")
    (work / "data").mkdir(parents=True, exist_ok=True)
    command = command_line("surrogate.studies.inferred_edges", [a for a in argv if a != "--resume"])
    results = {}
    for name, case in CASES.items():
        config = configured(case, prepared_data(work / "data", case.preset), settings)
        results[name] = measured(case, config, work / name, command)
        sys.stdout.write(f"{name}: mse {results[name]['mse']:.3g}, {results[name]['seconds']:.0f} s\n")
        sys.stdout.flush()
    whole = {"command": command, "machine": machine(), "windows": SIZES["test"], "cases": results}
    whole["references"] = references(work / "data")
    (options.out / "figures").mkdir(parents=True, exist_ok=True)
    pictures = {name: dict(np.load(work / name / "edges.npz")) for name in results if "layers" in results[name]}
    with atomic_path(options.out / "figures" / "inferred-edges.png") as temporary:
        titles = {name: f"{CASES[name].preset}: {CASES[name].what}" for name in pictures}
        figure({titles[name]: arrays for name, arrays in pictures.items()}).savefig(temporary)
    write_json(options.out / "inferred-edges.json", whole)
    atomic_write(options.out / "inferred-edges.md", page(whole).encode())
    sys.stdout.write(f"{options.out / 'inferred-edges.md'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
