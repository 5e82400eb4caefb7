"""`python -m surrogate.studies.model_map`: docs/models.md and its figure: what the models are, their scores."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from physics.cli import CommandParser, run_command
from physics.errors import InputError
from physics.files import atomic_write, bounded_text
from surrogate.evaluation.benchmark.figures import blank
from surrogate.models import MODELS

EXAMPLES = (
    "python -m surrogate.studies.model_map --out docs",
    "python -m surrogate.studies.model_map --results docs/benchmark/benchmark.json --out docs",
)
RESULTS_LIMIT = 16 << 20
COLUMNS = ("parameters", "MSE", "median", "forward, batch 100 [ms]")

MESSAGES = {
    "linear": "a sum over neighbours of their features, times factors that no feature enters",
    "pseudo-linear": "the same, times an attention that features do enter",
    "non-linear": "a network of both ends' features",
}
SPACES = {
    "coordinates": "no geometry: raw coordinates",
    "R^n": "regular, R^n: features are numbers at points",
    "R^n x S^(n-1)": "regular, R^n x S^(n-1): numbers at points and directions",
    "steerable": "steerable: features turn with the space",
}


@dataclass(frozen=True)
class Place:
    """Where a method stands on the map.

    Attributes
    ----------
    model : str
        Of MODELS.
    messages, space : str
        Of MESSAGES and SPACES.
    words : str
        What it does.
    """

    model: str
    messages: str
    space: str
    words: str


PLACES: dict[str, Place] = {
    "gnn": Place(
        "gnn",
        "non-linear",
        "coordinates",
        "message passing on raw coordinates and velocities; absolute out",
    ),
    "gnn+": Place("gnn+", "non-linear", "coordinates", "the same about the centroid, displacements out"),
    "schnet-strict": Place(
        "schnet", "linear", "R^n", "a filter of the distance times the sender's features; pushes along the pairs"
    ),
    "schnet": Place("schnet", "linear", "R^n", "the filter sees charges and velocities' invariants, too"),
    "radial-field": Place(
        "radial-field",
        "linear",
        "R^n",
        "no features: pushes along the pairs, of distance and charges",
    ),
    "egnn": Place("egnn", "non-linear", "R^n", "messages see distances, and move the points along the pairs"),
    "segno": Place("segno", "non-linear", "R^n", "one EGNN layer as an acceleration, in equal time steps"),
    "egno": Place("egno", "non-linear", "R^n", "EGNN layers, convolutions over time: a trajectory at once"),
    "egnn-recurrent": Place(
        "egnn-recurrent", "non-linear", "R^n", "one EGNN layer in time steps, with antisymmetric pushes"
    ),
    "integrator": Place(
        "integrator", "non-linear", "R^n", "two-body motions of every pair under learned laws, added up in rounds"
    ),
    "edge-cloud": Place(
        "edge-cloud",
        "linear",
        "R^n x S^(n-1)",
        "features at particle and direction to another",
    ),
    "edge-cloud-nonlinear": Place(
        "edge-cloud",
        "non-linear",
        "R^n x S^(n-1)",
        "the same with messages: the family of DimeNet",
    ),
    "ponita": Place(
        "ponita",
        "linear",
        "R^n x S^(n-1)",
        "a fixed grid of directions; turns hold approximately",
    ),
    "tfn": Place("tfn", "linear", "steerable", "spherical harmonics of pairs times features"),
    "seconv-linear": Place("segnn", "linear", "steerable", "steerable convolution: one tensor product a message"),
    "se3-transformer": Place("se3-transformer", "pseudo-linear", "steerable", "TFN messages under attention"),
    "painn": Place("painn", "non-linear", "steerable", "scalars and vectors, gated by filters of the distance"),
    "segnn": Place("segnn", "non-linear", "steerable", "messages and updates are networks of tensor products"),
    "seconv-nonlinear": Place("segnn", "non-linear", "steerable", "two tensor products a message, no update"),
    "cgenn": Place("cgenn", "non-linear", "steerable", "multivectors and their geometric product, any n"),
}
"""By label of the benchmark; of what is not an entry (`linear` has no messages), nothing."""

NOT_HERE = (
    ("Cormorant", "pseudo-linear, steerable", "Clebsch-Gordan products of features as the only non-linearity; "
     "what is new in them is in `tfn` and `segnn`"),
    ("L1Net", "linear, steerable", "TFN of degrees 0 and 1: `tfn` is one"),
    ("LieConv", "linear, regular on a group", "kernels on the logarithm of group elements, sampled stabilisers: "
     "equivariant in expectation alone, so that the symmetry columns would say nothing"),
    ("LieTransformer", "pseudo-linear, regular on a group", "attention on the same lifted points"),
    ("Group self-attention (GSA-Nets)", "pseudo-linear, regular", "attention on a discrete group over images: "
     "a grid of pixels, no particles"),
    ("Attentive group convolutions", "pseudo-linear, regular", "group convolutions with attention, for images"),
    ("DimeNet++", "non-linear, R^3 x S^2", "messages between directed edges by distance and angle; invariant "
     "energies of molecules. Its idea is `edge-cloud` with `message = \"nonlinear\"`"),
    ("SphereNet", "non-linear, R^3 x S^2", "DimeNet++ and torsions; the same"),
    ("GemNet", "non-linear, R^3 x S^2", "directed edges and two-hop messages for forces of molecules: its angles "
     "of bonds mean little between five free charges"),
)  # fmt: skip

TEXT = """# The models

Written by `python -m surrogate.studies.model_map --out docs`. Every model of the registry `MODELS`, on the map by
which such networks are usually told apart, with what it scores in [the benchmark](benchmark.md).

- **What is a message?** {messages}.
- **Where do features live?** {spaces}. Steerable features come in parts that turn as vectors, planes and so on do;
  regular ones are plain numbers, and turning the space moves them from one point to another.

![the map](figures/model-map.png)

MSE: mean squared error of positions on the published charged N-body set, {budget}. "-": not trained yet.
Group: what a model commutes with exactly, besides permutations. T(n) are translations, Sym is nothing else.

{table}

`linear` (x + t v, one number to learn) passes no messages and is not on the map{linear}.

## Why others are not here

| method | where it would stand | why it is not in the table |
|---|---|---|
{missing}
"""


def main(argv: Sequence[str]) -> None:
    """Parse the command line and write the page."""
    parser = CommandParser("surrogate.studies.model_map", "docs/models.md: the map of the models.", EXAMPLES)
    parser.add_argument(
        "--results", type=Path, default=Path("docs/benchmark/benchmark.json"), help="of surrogate.benchmark"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for models.md and figures/model-map.png")
    options = parser.parse_args(argv)
    scores = scores_of(options.results)
    (options.out / "figures").mkdir(parents=True, exist_ok=True)
    _figure({label: row["mse"] for label, row in scores.items()}, options.out / "figures" / "model-map.png")
    atomic_write(options.out / "models.md", page(scores).encode())
    sys.stdout.write(f"{options.out / 'models.md'}\n")


def scores_of(path: Path) -> dict[str, dict[str, Any]]:
    """Rows of the common budget of a benchmark, by label.

    Raises
    ------
    InputError
        Where the file is none.
    """
    try:
        rows = json.loads(bounded_text(path, RESULTS_LIMIT))["rows"]
        return {row["label"]: row for row in rows if row["recipe"] == "common" and row["mse"] is not None}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a benchmark.json of surrogate.benchmark --models all ({error!r})") from None


def page(scores: dict[str, dict[str, Any]]) -> str:
    """The page as Markdown."""
    head = ("label", "messages", "features", "group", "n", *COLUMNS, "in words")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for label, place in PLACES.items():
        if place.model not in MODELS:
            continue
        row, found = MODELS[place.model], scores.get(label, {})
        dims = {"any": "any", "config": "that of its weights"}.get(row.dims, row.dims)
        group = found.get("group", row.group)
        cells = (
            f"`{label}`", place.messages, place.space, group, dims, _number(found.get("parameters"), ",.0f"),
            _number(found.get("mse")), _number(found.get("mse_median")), _number(found.get("forward_ms"), ".3g"),
            place.words,
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    steps = {row["steps"] for row in scores.values()}
    linear = scores.get("linear")
    return TEXT.format(
        messages="; ".join(f"{name}: {words}" for name, words in MESSAGES.items()),
        spaces="; ".join(SPACES.values()),
        budget=f"after {max(steps):,} optimiser steps at most, the same for all" if steps else "not trained yet",
        table="\n".join(lines),
        linear=f": {_number(linear['mse'])}" if linear else "",
        missing="\n".join(f"| {name} | {place} | {why} |" for name, place, why in NOT_HERE),
    )


def _number(value: float | None, form: str = ".2g") -> str:
    return "-" if value is None or not math.isfinite(value) else format(value, form)


def _figure(errors: dict[str, float], path: Path) -> None:
    """The map: kinds of messages down, spaces across; each model with its error."""
    figure, (axes,) = blank(11.0, 5.6, 1)
    kinds, spaces = list(MESSAGES), list(SPACES)
    cells: dict[tuple[int, int], list[str]] = {}
    for label, place in PLACES.items():
        if place.model in MODELS:
            at = spaces.index(place.space), kinds.index(place.messages)
            cells.setdefault(at, []).append(label)
    most = {y: max((len(v) for (_, b), v in cells.items() if b == y), default=1) for y in range(len(kinds))}
    edges = [0.0]
    for y in range(len(kinds)):
        edges.append(edges[-1] + most[y] + 1.0)
    for (x, y), labels in cells.items():
        for line, label in enumerate(labels):
            height = edges[y] + 1.0 + line
            axes.text(x + 0.04, height, label, fontsize=10, va="center")
            score = _number(errors.get(label))
            axes.text(x + 0.94, height, score, fontsize=10, va="center", ha="right", color="#0072b2")
    axes.set(xlim=(0, len(spaces)), ylim=(edges[-1], 0))
    axes.set_xticks(
        [x + 0.5 for x in range(len(spaces))], [SPACES[s].replace(": ", "\n") for s in spaces], fontsize=9
    )
    axes.set_yticks([(a + b) / 2 for a, b in pairwise(edges)], kinds, fontsize=11)
    axes.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
    axes.grid(visible=False)
    for column in range(1, len(spaces)):
        axes.axvline(column, color="#cccccc", linewidth=0.8)
    for edge in edges[1:-1]:
        axes.axhline(edge, color="#cccccc", linewidth=0.8)
    axes.set_xlabel("blue: mean squared error on the published charged N-body set, common budget", fontsize=9)
    axes.xaxis.set_label_position("bottom")
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(run_command(main))
