"""Which couplings and fields a law needs: every choice is tried on the same data and compared on held-out windows.

Two channels can trade off: where equal charges never come near each other, data fix only the difference of a
channel that ignores charges and one that does not. The simplest law that explains the held-out windows has no
such freedom. Couplings are compared with every field there may be, then the fields with the couplings chosen.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from physics.cli import CommandParser, command_line, key_values, refuse_existing, run_command
from physics.datasets.split import DataSplit
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.splits import training_splits
from surrogate.tasks.dynamics.windows import windows
from surrogate.training.config import Config, add_settings, load_config
from surrogate.training.run import train

TRIAL_EPOCHS = 300
"""Length of a trial: enough to distinguish a law that fits from one that cannot."""
TOLERANCE = 10.0
"""A choice is good enough where its held-out error (a squared one) is at most so many times the least."""
MOST_KINDS = 4
"""Kinds of particles that are told apart: each two of them have a radial function of their own."""

EXAMPLES = (
    "python -m surrogate.studies.channels --data mine.npz --out out/mine",
    "python -m surrogate.studies.channels --data data/g.zarr --out out/g --set train.epochs=500",
)


def candidates(split: DataSplit) -> list[str]:
    """Every set of channels the data can distinguish, simplest first: values of `model.couplings`."""
    channels = ["constant"]
    if np.any(split.charges):
        channels.append("charges")
    if np.any(split.masses != 1):
        channels.append("masses")
    if split.edges is not None and np.any(split.edges):
        channels.append("edges")
    if split.species is not None and 1 < len(np.unique(split.species)) <= MOST_KINDS:
        channels.append("species")
    return [",".join(c) for size in range(1, len(channels) + 1) for c in combinations(channels, size)]


def field_candidates(split: DataSplit) -> list[str]:
    """Every set of fields that may act, simplest first: values of `model.fields`, learned unless given."""
    fields = ["uniform"] if split.uniform_field is None else ["given-uniform"]
    charged = bool(np.any(split.charges))
    if charged and split.uniform_field is None:
        fields.append("electric")
    if charged and split.n_dims > 1:
        fields.append("magnetic" if split.magnetic_field is None else "given-magnetic")
    return [",".join(c) for size in range(len(fields) + 1) for c in combinations(fields, size)]


@torch.no_grad()
def held_out_error(model: Forecaster, split: DataSplit, config: Config) -> float:
    """Median over all windows of `split` of the squared error that training lessens.

    A median, because close encounters cannot be forecast from noisy positions by any law.
    """
    network = model.network(torch.float64)
    every = replace(config.data, windows="all")
    w = windows(
        split, "valid", every, model.scales, centre=network.centres, dtype=torch.float64, takes=network.takes
    )
    samples, starts = np.meshgrid(np.arange(len(w)), w.starts, indexing="ij")
    chosen = [torch.as_tensor(a.ravel()) for a in (samples, starts)]
    x, v, q, m, x_target, v_target = w.pick(*chosen)
    given = {name: values[chosen[0]] for name, values in w.given.items()}
    found_x, found_v = network(x, v, q, w.horizon, m, **given)
    errors = (found_x - x_target).square().mean((1, 2))
    errors += config.task_config.velocity_weight * (found_v - v_target).square().mean((1, 2))
    return float(errors.median())


def simplest(errors: Mapping[str, float]) -> str:
    """The choice of fewest terms within TOLERANCE of the least error; of several, the best."""
    limit = TOLERANCE * min(errors.values())
    terms = {name: len(name.split(",")) if name else 0 for name in errors}
    fewest = min(terms[name] for name, error in errors.items() if error <= limit)
    return min((name for name in errors if terms[name] == fewest), key=errors.__getitem__)


def with_couplings(config: Config, couplings: str) -> Config:
    """`config` with other channels."""
    return replace(config, model_config=replace(config.model_config, couplings=couplings))


def with_kinds(config: Config, split: DataSplit) -> Config:
    """`config` with the species of some data, where they have any."""
    kinds = "" if split.species is None else ",".join(map(str, np.unique(split.species)))
    return replace(config, model_config=replace(config.model_config, kinds=kinds))


def with_fields(config: Config, fields: str, n_dims: int) -> Config:
    """`config` with other fields, bound to a dimension where some are learned."""
    dims = n_dims if fields and any(not name.startswith("given-") for name in fields.split(",")) else 0
    return replace(config, model_config=replace(config.model_config, fields=fields, dims=dims))


def chosen_couplings(config: Config, out: Path, command: str) -> str:
    """Try every choice of channels for TRIAL_EPOCHS and take the simplest that explains the held-out windows.

    Parameters
    ----------
    config : Config
        Of an integrator, with one data set in data.paths.
    out : Path
        Trials are kept here, one run folder each; those that are there are not trained again.
    command : str
        Said in the trials' cards.
    """
    splits = training_splits(config.data.paths[0])
    config = with_kinds(config, splits[0])
    choices = {name: with_couplings(config, name) for name in candidates(splits[0])}
    return _chosen(choices, splits[1], out, command)


def chosen_fields(config: Config, out: Path, command: str) -> str:
    """As `chosen_couplings`, of the fields that act on each particle by itself: "" for none."""
    train_split, valid_split = training_splits(config.data.paths[0])
    n_dims = train_split.n_dims
    choices = {name: with_fields(config, name, n_dims) for name in field_candidates(train_split)}
    return _chosen(choices, valid_split, out, command)


def chosen_terms(config: Config, out: Path, command: str) -> Config:
    """`config` with the channels and the fields that the held-out windows ask for."""
    train_split, _ = training_splits(config.data.paths[0])
    every = with_fields(config, field_candidates(train_split)[-1], train_split.n_dims)
    config = with_couplings(config, chosen_couplings(every, out / "couplings", command))
    config = with_kinds(config, train_split)
    return with_fields(config, chosen_fields(config, out / "fields", command), train_split.n_dims)


def _chosen(choices: Mapping[str, Config], held_out: DataSplit, out: Path, command: str) -> str:
    if len(choices) == 1:
        return next(iter(choices))
    errors = {}
    for name, config in choices.items():
        run, epochs = out / (name.replace(",", "+") or "none"), min(TRIAL_EPOCHS, config.train.epochs)
        short = replace(config, train=replace(config.train, epochs=epochs, validate_every=epochs))
        train(short, run, resume=True, device="cpu", command=command, quiet=True)
        errors[name] = held_out_error(load(run), held_out, config)
    return simplest(errors)


def main(argv: Sequence[str]) -> None:
    """Parse the command line, choose and train."""
    parser = CommandParser(
        "surrogate.studies.channels", "Learn a law with the terms that the data ask for.", EXAMPLES
    )
    parser.add_argument("--data", required=True, help="one data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for trials and run")
    add_settings(parser, "change the configuration (integrator-law)")
    parser.add_argument("--resume", action="store_true", help="keep the runs that are there")
    options = parser.parse_args(argv)
    config = load_config("integrator-law", key_values(options.set))
    refuse_existing(options.out, options.resume, "--resume to go on")
    config = replace(config, data=replace(config.data, paths=(options.data,)))
    command = command_line("surrogate.studies.channels", argv)
    config = chosen_terms(config, options.out / "trials", command)
    chosen = config.model_config
    sys.stdout.write(f"model.couplings = {chosen.couplings}, model.fields = {chosen.fields or 'none'}\n")
    train(config, options.out / "run", resume=True, device="cpu", command=command, quiet=True)
    sys.stdout.write(f"{options.out / 'run'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
