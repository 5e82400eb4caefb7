"""`python -m surrogate.studies.autoencoder`: the graph autoencoders of the EGNN paper, trained, scored, shown.

Section 5.2 of Satorras et al. 2021: four networks on two sets, errors against the dimension of the space that
nodes are placed in, and how densely joined graphs can be before a network cannot learn them by heart.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import (
    CommandParser,
    command_line,
    positive_float,
    positive_int,
    refuse_existing,
    run_command,
    staged_folder,
)
from physics.files import atomic_write, write_json
from surrogate.evaluation.benchmark.figures import blank, errors_against, look
from surrogate.evaluation.graph_reconstruction import measured
from surrogate.inference.loading import load_predictor
from surrogate.tasks.array_sets import SPLITS, write_npz, write_zarr
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS, copies, erdos_renyi_overfit
from surrogate.training.config import Config, load_config
from surrogate.training.machine import machine
from surrogate.training.many import finished, make_all, recipe_digest, stored

COMMAND = "python -m surrogate.studies.autoencoder"
EXAMPLES = (
    f"{COMMAND} --work out/autoencoder --out docs",
    f"{COMMAND} --work out/autoencoder --out docs --parts table --minutes 60 --resume",
)
PARTS = ("table", "dims", "overfit")
MODELS = ("gnn", "noise-gnn", "radial-field", "egnn")
SETS = {"erdos-renyi": "er", "community-small": "community", "community-small-repaired": "community"}
"""And the name that their configurations have."""
REPAIRED = "community-small-repaired"
DIMS = (2, 3, 4, 8, 16, 32)
DIMS_CHANGES = {"train.epochs": "10", "train.lr": "2e-3"}
DENSITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
OVERFIT_MODELS = ("gnn", "noise-gnn", "egnn")
OVERFIT = {"model.embedding": "16", "train.epochs": "600", "train.validate_every": "20"}
PUBLISHED = {
    ("community-small", "gnn"): (6.75, 1.29, 0.980),
    ("community-small", "noise-gnn"): (3.32, 0.44, 0.993),
    ("community-small", "radial-field"): (9.22, 1.19, 0.981),
    ("community-small", "egnn"): (2.14, 0.06, 0.999),
    ("erdos-renyi", "gnn"): (14.15, 4.62, 0.907),
    ("erdos-renyi", "noise-gnn"): (4.56, 1.25, 0.975),
    ("erdos-renyi", "radial-field"): (6.78, 1.63, 0.968),
    ("erdos-renyi", "egnn"): (1.65, 0.11, 0.998),
}
"""Cross-entropy, error [%], F1 on the test sets (table 4 of the paper)."""
STEP_MS, OTHER_MS = 10.0, 6.0
"""About, of an EGNN and of another network."""
KEPT = ("bce", "error_percent", "error_percent_by_draw", "f1", "samples")

TEXT = """# Graph autoencoders

Written by `{command}`. A network gives each node of a graph a place in n dimensions (n = 8 but where it is said
otherwise), and edges are decoded from the distances of places alone (Satorras et al. 2021, section 5.2).
Nodes carry nothing that tells them apart but noise, which is drawn anew for every forward pass, in tests too.
{machine}

- **Data**: 5000 training, 500 validation and 500 test graphs. Erdos-Renyi: 7 to 16 nodes, a quarter of pairs
  joined. Communities: two of 6 to 10 nodes. The published communities are drawn from a stream that begins anew for
  each graph: there are only 25, and {copies} of the 500 test graphs are training graphs; none of the repaired set.
- **Training** differs from the published one (one graph a step, Adam 1e-4, 100 epochs): several graphs of equal
  size a step, one-cycle, weights averaged: configurations `autoencoder-er*` and `autoencoder-community*`.
  Repaired communities: one seed. Errors against n: {dims_epochs} epochs each.
  Rates, batch sizes and epochs were chosen with errors on the published test sets in sight: those of seed 0
  are somewhat flattered. Graphs of other seeds (`surrogate.graphs --seed`) had no part in it.
- **Error**: ordered pairs decoded wrongly at probability 1/2, of all pairs of the test set; finding no edge at all
  would give 25.13 % (Erdos-Renyi, mean over graphs) and 31.79 %. F1 over the same pairs. All for one draw of the
  noise, as published; the next draws give other errors, whose mean stands beside.

{table}
{figures}
## In the window

System panel, Graphs; or open a run or a set of graphs. [The window](window.md)

![a graph in eight dimensions, turned, beside what is decoded](screenshots/graph.png)

## One by one

    python -m surrogate.graphs --preset erdos-renyi --out data/er.zarr
    python -m surrogate.train --config autoencoder-er --data data/er.zarr --out runs/er
    python -m surrogate.evaluate runs/er --data data/er.zarr
    python -m surrogate.compare runs/er --data data/er.zarr --index 3 --rotate "0-7:40" --out out/graph

{missing}"""


@dataclass(frozen=True)
class Job:
    """One autoencoder of one part of the study."""

    part: str
    graphs: str
    model: str
    seed: int
    config: Config
    work: Path
    value: float = 0.0

    @property
    def title(self) -> str:
        """Names it, its run and its result."""
        value = f"-{self.value:g}" if self.value else ""
        return f"{self.part}{value}-{self.graphs}-{self.model}-seed{self.seed}"

    @property
    def digest(self) -> str:
        """Of what decides its result."""
        return recipe_digest(self.config, Path(self.config.data.paths[0]).name)

    @property
    def result(self) -> Path:
        """Its file."""
        return self.work / "results" / f"{self.title}.json"

    def seconds(self) -> float:
        """About what its training takes."""
        graphs = 100 if self.part == "overfit" else 5000
        steps = graphs / self.config.train.batch_size * self.config.train.epochs
        return steps * (STEP_MS if self.model == "egnn" else OTHER_MS) / 1e3


def main(argv: Sequence[str]) -> None:
    """Parse the command line, train what is missing, write the page."""
    parser = CommandParser("surrogate.studies.autoencoder", "The graph autoencoders of the EGNN paper.", EXAMPLES)
    parser.add_argument("--seeds", type=positive_int, default=3, metavar="K", help="of the table (default 3)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="train these alone (default all)")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="the same, by network")
    parser.add_argument("--minutes", type=positive_float, metavar="M", help="begin no training after M minutes")
    parser.add_argument("--work", type=Path, required=True, help="folder for graphs, runs and results")
    parser.add_argument("--out", type=Path, required=True, help="folder for autoencoder.md, .json and figures/")
    parser.add_argument("--resume", action="store_true", help="keep what is in --work, and go on")
    parser.add_argument("--page", action="store_true", help="train nothing: the page of the results so far")
    options = parser.parse_args(argv)
    refuse_existing(options.work, options.resume or options.page, "--resume to go on")
    jobs = jobs_of(options.work, options.seeds)
    if not options.page:
        _draw_sets(options.work)
        chosen = [job for job in jobs if job.part in options.parts and job.model in options.models]
        left = make_all([job for job in chosen if stored(job.result, job.digest) is None], _make, options.minutes)
        if left:
            sys.stdout.write(f"{left} trainings left out after {options.minutes:g} minutes: --resume goes on\n")
    results = {job.title: found for job in jobs if (found := stored(job.result, job.digest)) is not None}
    missing = [job for job in jobs if job.title not in results]
    words = [*("--work", str(options.work), "--out", str(options.out)), *("--seeds", str(options.seeds))]
    _write(list(results.values()), missing, options.out, command_line("surrogate.studies.autoencoder", words))
    sys.stdout.write(f"{options.out / 'autoencoder.md'}\n")


def jobs_of(work: Path, seeds: int) -> list[Job]:
    """Every training: the table's first seed, dimensions, overfitting, the other seeds, then repaired graphs."""

    def job(part: str, graphs: str, model: str, seed: int, changes: Mapping[str, str], value: float = 0.0) -> Job:
        name = f"autoencoder-{SETS.get(graphs, 'er')}" + ("" if model == "egnn" else f"-{model}")
        config = load_config(
            name, {**changes, "train.seed": str(seed), "data.paths": repr([str(_path(work, graphs))])}
        )
        return Job(part, graphs, model, seed, config, work, value)

    published = [g for g in SETS if g != REPAIRED]
    tables = [[job("table", g, m, seed, {}) for g in published for m in MODELS] for seed in range(seeds)]
    repaired = [job("table", g, m, 0, {}) for g in SETS if g == REPAIRED for m in MODELS]
    dims = [job("dims", "erdos-renyi", "egnn", 0, {**DIMS_CHANGES, "model.embedding": str(n)}, n) for n in DIMS]
    overfit = [job("overfit", f"overfit-{p:g}", m, 0, OVERFIT, p) for p in DENSITIES for m in OVERFIT_MODELS]
    return [*tables[0], *dims, *overfit, *(one for table in tables[1:] for one in table), *repaired]


def _path(work: Path, graphs: str) -> Path:
    return work / "graphs" / f"{graphs}{'.zarr' if graphs in SETS else '.npz'}"


def _draw_sets(work: Path) -> None:
    for name in SETS:
        if not (path := _path(work, name)).exists():
            with staged_folder(path, overwrite=False) as folder:
                write_zarr(folder, {split: GRAPH_PRESETS[name].part(split).arrays for split in SPLITS})
    for p in DENSITIES:
        if not (path := _path(work, f"overfit-{p:g}")).exists():
            write_npz(path, erdos_renyi_overfit(p).arrays)


def _make(job: Job) -> str:
    """Train and score; what is said of it."""
    run = job.work / "runs" / f"{job.title}-{job.digest[:8]}"
    failed = finished(job.config, run, COMMAND)
    result, _ = measured(load_predictor(run), job.config.data.paths[0], "test")
    facts = {"part": job.part, "graphs": job.graphs, "model": job.model, "seed": job.seed, "value": job.value}
    more = {"digest": job.digest, "machine": machine(), "date": time.strftime("%Y-%m-%d"), "failed": failed}
    write_json(job.result, {**facts, **{name: result[name] for name in KEPT}, **more})
    return f"{result['error_percent']:.3g} % wrong, F1 {result['f1']:.4f}"


def _write(results: list[dict[str, Any]], missing: list[Job], out: Path, command: str) -> None:
    """autoencoder.md, autoencoder.json and the figure."""
    (out / "figures").mkdir(parents=True, exist_ok=True)
    published = GRAPH_PRESETS["community-small"]
    shown = ""
    if any(r["part"] != "table" for r in results):
        _figure(results, out / "figures" / "autoencoder.png")
        shown = "![errors against dimensions, F1 against density](figures/autoencoder.png)\n"
    text = TEXT.format(
        command=command,
        machine="; ".join(sorted({f"{r['machine']}, {r['date']}" for r in results})),
        copies=copies(published.part("test"), published.part("train")),
        table=_table(results),
        figures=shown,
        dims_epochs=DIMS_CHANGES["train.epochs"],
        missing=f"Not trained yet: {', '.join(job.title for job in missing)}.\n" if missing else "",
    )
    write_json(out / "autoencoder.json", {"command": command, "results": results})
    atomic_write(out / "autoencoder.md", text.encode())


def _table(results: list[dict[str, Any]]) -> str:
    """Means and spreads over seeds, beside the published numbers."""
    lines = [
        "| graphs | network | cross-entropy | error [%] | of 6 draws | F1 | seeds | published |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for graphs in SETS:
        for model in MODELS:
            found = [r for r in results if (r["part"], r["graphs"], r["model"]) == ("table", graphs, model)]
            if not found:
                continue
            draws = [float(np.mean(r["error_percent_by_draw"])) for r in found]
            one = [[r[name] for r in found] for name in ("bce", "error_percent", "f1")]
            cells = [_spread(values) for values in (*one[:2], draws, one[2])]
            known = PUBLISHED.get((graphs, model))
            theirs = "{:g} / {:g} % / {:g}".format(*known) if known else "-"
            lines.append(f"| {graphs} | {model} | {' | '.join(cells)} | {len(found)} | {theirs} |")
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.4g}"
    return f"{mean} +- {np.std(values, ddof=1):.1g}" if len(values) > 1 else mean


def _figure(results: list[dict[str, Any]], path: Path) -> None:
    """Errors against the dimension of places, and F1 against the density of graphs learned by heart."""
    figure, (left, right) = blank()
    points = {r["value"]: r["error_percent"] for r in results if r["part"] == "dims"}
    n = sorted(points)
    errors_against(left, n, [points[k] for k in n], [0.0] * len(n), label="EGNN", **look(0))
    left.set(
        xscale="log", yscale="log", xlabel="dimensions of places", ylabel="pairs wrong [%], Erdos-Renyi test set"
    )
    left.set_xticks(list(DIMS), [str(k) for k in DIMS])
    left.minorticks_off()
    for index, model in enumerate(OVERFIT_MODELS):
        mine = sorted((r["value"], r["f1"]) for r in results if (r["part"], r["model"]) == ("overfit", model))
        if not mine:
            continue
        right.plot([p for p, _ in mine], [f1 for _, f1 in mine], label=model, **look(index))
    right.set(xlabel="part of pairs joined", ylabel="F1 of 100 graphs learned by heart", ylim=(0, 1.03))
    right.legend(fontsize=9, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(run_command(main))
