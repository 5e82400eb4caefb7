"""Which couplings a pair law needs: every choice is tried on the same data and compared on held-out windows.

Two channels can trade off: where equal charges never come near each other, data fix only the difference of a
channel that ignores charges and one that does not. The simplest law that explains the held-out windows has no
such freedom.
"""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from physics.datasets.split import DataSplit
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.splits import training_splits
from surrogate.tasks.dynamics.windows import windows
from surrogate.training.config import Config
from surrogate.training.run import train

TRIAL_EPOCHS = 300
"""Length of a trial: enough to distinguish a law that fits from one that cannot."""
TOLERANCE = 10.0
"""A choice is good enough where its held-out error (a squared one) is at most so many times the least."""


def candidates(split: DataSplit) -> list[str]:
    """Every set of channels the data can distinguish, simplest first: values of `model.couplings`."""
    channels = ["constant"]
    if np.any(split.charges):
        channels.append("charges")
    if np.any(split.masses != 1):
        channels.append("masses")
    return [",".join(c) for size in range(1, len(channels) + 1) for c in combinations(channels, size)]


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


def simplest(errors: dict[str, float]) -> str:
    """The choice of fewest channels within TOLERANCE of the least error; of several, the best."""
    limit = TOLERANCE * min(errors.values())
    fewest = min(name.count(",") for name, error in errors.items() if error <= limit)
    return min((name for name in errors if name.count(",") == fewest), key=errors.__getitem__)


def with_couplings(config: Config, couplings: str) -> Config:
    """`config` with other channels."""
    return replace(config, model_config=replace(config.model_config, couplings=couplings))


def chosen_couplings(config: Config, out: Path, command: str) -> str:
    """Try every choice for TRIAL_EPOCHS and take the simplest that explains the held-out windows.

    Parameters
    ----------
    config : Config
        Of an integrator, with one data set in data.paths.
    out : Path
        Trials are kept here, one run folder each; those that are there are not trained again.
    command : str
        Said in the trials' cards.
    """
    train_split, valid_split = training_splits(config.data.paths[0])
    choices = candidates(train_split)
    if len(choices) == 1:
        return choices[0]
    epochs = min(TRIAL_EPOCHS, config.train.epochs)
    short = replace(config, train=replace(config.train, epochs=epochs, validate_every=epochs))
    errors = {}
    for name in choices:
        run = out / name.replace(",", "+")
        train(with_couplings(short, name), run, resume=True, device="cpu", command=command, quiet=True)
        errors[name] = held_out_error(load(run), valid_split, config)
    return simplest(errors)
