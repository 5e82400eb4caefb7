"""Finished runs (one a seed) become a shipped model with a measured card.

The seed with the best validation error ships; every seed's test numbers go into the card.
"""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import progress_bar
from physics.datasets.reading import read_split
from physics.errors import InputError
from physics.files import atomic_write, bounded_text
from resources import ZOO
from resources.shipped import FILE_NAME
from surrogate.evaluation.rollout_metrics import rollout_summary
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.frames import window_frames
from surrogate.tasks.dynamics.windows import input_times
from surrogate.training.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from surrogate.training.machine import machine

MEASURED = (
    "mse", "mse_median", "mse_p99", "mse_stderr", "mse_clean", "mse_clean_median", "mse_ballistic", "velocity_mse",
    "equivariance_error", "equivariance_error_max",
)  # fmt: skip


def measured(runs: Sequence[Path], data: Sequence[str], rollouts: bool) -> list[dict[str, Any]]:
    """Every run evaluated on every data set: one row a data set, with each seed's numbers, mean and spread."""
    rows = []
    with progress_bar("measuring", len(runs) * len(data), "evaluations") as advance:
        for path in data:
            split = read_split(path, "test")
            per_seed = []
            for run in runs:
                model = load(run)
                result = evaluation(model, split, "test")
                if rollouts:
                    result["rollout"] = rollout_summary(model, split, "test")
                per_seed.append(result)
                advance(1)
            row: dict[str, Any] = {
                "data": Path(path).name,
                "preset": split.recipe.get("preset"),
                "n_dims": split.n_dims,
                "n_particles": split.n_particles,
                "samples": len(split),
                "horizon": per_seed[0]["horizon"],
                "mse_per_seed": [r["mse"] for r in per_seed],
            }
            for key in MEASURED:
                values = [r[key] for r in per_seed if r.get(key) is not None]
                if values:
                    row[key] = float(np.mean(values))
            if len(runs) > 1 and all(value is not None for value in row["mse_per_seed"]):
                row["mse_spread_over_seeds"] = float(np.std(row["mse_per_seed"], ddof=1))
            if rollouts:
                row["rollout"] = per_seed[0]["rollout"]
            rows.append(row)
    return rows


def publish(name: str, runs: Sequence[Path], data: Sequence[str], *, rollouts: bool, command: str) -> Path:
    """Write resources/zoo/<name>: the checkpoint with its card, and the card for people."""
    checkpoints = [read_checkpoint(run / "best") for run in runs]
    valid_errors = [c.info["card"].get("valid_mse_positions") for c in checkpoints]
    if any(error is None for error in valid_errors):
        raise InputError("every run must have finished its positions stage (no valid_mse_positions in a card)")
    chosen, card = common_card(name, runs, checkpoints, valid_errors, command)
    config = chosen.info["config"]
    card |= {"valid_mse_per_seed": valid_errors, "results": measured(runs, data, rollouts)}
    if "input_times" not in card:  # runs from before the card kept it
        card["input_times"] = _input_times(config, card)
    folder = ZOO / name
    if folder.exists():
        shutil.rmtree(folder)
    save_checkpoint(folder, {**chosen.info, "card": card}, chosen.tensors)
    model = load(folder)
    card["n_parameters"] = model.network(next(iter(chosen.tensors.values())).dtype).n_parameters
    save_checkpoint(folder, {**chosen.info, "card": card}, chosen.tensors)
    atomic_write(folder / "README.md", card_text(card).encode())
    return folder / FILE_NAME


def common_card(
    name: str, runs: Sequence[Path], checkpoints: Sequence[Checkpoint], errors: Sequence[float], command: str
) -> tuple[Checkpoint, dict[str, Any]]:
    """The checkpoint with the least validation error, and what its card says whatever the task."""
    facts = [json.loads(bounded_text(run / "run.json", 1 << 20)) for run in runs]
    best = int(np.argmin(errors))
    chosen = checkpoints[best]
    config = chosen.info["config"]
    return chosen, {
        **chosen.info["card"],
        "name": name,
        "model": config["model"],
        "train": config["train"],
        "seeds": [c.info["config"]["train"]["seed"] for c in checkpoints],
        "shipped_seed": config["train"]["seed"],
        "seconds_per_seed": [f["seconds"] for f in facts],
        "trained": [f["date"] for f in facts],
        "machine": facts[best]["machine"],
        "commands": list(dict.fromkeys(f["command"] for f in facts)),
        "versions": facts[best]["versions"],
        "measured_on": {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "command": command},
    }


def _input_times(config: dict[str, Any], card: dict[str, Any]) -> list[float]:
    splits = [read_split(path, "train") for path in config["data"]["paths"]]
    chosen = DataConfig(**config["data"] | {"paths": ()})
    return input_times(splits, [window_frames(split, "train", chosen).inputs for split in splits])


def card_text(card: dict[str, Any]) -> str:
    """The card for people, in Markdown."""
    settings = ", ".join(f"{key} = {value}" for key, value in card["model"].items() if key != "name")
    seconds = ", ".join(f"{s / 60:.1f}" for s in card["seconds_per_seed"])
    lines = [
        f"# {card['name']}",
        "",
        card["note"] + ".",
        "",
        f"- **Model** {card['model']['name']} ({settings}), "
        f"{card['n_parameters']:,} parameters that make positions",
        f"- **Trained on** {', '.join(card['data'])}: n = {', '.join(map(str, card['dims']))}, "
        f"N = {', '.join(map(str, card['particles']))}, t = {card['input_times'][0]:.3g} to "
        f"{card['input_times'][1]:.3g}; windows: {card['windows']}, frames "
        f"{card['frames'][0][0]} to {card['frames'][0][1]} "
        f"({', '.join(map(str, sorted(set(card['train_samples']))))} trajectories each)",
        f"- **Supervision** positions{' and velocities' if card['velocity_targets'] else ''}"
        + (
            "; afterwards a separate velocity head on velocities, position weights frozen"
            if "valid_mse_velocities" in card
            else ""
        ),
        f"- **Steps** {card.get('position_steps', card['steps'])} to the best validation epoch "
        f"({card.get('position_best_epoch', card['best_epoch'])})",
        f"- **Time** {seconds} minutes a seed on {card['machine']} ({', '.join(sorted(set(card['trained'])))})",
        f"- **Seeds** {', '.join(map(str, card['seeds']))}; shipped: {card['shipped_seed']} (best validation MSE)",
        f"- **Validation MSE per seed** {', '.join(f'{v:.4g}' for v in card['valid_mse_per_seed'])}",
        "",
        "## Measured",
        "",
        f"Test split, float32, {card['measured_on']['date']}, {card['measured_on']['machine']}. "
        "Means over seeds; +- is the spread over seeds, then the standard error over windows.",
        "",
        "| data | n | MSE | median | p99 | x + v t | gain | equivariance median, max |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in card["results"]:
        spread = f" +- {row['mse_spread_over_seeds']:.2g}" if "mse_spread_over_seeds" in row else ""
        lines.append(
            f"| {row['data']} ({row['samples']}) | {row['n_dims']} "
            f"| {row['mse']:.4g}{spread} +- {row['mse_stderr']:.2g} "
            f"| {row['mse_median']:.3g} | {row['mse_p99']:.3g} | {row['mse_ballistic']:.3g} "
            f"| {row['mse_ballistic'] / row['mse']:.0f}x "
            f"| {row['equivariance_error']:.1e}, {row['equivariance_error_max']:.1e} |"
        )
    clean = [row for row in card["results"] if "mse_clean" in row]
    for row in clean:
        lines += ["", f"Clean windows of {row['data']} (the clamp never acts): MSE {row['mse_clean']:.4g}, "
                  f"median {row['mse_clean_median']:.3g}."]  # fmt: skip
    rolled = [row for row in card["results"] if "rollout" in row]
    if rolled:
        lines += [
            "",
            "Chained roll-outs. Valid time: RMSE below 0.1 of the RMS radius, in horizons. Energy drift: "
            "relative, median.",
            "",
            "| data | n | valid time, median | valid to the end | energy drift at 10 | median RMSE at 1, 5, 10 |",
            "|---|---|---|---|---|---|",
        ]
        for row in rolled:
            r = row["rollout"]
            drift = "-" if r["energy_drift_median"] is None else f"{r['energy_drift_median']:.2g}"
            after = ", ".join(f"{r[f'rmse_median_{k}']:.2g}" for k in (1, 5, 10) if f"rmse_median_{k}" in r)
            lines.append(
                f"| {row['data']} | {row['n_dims']} | {r['valid_time_median']:.0f} of {r['horizons']} "
                f"| {100 * r['valid_to_the_end']:.0f} % | {drift} | {after} |"
            )
    lines += ["", "## Commands", "", "```", *card["commands"], card["measured_on"]["command"], "```", ""]
    return "\n".join(lines)
