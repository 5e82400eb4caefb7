"""`python -m surrogate.studies.ablations`: what each part of the integrator gives, beside other models.

Every run follows the published protocol (the data set's own window, positions only, the first 3000 samples, best
validation epoch) and is measured on all test windows, so that a table has one cause a row.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from physics.cli import CommandParser, command_line, key_values, positive_int, refuse_existing, run_command
from physics.datasets.reading import read_split
from physics.datasets.split import DataSplit
from physics.errors import InputError, unknown_name
from physics.files import atomic_write, write_json
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.studies.ablation_tables import save_figures, tables
from surrogate.tasks.dynamics.splits import training_splits
from surrogate.training.config import Config, add_settings, load_config
from surrogate.training.divergence import DivergedError
from surrogate.training.run import train

EVALUATIONS = 16
"""Rounds a window is forecast with, where a model chooses."""
SAMPLES = (100, 300, 1000, 3000, 10_000)
STEPS, VALIDATIONS = 2000, 40
"""Optimiser steps of every run of the data-efficiency table, and about how often they are validated."""
RESULT = "ablation.json"

EXAMPLES = (
    "python -m surrogate.studies.ablations --data data/nbody.zarr --out out/ablations",
    "python -m surrogate.studies.ablations --data data/nbody.zarr --out out/quick --only integrator no-prefactor "
    "--set train.epochs=10",
)


@dataclass(frozen=True)
class Variant:
    """One run of a table.

    Attributes
    ----------
    config : str
        A shipped configuration.
    why : str
        What the run is to show.
    changes : mapping
        What differs from `config`, as `--set` takes it.
    samples : int
        Training samples in the data-efficiency table; 0 is a row of the ablations.
    """

    config: str
    why: str
    changes: Mapping[str, str] = field(default_factory=dict)
    samples: int = 0


SECOND_ORDER = {"model.order": "2", "model.evaluations": "16"}
"""The integrator of these tables: of second order, which shows what each part gives at half the cost."""
SHORT = {**SECOND_ORDER, "train.epochs": "60", "train.validate_every": "20"}
RECIPE = {
    "train.lr": "2e-3",
    "train.schedule": "one-cycle",
    "train.clip": "0.1",
    "train.ema": "0.995",
    "train.weight_decay": "0.0",
    "train.saturation": "0.1",
    "train.validate_every": "20",
    "train.velocity_epochs": "0",
}
"""How the integrator is trained, for models whose configurations say otherwise."""

ABLATIONS: dict[str, Variant] = {
    "integrator": Variant("integrator-nbody", "of order 2 in 16 rounds, 60 epochs", SHORT),
    "coulomb-prefactor": Variant(
        "integrator-nbody",
        "more is given: only a correction of q_i q_j / r^3 is learned",
        {"model.powers": '"3"', "model.couplings": "charges", **SHORT},
    ),
    "no-prefactor": Variant(
        "integrator-nbody",
        "less is given: the network is the force, no power of r helps",
        {"model.powers": '"0"', **SHORT},
    ),
    "no-substeps": Variant(
        "integrator-nbody",
        "no adaptivity: a close pair gets one step a round",
        {"model.most_substeps": "1", **SHORT},
    ),
    "rounds-8": Variant("integrator-nbody", "trained in 8 rounds", {**SHORT, "model.evaluations": "8"}),
    "rounds-32": Variant("integrator-nbody", "trained in 32 rounds", {**SHORT, "model.evaluations": "32"}),
    "no-saturation": Variant(
        "integrator-nbody", "every window counts as its squared error", {"train.saturation": "0.0", **SHORT}
    ),
    "no-gradient-limit": Variant(
        "integrator-nbody", "gradients of chaotic windows grow freely", {"model.gradient_growth": "0.0", **SHORT}
    ),
    "features": Variant(
        "integrator-nbody",
        "a memory: node features give couplings that vanish with the step",
        {"model.features": "32", **SHORT},
    ),
    "segno": Variant(
        "segno-nbody",
        "EGNN messages for the pair law, 8 equal steps, the integrator's recipe",
        {**RECIPE, "train.epochs": "100"},
    ),
    "egnn-recurrent": Variant(
        "segno-nbody",
        "EGNN layers as time steps, weights shared, the integrator's recipe",
        {"model.name": "egnn-recurrent", "model.shared": "true", **RECIPE, "train.epochs": "80"},
    ),
    "egnn": Variant("egnn-nbody", "EGNN under the integrator's recipe", {**RECIPE, "train.epochs": "120"}),
    "egnn-own-recipe": Variant(
        "egnn-nbody", "EGNN as its own configuration has it", {"train.velocity_epochs": "0"}
    ),
}


def efficiency(config: str, samples: int, changes: Mapping[str, str]) -> Variant:
    """A run of STEPS optimiser steps, whatever the number of samples."""
    epochs = STEPS // max(samples // 100, 1)
    budget = {
        "data.train_samples": str(samples),
        "train.batch_size": "100",
        "train.epochs": str(epochs),
        "train.validate_every": str(max(epochs // VALIDATIONS, 1)),
    }
    return Variant(config, f"{samples} samples, {STEPS} steps", {**changes, **budget}, samples)


EFFICIENCY: dict[str, Variant] = {
    **{f"integrator-{n}": efficiency("integrator-nbody", n, SECOND_ORDER) for n in SAMPLES},
    **{f"egnn-{n}": efficiency("egnn-nbody", n, RECIPE) for n in SAMPLES},
}
VARIANTS = ABLATIONS | EFFICIENCY


def configured(variant: Variant, data: str, seed: int, settings: Mapping[str, str]) -> Config:
    """The whole configuration of a run: one thread, the first 3000 samples of `data` unless the variant says."""
    protocol = {
        "data.train_samples": "3000",
        "data.windows": "task",
        "train.threads": "1",
        "train.seed": str(seed),
    }
    config = load_config(variant.config, {**protocol, **variant.changes, **settings})
    return replace(config, data=replace(config.data, paths=(data,)), note=variant.why)


def trained(config: Config, out: Path, command: str) -> str:
    """Train, or go on; what went wrong where the losses stayed bad, else ""."""
    try:
        train(config, out, resume=True, device="cpu", command=command, quiet=True)
    except DivergedError as error:
        return str(error)
    return ""


def measured(config: Config, out: Path, test: DataSplit, command: str) -> dict[str, Any]:
    """Train and evaluate one run; its numbers are kept in the run folder, and taken from there the next time.

    Returns
    -------
    dict
        What `evaluation` gives, and seconds, best_epoch, failed; `own` is the
        evaluation in as many rounds as the model was trained with, where those are not EVALUATIONS.
    """
    kept, written = out / RESULT, out / "config.toml"
    if kept.is_file() and written.is_file() and written.read_text(encoding="utf-8") == config.to_toml():
        known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return known
    failed = trained(config, out, command)
    result: dict[str, Any] = {"failed": failed, "seconds": json.loads((out / "run.json").read_text())["seconds"]}
    if (out / "best").is_dir():
        model = load(out)
        result["best_epoch"] = model.card["best_epoch"]
        chosen = EVALUATIONS if model.chooses_evaluations else None
        result |= evaluation(model, test, "test", evaluations=chosen, rotations=1)
        if chosen and model.evaluations != chosen:
            result["own"] = evaluation(model, test, "test", rotations=1)
    write_json(kept, result)
    return result


def gathered(out: Path) -> dict[str, list[dict[str, Any]]]:
    """The results of every finished run below `out`, in the order of the registry, seeds ascending."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in VARIANTS:
        paths = (out / "runs").glob(f"{name}-seed*/{RESULT}")
        for path in sorted(paths, key=lambda p: int(p.parent.name.rpartition("-seed")[2])):
            found.setdefault(name, []).append(json.loads(path.read_text(encoding="utf-8")))
    return found


def write_results(out: Path, command: str) -> list[dict[str, Any]]:
    """ablations.json and ablations.md of all that is finished; the rows."""
    results = gathered(out)
    rows = [
        {"variant": name, "why": VARIANTS[name].why, "samples": VARIANTS[name].samples, "seeds": found}
        for name, found in results.items()
    ]
    write_json(out / "ablations.json", {"command": command, "rows": rows})
    atomic_write(out / "ablations.md", tables(rows).encode())
    return rows


def main(argv: Sequence[str]) -> None:
    """Parse the command line, then train and measure one run after the other."""
    parser = CommandParser(
        "surrogate.studies.ablations", "Train variants of the integrator and other models.", EXAMPLES
    )
    parser.add_argument("--data", required=True, help="Zarr or .npz with train, valid and test")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs, ablations.json, .md, .png")
    parser.add_argument("--seeds", type=positive_int, default=1, metavar="K", help="seeds 0 to K-1 (default 1)")
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there")
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), metavar="NAME", help=", ".join(VARIANTS))
    add_settings(parser, "change all of them")
    options = parser.parse_args(argv)
    for name in options.only:
        if name not in VARIANTS:
            raise unknown_name("variant", name, VARIANTS)
    settings = key_values(options.set)
    configs = {
        (name, seed): configured(VARIANTS[name], options.data, seed, settings)
        for seed in range(options.seeds)
        for name in dict.fromkeys(options.only)
    }
    refuse_existing(options.out, options.resume, "--resume to go on")
    command = command_line("surrogate.studies.ablations", [a for a in argv if a != "--resume"])
    test, there = read_split(options.data, "test"), len(training_splits(options.data)[0].positions)
    for (name, _), config in configs.items():
        if VARIANTS[name].samples and config.data.train_samples > there:
            raise InputError(
                f"{name} needs {config.data.train_samples} training samples; {options.data} has {there}"
            )
    for (name, seed), config in configs.items():
        found = measured(config, options.out / "runs" / f"{name}-seed{seed}", test, command)
        error = "diverged" if found.get("mse") is None else f"mse {found['mse']:.3g}"
        sys.stdout.write(f"{name}, seed {seed}: {error}, {found['seconds']:.0f} s\n")
        sys.stdout.flush()
        write_results(options.out, command)  # a broken-off command leaves the tables of what it did
    rows = write_results(options.out, command)
    save_figures(rows, options.out)
    sys.stdout.write(f"\n{tables(rows)}\n{options.out / 'ablations.md'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
