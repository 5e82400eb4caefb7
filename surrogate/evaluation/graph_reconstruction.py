"""How well an autoencoder finds the edges of a set of graphs."""

from pathlib import Path
from typing import Any

import numpy as np

from surrogate.inference.graph_autoencoder import GraphAutoencoder
from surrogate.tasks.array_sets import has_parts
from surrogate.tasks.autoencoder.graph_set import read_graphs
from surrogate.tasks.autoencoder.task import reconstruction
from surrogate.training.machine import machine

DRAWS = 6
"""Of the noise: errors of one draw differ by as much as a fifth or two."""


def measured(model: GraphAutoencoder, data: str, split: str, seed: int = 0) -> tuple[dict[str, Any], str]:
    """Cross-entropy, error and F1 of a model on one part of a set of graphs, and the same for people.

    Parameters
    ----------
    model : GraphAutoencoder
    data : str
        What :func:`surrogate.tasks.autoencoder.graph_set.read_graphs` reads.
    split : str
        "train", "valid" or "test"; without effect where a set has no parts.
    seed : int
        Of the noise that nodes begin with; the published numbers are of one draw, too.

    Returns
    -------
    dict, text
        `bce` (summed over the ordered pairs of a graph, mean over graphs), `error_percent`, `f1` (pooled over
        ordered pairs at probability 0.5), `true`, `missed`, `invented`, `pairs`, `samples`, `outside_training`;
        `error_percent_by_draw`: of this draw of the noise and the next ones, DRAWS in all.

    Raises
    ------
    InputError
    """
    graphs = read_graphs(data, split)
    draws = range(seed, seed + (DRAWS if model.network.noise else 1))
    every = [
        reconstruction(model.network, [graphs], draw, noise=model.network.noise, device=model.device)
        for draw in draws
    ]
    found = every[0]
    result = {
        "model": model.name,
        "digest": model.digest,
        "data": Path(data).name,
        "split": split if has_parts(data) else "",
        "samples": len(graphs),
        "n_dims": model.n_dims,
        "bce": found.bce,
        "error_percent": found.error_percent,
        "f1": found.f1,
        "true": found.true,
        "missed": found.missed,
        "invented": found.invented,
        "pairs": found.pairs,
        "noise_seed": seed,
        "error_percent_by_draw": [one.error_percent for one in every],
        "outside_training": model.outside_training(graphs),
        "machine": machine(),
    }
    return result, _table(result)


def _table(result: dict[str, Any]) -> str:
    where = f"{result['split']}, " if result["split"] else ""
    lines = [
        f"model                 {result['model']} on {result['data']} ({where}{result['samples']} graphs, "
        f"places in n = {result['n_dims']})",
        f"cross-entropy         {result['bce']:.4g} a graph",
        f"wrong pairs           {result['error_percent']:.4g} % of {result['pairs']:,} "
        f"({result['missed']:,} edges missed, {result['invented']:,} invented)",
        f"F1                    {result['f1']:.4f}",
    ]
    if len(by_draw := result["error_percent_by_draw"]) > 1:
        spread = f"{np.mean(by_draw):.4g} +- {np.std(by_draw, ddof=1) / len(by_draw) ** 0.5:.1g} %"
        lines.append(f"mean of {len(by_draw)} draws       {spread} (of the nodes' noise)")
    if result["outside_training"]:
        lines.append("outside training      " + "; ".join(result["outside_training"]))
    return "\n".join(lines) + "\n"
