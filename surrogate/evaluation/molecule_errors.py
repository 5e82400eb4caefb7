"""Mean absolute errors of a network of molecules, beside the published ones."""

from pathlib import Path
from typing import Any

import numpy as np

from surrogate.inference.property_predictor import PropertyPredictor
from surrogate.tasks.array_sets import has_parts
from surrogate.tasks.molecules.molecule_set import read_molecules
from surrogate.tasks.molecules.targets import TARGETS
from surrogate.tasks.molecules.task import labels_of
from surrogate.training.machine import machine


def measured(model: PropertyPredictor, data: str, split: str) -> tuple[dict[str, Any], str]:
    """Errors of a model on one part of a set of molecules, and the same for people.

    Parameters
    ----------
    model : PropertyPredictor
    data : str
        What :func:`surrogate.tasks.molecules.molecule_set.read_molecules` reads, with the model's properties.
    split : str
        "train", "valid" or "test"; without effect where a set has no parts.

    Returns
    -------
    dict, text
        `mae` by property (value, unit, standard error, EGNN's published one), `samples`, `outside_training`.

    Raises
    ------
    InputError
    """
    molecules = read_molecules(data, split)
    labels = labels_of(data, molecules, model.targets)
    found = model.of(molecules)
    mae = {}
    for k, name in enumerate(model.targets):
        errors = np.abs(found[name] - labels[:, k])
        stderr = float(errors.std(ddof=1) / len(errors) ** 0.5) if len(errors) > 1 else None
        target = TARGETS[name]
        mae[name] = {
            "value": float(errors.mean()),
            "unit": target.unit,
            "stderr": stderr,
            "published": target.published,
        }
    result = {
        "model": model.name,
        "digest": model.digest,
        "data": Path(data).name,
        "split": split if has_parts(data) else "",
        "samples": len(molecules),
        "mae": mae,
        "outside_training": model.outside_training(molecules),
        "machine": machine(),
    }
    return result, _table(result)


def _table(result: dict[str, Any]) -> str:
    where = f"{result['split']}, " if result["split"] else ""
    lines = [f"{result['model']} on {result['data']} ({where}{result['samples']} molecules)"]
    lines.append(f"{'property':10}{'mean absolute error':>22}  {'unit':14}{'EGNN, published':>16}{'ratio':>8}")
    for name, row in result["mae"].items():
        spread = f" +- {row['stderr']:.1g}" if row["stderr"] is not None else ""
        shown = f"{row['value']:.4g}{spread}"
        lines.append(
            f"{name:10}{shown:>22}  {row['unit']:14}{row['published']:>16g}{row['value'] / row['published']:>8.2f}"
        )
    if result["outside_training"]:
        lines.append("outside training: " + "; ".join(result["outside_training"]))
    return "\n".join(lines) + "\n"
