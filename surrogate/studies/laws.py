"""`make laws`: five laws from 100 trajectories each, learned with one configuration and held against the truth.

Of each learned law the formula is looked for, too.

With noise, every coordinate of every position gets an independent error of 1 % of the RMS radius of the initial
states; velocities stay as simulated, and positions are smoothed by them before training (smoothing.py).
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import CommandParser, command_line, key_values, positive_int, refuse_existing, run_command
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.datasets.split import DataSplit
from physics.errors import unknown_name
from physics.files import atomic_write, write_json
from physics.generate import generate
from surrogate.evaluation.formula.report import formula_numbers
from surrogate.evaluation.formula.search import formula_of
from surrogate.evaluation.pair_law_recovery import Recovery, recovery
from surrogate.export.recovery_figure import recovery_figure
from surrogate.inference.loading import load
from surrogate.studies.channels import chosen_couplings, with_couplings
from surrogate.studies.smoothing import smoothed
from surrogate.tasks.dynamics.scales import rms_radius
from surrogate.training.config import add_settings, load_config
from surrogate.training.run import train

LAWS: dict[str, tuple[str, dict[str, float]]] = {
    "gravity": ("softened-power", {"k": -1.0, "p": 2.0, "s": 0.1}),
    "spring": ("spring", {"k": 0.5 / 5}),
    "yukawa": ("yukawa", {"k": 1.0, "length": 2.0, "s": 0.1}),
    "softcore": ("soft-core", {"k": 1.0, "s": 0.5}),
    "couplings": ("softened-power", {"k": 1.0, "p": 2.0, "s": 0.1}),
}
"""Of each law the form and the parameters that its formula should have."""
NOISE = 0.01
"""Error of each coordinate, as a share of the RMS radius of the initial states."""

EXAMPLES = (
    "python -m surrogate.studies.laws --out out/laws",
    "python -m surrogate.studies.laws --out out/quick --laws spring --seeds 1 --set train.epochs=500 --no-noise",
)


def noisy_split(parts: Sequence[DataSplit], seed: int) -> dict[str, Any]:
    """The arrays of an .npz: all samples with noise in their positions, smoothed by their velocities."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("positions", "velocities", "charges", "masses")
    }
    x, times = arrays["positions"], parts[0].times
    noise = NOISE * rms_radius(x[:, 0])
    seen = x + noise * np.random.default_rng(seed).standard_normal(x.shape)
    arrays["positions"] = smoothed(seen, arrays["velocities"], times, noise)
    return arrays | {"times": times, "recipe": np.array(json.dumps(dict(parts[0].recipe)))}


def prepared_data(folder: Path, law: str, seed: int) -> tuple[Path, Path]:
    """The clean Zarr and the noisy .npz of one law, made where they are missing."""
    clean, noisy = folder / f"{law}-{seed}.zarr", folder / f"{law}-{seed}-noisy.npz"
    if not (clean / "manifest.json").is_file():
        shutil.rmtree(clean, ignore_errors=True)
        request = request_from_options(f"law-{law}", {"train": "90", "valid": "10"}, None, None, seed, {})
        generate(request, clean)
    if not noisy.is_file():
        parts = [read_split(clean, name) for name in ("train", "valid")]
        np.savez(noisy, **noisy_split(parts, seed))
    return clean, noisy


def learned(out: Path, data: Path, name: str, seed: int, settings: dict[str, str], truth: Path) -> Recovery:
    """Choose the channels, train on `data` (or take the finished run) and hold the law against that of `truth`.

    Runs are `out`/runs/`name`; where `settings` names model.couplings, nothing is chosen.
    """
    config = load_config("integrator-law", {"train.seed": str(seed)} | settings)
    epochs = config.train.epochs
    config = replace(
        config,
        data=replace(config.data, paths=(str(data),)),
        train=replace(config.train, validate_every=epochs),
    )
    command = command_line("surrogate.studies.laws", ())
    if "model.couplings" not in settings:
        config = with_couplings(config, chosen_couplings(config, out / "trials" / name, command))
    run = out / "runs" / name
    train(config, run, resume=True, device="cpu", command=command, quiet=True)
    return recovery(load(run), read_split(truth, "train"))


def formula(out: Path, run: str, data: Path, found: Recovery, law: str) -> dict[str, Any]:
    """The formula of a run, looked for in the data it was trained on and kept in `out`/formulas/`run`.json.

    `right` says whether it has the law's form, `parameter_error` is the largest relative error of a parameter.
    """
    file = out / "formulas" / f"{run}.json"
    if not file.is_file():
        model, split = load(out / "runs" / run), read_split(data, "train")
        write_json(file, formula_numbers(found, formula_of(model, split, found.seen)))
    numbers: dict[str, Any] = json.loads(file.read_text())
    form, true = LAWS[law]
    numbers["right"] = numbers["form"] == form
    errors = (
        [abs(numbers["parameters"][name]["value"] / true[name] - 1) for name in true] if numbers["right"] else []
    )
    return numbers | {"parameter_error": max(errors, default=None)}


def formula_table(results: dict[str, list[dict[str, Any]]]) -> str:
    """How often the form of each law and kind of data was found, and the errors of its formula, in Markdown."""
    lines = [
        "| law | positions | right form | formula of the first seed | parameters, largest error: mean (worst) "
        "| force, largest error: mean (worst) |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in results.items():
        law, kind = name.split(", ")
        found = [r["formula"] for r in rows]
        right = [f for f in found if f["right"]]
        spans = []
        for key in ("parameter_error", "largest_error"):
            values = [100 * f[key] for f in right]
            mean, worst = (
                f"{v:.2f} %" if v >= 0.01 else "< 0.01 %" for v in (np.mean(values or 0), max(values or [0]))
            )
            spans.append(f"{mean} ({worst})" if values else "-")
        text = f"`{found[0]['formula']}`"
        lines.append(f"| {law} | {kind} | {len(right)} of {len(found)} | {text} | {spans[0]} | {spans[1]} |")
    return "\n".join(lines) + "\n"


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """Largest and median error of each law and kind of data, mean over seeds and largest of them, in Markdown."""
    lines = [
        "| law | positions | channels | seeds | largest error, mean (worst) | at r | median error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        law, kind = name.split(", ")
        largest = [100 * r["error_largest"] for r in found]
        at = ", ".join(f"{r['error_largest_at']:.2f}" for r in found)
        median = 100 * float(np.mean([r["error_median"] for r in found]))
        channels = " or ".join(sorted({r["couplings"] for r in found}))
        lines.append(
            f"| {law} | {kind} | {channels} | {len(found)} | {np.mean(largest):.1f} % ({max(largest):.1f} %) "
            f"| {at} | {median:.2f} % |"
        )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Parse the command line, then generate, train and recover."""
    parser = CommandParser("surrogate.studies.laws", "Recover five laws from 100 trajectories each.", EXAMPLES)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for data, runs, laws.json, laws.md, laws.png"
    )
    parser.add_argument("--laws", nargs="+", default=list(LAWS), help="which (default: all five)")
    parser.add_argument(
        "--seeds", type=positive_int, default=1, metavar="K", help="seeds 0 to K-1, of data and model"
    )
    parser.add_argument("--no-formula", action="store_true", help="do not look for formulas")
    parser.add_argument("--no-noise", action="store_true", help="only clean positions")
    add_settings(parser, "change the configuration")
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there")
    options = parser.parse_args(argv)
    for law in options.laws:
        if law not in LAWS:
            raise unknown_name("law", law, LAWS)
    settings = key_values(options.set)
    load_config("integrator-law", settings)
    refuse_existing(options.out, options.resume, "--resume to go on")
    (options.out / "data").mkdir(parents=True, exist_ok=True)
    results: dict[str, list[dict[str, Any]]] = {}
    drawn: dict[str, dict[str, Recovery]] = {"clean": {}, "noisy": {}}
    for seed in range(options.seeds):
        for law in options.laws:
            clean, noisy = prepared_data(options.out / "data", law, seed)
            kinds = {"clean": clean} if options.no_noise else {"clean": clean, "noisy": noisy}
            for kind, data in kinds.items():
                found = learned(options.out, data, f"{law}-{kind}-{seed}", seed, settings, clean)
                name = f"{law}-{kind}-{seed}"
                numbers = found.numbers()
                if not options.no_formula:
                    numbers["formula"] = formula(options.out, name, data, found, law)
                results.setdefault(f"{law}, {kind}", []).append(numbers)
                drawn[kind].setdefault(law, found)
                sys.stdout.write(
                    f"{law}, {kind}, seed {seed}: largest error {numbers['error_largest']:.2%} at r = "
                    f"{numbers['error_largest_at']:.2f}, median {numbers['error_median']:.2%}\n"
                )
                if "formula" in numbers:
                    sys.stdout.write(f"  {numbers['formula']['formula']}\n")
                sys.stdout.flush()
    clean_curves, noisy_curves = (
        {law: r.curves() for law, r in drawn[kind].items()} for kind in ("clean", "noisy")
    )
    distances = next(iter(drawn["clean"].values())).distances
    figure = recovery_figure(
        clean_curves, {law: r.seen for law, r in drawn["clean"].items()}, distances, noisy_curves
    )
    figure.savefig(options.out / "laws.png")
    tables = table(results) + ("" if options.no_formula else f"\n{formula_table(results)}")
    atomic_write(options.out / "laws.md", tables.encode())
    write_json(
        options.out / "laws.json", {"command": command_line("surrogate.studies.laws", argv), "results": results}
    )
    sys.stdout.write(f"\n{tables}\n{options.out / 'laws.png'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
