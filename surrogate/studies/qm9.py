"""`python -m surrogate.studies.qm9`: errors of properties of molecules against the number of training molecules.

Section 5.3 of Satorras et al. 2021 on a CPU's budget: every training makes the same number of optimiser steps.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import CommandParser, command_line, positive_float, positive_int, refuse_existing, run_command
from physics.errors import unknown_name
from physics.files import atomic_write, write_json
from surrogate.evaluation.benchmark.figures import blank, look
from surrogate.evaluation.molecule_errors import measured
from surrogate.inference.loading import load_predictor
from surrogate.tasks.molecules.targets import TARGETS
from surrogate.training.config import Config, load_config
from surrogate.training.machine import machine
from surrogate.training.many import finished, make_all, recipe_digest, stored

COMMAND = "python -m surrogate.studies.qm9"
EXAMPLES = (
    f"{COMMAND} --data data/qm9.zarr --work out/qm9 --out docs",
    f"{COMMAND} --data data/qm9.zarr --epochs 60 --targets alpha --molecules 10000 --work out/qm9 --out docs",
)
CONFIG = "egnn-qm9-alpha"
ASKED = ("alpha", "mu", "homo", "u0")
USUAL = 10_000
MOLECULES = (1000, USUAL, 50_000)
PUBLISHED_MOLECULES = 100_000
PUBLISHED_TABLE = {
    "NMP": (0.092, 69, 43, 38, 0.030, 0.040, 19, 17, 0.180, 20, 20, 1.50),
    "SchNet": (0.235, 63, 41, 34, 0.033, 0.033, 14, 14, 0.073, 19, 14, 1.70),
    "Cormorant": (0.085, 61, 34, 38, 0.038, 0.026, 20, 21, 0.961, 21, 22, 2.03),
    "L1Net": (0.088, 68, 46, 35, 0.043, 0.031, 14, 14, 0.354, 14, 13, 1.56),
    "LieConv": (0.084, 49, 30, 25, 0.032, 0.038, 22, 24, 0.800, 19, 19, 2.28),
    "DimeNet++": (0.044, 33, 25, 20, 0.030, 0.023, 8, 7, 0.331, 6, 6, 1.21),
    "TFN": (0.223, 58, 40, 38, 0.064, 0.101, None, None, None, None, None, None),
    "SE(3)-Transformer": (0.142, 53, 35, 33, 0.051, 0.054, None, None, None, None, None, None),
    "SEGNN": (0.060, 42, 24, 21, 0.023, 0.031, None, None, None, None, None, None),
    "EGNN": (0.071, 48, 29, 25, 0.029, 0.031, 12, 12, 0.106, 12, 11, 1.55),
}
"""Mean absolute errors by the order of TARGETS (Satorras et al. 2021, table 3; Brandstetter et al. 2022)."""
MOLECULE_MS = 1.0
"""About, of a training step."""

TEXT = """# Molecules: QM9

Written by `{command}`. Properties of molecules of up to nine heavy atoms from elements and positions alone
(Satorras et al. 2021, section 5.3). `{config}`, smaller than the published network, is trained on the first
molecules of the published training set for as many optimiser steps as {epochs} epochs of 10,000 molecules have;
errors are of all 13,083 molecules of the published test set. {machine}

{table}
{figure}
The full run, for a GPU: `python -m surrogate.train --config egnn-qm9 --data data/qm9.zarr --out runs/alpha`
(745,224 weights, 100,000 molecules, 1000 epochs as published; `--set 'model.targets="mu"'` for another property,
`"all"` for all twelve from the same layers; `--resume` goes on).

Shipped: `egnn-qm9-alpha`, 10,000 molecules, 120 epochs (its card says what it is measured at).

![a molecule in the window, its property told and true](screenshots/molecule.png)

## Published

{published}
{missing}"""


SLOPE = """
Slope: of the logarithm of the error over that of the number of molecules. After few steps training is unfinished,
and more molecules help little or not at all; more steps (`--epochs`) do.
"""


@dataclass(frozen=True)
class Job:
    """One property learned from so many molecules."""

    target: str
    molecules: int
    config: Config
    work: Path

    @property
    def title(self) -> str:
        """Names it, its run and its result."""
        return f"{self.target}-{self.molecules}"

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
        return self.molecules * self.config.train.epochs * MOLECULE_MS / 1e3


def main(argv: Sequence[str]) -> None:
    """Parse the command line, train what is missing, write the page."""
    parser = CommandParser("surrogate.studies.qm9", "Errors of properties against training molecules.", EXAMPLES)
    parser.add_argument("--data", type=Path, required=True, help="QM9, as surrogate.molecules makes it")
    parser.add_argument(
        "--targets", default=",".join(ASKED), help=f"with commas between (default {','.join(ASKED)})"
    )
    parser.add_argument("--molecules", type=positive_int, nargs="+", default=MOLECULES, metavar="M")
    parser.add_argument(
        "--epochs",
        type=positive_int,
        metavar="E",
        help="of 10,000 molecules; as many steps for others",
    )
    parser.add_argument("--minutes", type=positive_float, metavar="M", help="begin no training after M minutes")
    parser.add_argument("--work", type=Path, required=True, help="folder for runs and results")
    parser.add_argument("--out", type=Path, required=True, help="folder for qm9.md, qm9.json and figures/")
    parser.add_argument("--resume", action="store_true", help="keep what is in --work, and go on")
    parser.add_argument("--page", action="store_true", help="train nothing: the page of the results so far")
    options = parser.parse_args(argv)
    refuse_existing(options.work, options.resume or options.page, "--resume to go on")
    epochs = options.epochs or load_config(CONFIG).train.epochs
    jobs = jobs_of(options.data, options.targets.split(","), options.molecules, options.work, epochs)
    if not options.page:
        left = make_all([job for job in jobs if stored(job.result, job.digest) is None], _make, options.minutes)
        if left:
            sys.stdout.write(f"{left} trainings left out after {options.minutes:g} minutes: --resume goes on\n")
    results = [found for job in jobs if (found := stored(job.result, job.digest)) is not None]
    missing = [job.title for job in jobs if stored(job.result, job.digest) is None]
    words = [a for a in argv if a not in ("--resume", "--page")]
    _write(results, missing, options.out, command_line("surrogate.studies.qm9", words), epochs)
    sys.stdout.write(f"{options.out / 'qm9.md'}\n")


def jobs_of(
    data: Path, targets: Sequence[str], molecules: Sequence[int], work: Path, whole_epochs: int
) -> list[Job]:
    """Every training, 10,000 molecules of the first property first; these have `whole_epochs`.

    Raises
    ------
    InputError
        For an unknown property.
    """
    jobs = []
    for target in targets:
        if target not in TARGETS:
            raise unknown_name("property", target, TARGETS)
        for count in molecules:
            epochs = max(round(whole_epochs * USUAL / count), 1)
            changes = {
                "model.targets": repr(target),
                "data.paths": repr([str(data)]),
                "data.train_molecules": str(count),
                "train.epochs": str(epochs),
                "train.validate_every": str(max(epochs // 50, 1)),
            }
            jobs.append(Job(target, count, load_config(CONFIG, changes), work))
    return sorted(jobs, key=lambda job: (targets.index(job.target), job.molecules != USUAL))


def _make(job: Job) -> str:
    """Train and score; what is said of it."""
    run = job.work / "runs" / f"{job.title}-{job.digest[:8]}"
    failed = finished(job.config, run, COMMAND)
    result, _ = measured(load_predictor(run), job.config.data.paths[0], "test")
    row = result["mae"][job.target]
    facts = {"target": job.target, "molecules": job.molecules, "epochs": job.config.train.epochs, "failed": failed}
    more = {"digest": job.digest, "machine": machine(), "date": time.strftime("%Y-%m-%d")}
    write_json(job.result, {**facts, **row, "samples": result["samples"], **more})
    return f"MAE {row['value']:.4g} {row['unit']}"


def _write(results: list[dict[str, Any]], missing: Sequence[str], out: Path, command: str, epochs: int) -> None:
    """qm9.md, qm9.json and the figure."""
    (out / "figures").mkdir(parents=True, exist_ok=True)
    shown = ""
    if results:
        _figure(results, out / "figures" / "qm9.png")
        shown = "![errors against molecules](figures/qm9.png)\n"
    text = TEXT.format(
        command=command,
        config=CONFIG,
        epochs=epochs,
        machine="; ".join(sorted({f"{r['machine']}, {r['date']}" for r in results})),
        table=_table(results),
        figure=shown,
        published=_published(),
        missing=f"\nNot trained yet: {', '.join(missing)}.\n" if missing else "",
    )
    write_json(out / "qm9.json", {"command": command, "results": results})
    atomic_write(out / "qm9.md", text.encode())


def _table(results: list[dict[str, Any]]) -> str:
    """A row a property: the error by molecules, its slope, and what was published."""
    counts = sorted({r["molecules"] for r in results})
    head = [f"{count:,}" for count in counts]
    lines = [f"| property | {' | '.join(head)} | slope | published, 100,000 | unit |"]
    lines.append("|" + "---|" * (len(counts) + 4))
    for target in dict.fromkeys(r["target"] for r in results):
        mine = {r["molecules"]: r["value"] for r in results if r["target"] == target}
        cells = [f"{mine[count]:.3g}" if count in mine else "-" for count in counts]
        row = TARGETS[target]
        lines.append(f"| {target} | {' | '.join(cells)} | {_slope(mine)} | {row.published:g} | {row.unit} |")
    return "\n".join(lines) + "\n" + SLOPE


def _slope(errors: dict[int, float]) -> str:
    if len(errors) < 2:
        return "-"
    return f"{np.polyfit(np.log(list(errors)), np.log(list(errors.values())), 1)[0]:.2f}"


def _published() -> str:
    names = [f"{name} [{target.unit}]" for name, target in TARGETS.items()]
    lines = [f"| MAE | {' | '.join(names)} |", "|" + "---|" * (len(names) + 1)]
    for method, values in PUBLISHED_TABLE.items():
        lines.append(f"| {method} | {' | '.join('-' if v is None else f'{v:g}' for v in values)} |")
    return "\n".join(lines) + "\n"


def _figure(results: list[dict[str, Any]], path: Path) -> None:
    """Errors against molecules, over the published one of 100,000."""
    figure, (axes,) = blank(5.6, 4.2, 1)
    for index, target in enumerate(dict.fromkeys(r["target"] for r in results)):
        mine = sorted((r["molecules"], r["value"] / r["published"]) for r in results if r["target"] == target)
        axes.plot([m for m, _ in mine], [e for _, e in mine], label=target, **look(index))
    axes.axhline(1.0, color="#000000", linewidth=0.8, linestyle=":")
    axes.plot([PUBLISHED_MOLECULES], [1.0], "k*", markersize=10, label="EGNN as published")
    axes.set(xscale="log", yscale="log", xlabel="training molecules", ylabel="error over the published one")
    axes.legend(fontsize=9, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(run_command(main))
