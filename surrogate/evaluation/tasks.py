"""How models of other tasks than dynamics are measured: the literal registry `MEASURES`."""

from importlib import import_module
from typing import Any

MEASURES = {
    "autoencoder": "surrogate.evaluation.graph_reconstruction",
    "molecules": "surrogate.evaluation.molecule_errors",
}
"""Modules whose `measured(model, data, split)` gives the numbers as JSON and for people, by task."""


def measure(model: Any, data: str, split: str) -> tuple[dict[str, Any], str]:
    """What a model comes to on one part of a data set of its task, as JSON and for people.

    Raises
    ------
    InputError
    """
    found: tuple[dict[str, Any], str] = import_module(MEASURES[model.task]).measured(model, data, split)
    return found
