"""What `python -m surrogate.studies.inferred_edges` shows: a page of tables, and the pictures of e_ij."""

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surrogate.evaluation.benchmark.figures import COLOURS, DPI
from surrogate.evaluation.benchmark.tables import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_PAIRS = 2000
"""Pairs of the scatter plots."""

HEAD = """# Inferred edges

An EGNN with inferred edges (`model.infer_edges = true`) weighs the message of j to i by e_ij = sigmoid(w .
m_ij + b), with a w and a b for each layer (Satorras et al. 2021, equation 8). By default e_ij weighs the sums
of messages, as in the paper; with `model.gate_coordinates = true` also what moves coordinates, as in the
published code. The paper uses them for molecules alone. Here is what they find where the true edges are
known.

```
{command}
```

{machine}, {date}, one thread. Each case: {steps} optimiser steps of 100 windows, 3000 training trajectories,
frames 30 -> 40, best validation epoch; {windows} test windows; one seed.
"""

WORDS = """
- **Springs on half of the pairs** (preset `springs-5`, n = 3, N = 5): which pairs is drawn for each
  trajectory, whatever the positions, velocities and charges. With `model.edge_attributes = 1` the model is
  given the data's `edges`.
- **Two groups** (preset `two-groups`, N = 6): springs within each half, nothing across. A charge of +1 or -1
  says to which half a particle belongs; the force does not depend on it, and the model is not told what it
  stands for.
- **Inside, across**: mean e_ij of pairs with a spring and of pairs without. AUC is the probability that of
  one of each the pair with a spring has the larger e_ij: 1/2 says nothing, 1 (or 0) tells them apart. Without
  `gate_coordinates` nothing depends on the last layer's e_ij.
"""

REASONS = """
## Why hidden edges stay hidden

A forecast is a function of one state. Where edges are drawn without regard to the state, equal states have
different futures, and the best that a function of the state can do is their mean. Inferred edges do not
change that: e_ij is itself a function of the state, and weighs messages that know no more. The error is
{hidden} without them, {inferred} with them, {given} where the edges are given.

What a state tells of its edges it tells by its past. Frame 30 is 3.1 units of time after the start, and pairs
without a spring have drifted apart: distance alone has an AUC of {distance}, the e_ij of the last layer one of
{springs_auc} at most. Under the true law, the mean forecast over edges drawn anew for each window, which makes
no use of that, has an error of {averaged}.

In principle these states tell more. All particles started with a speed of 0.5: of the 1024 possible sets of
edges, each run back to the start, the one after which speeds are nearest to 0.5 is the true one in {decoded}
of {tried} states. That is knowledge of how the data were made and not of the motion, and none of the networks
here has found it.

In two groups each message has what decides whether a pair interacts, the product of charges, and the e_ij of
the last layer have an AUC of {groups_auc} at least; so they do for springs whose edges are given. They do not
become 0 and 1: nothing in the loss asks for that, and what e_ij scales the next layer can scale back. So e_ij
ranks pairs, in either direction (an AUC far below 1/2 ranks them, too), and is no measure of a force.
"""


def _layers(case: Mapping[str, Any]) -> str:
    if "layers" not in case:
        return "-"
    return ", ".join(f"{e['inside']:.2f} / {e['across']:.2f} ({e['auc']:.2f})" for e in case["layers"])


def page(whole: Mapping[str, Any]) -> str:
    """The whole page in Markdown, from what the JSON holds."""
    cases, told = whole["cases"], whole["references"]
    first = next(iter(cases.values()))
    lines = [
        "| preset | EGNN | MSE +- stderr | over that of x + v t | e_ij inside / across (AUC), by layer | s |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases.values():
        error = f"{number(case['mse'], 3)} +- {number(case['mse_stderr'], 1)}"
        relative, seconds = number(case["relative_mse"], 2), f"{case['seconds']:.0f}"
        cells = (f"`{case['preset']}`", case["what"], error, relative, _layers(case), seconds)
        lines.append(f"| {' | '.join(cells)} |")
    head = HEAD.format(
        command=whole["command"],
        machine=whole["machine"],
        date=time.strftime("%Y-%m-%d"),
        steps=first["steps"],
        windows=whole["windows"],
    )
    springs = {name.partition("-")[2]: case for name, case in cases.items() if name.startswith("springs")}
    last = {name: case["layers"][-1]["auc"] for name, case in cases.items() if "layers" in case}
    reasons = REASONS.format(
        **{name: number(springs[name]["mse"], 3) for name in ("hidden", "inferred", "given")},
        averaged=number(told["averaged"], 3),
        distance=f"{told['distance_auc']:.2f}",
        springs_auc=f"{max(last['springs-inferred'], last['springs-gated']):.2f}",
        groups_auc=f"{math.floor(100 * min(last['groups-inferred'], last['groups-gated'])) / 100:.2f}",
        decoded=told["decoded"],
        tried=told["tried"],
    )
    caption = (
        "A row a case with inferred edges: the true edges of one test window, the e_ij of the last layer that "
        "has some, and e_ij against distance in many windows (dots: a spring; crosses: none)."
    )
    picture = f"\n![True edges, e_ij, and e_ij against distance](figures/inferred-edges.png)\n\n{caption}\n"
    return "\n".join([head, *lines]) + "\n" + WORDS + picture + reasons


def figure(pictures: Mapping[str, Mapping[str, NDArray[Any]]]) -> "Figure":
    """A row a case: the true edges of one window, its e_ij, and e_ij against d_ij of many pairs.

    Parameters
    ----------
    pictures : mapping of str to mapping
        By title: e, edges (samples, N, N), x (samples, N, n).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(8.6, 2.6 * len(pictures)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(made)
    rows = made.subfigures(len(pictures), 1, squeeze=False)[:, 0]
    for row, (title, arrays) in zip(rows, pictures.items(), strict=True):
        row.suptitle(title, fontsize=9, x=0.01, ha="left")
        e, edges, x = arrays["e"], arrays["edges"], arrays["x"]
        n = edges.shape[-1]
        places = row.subplots(1, 3)
        for axes, matrix, name in zip(places, (edges[0], e[0]), ("true edges", "e_ij"), strict=False):
            shown = axes.imshow(np.where(np.eye(n, dtype=bool), np.nan, matrix), vmin=0, vmax=1, cmap="cividis")
            axes.set_title(name, fontsize=9, loc="left")
            axes.set(xticks=[], yticks=[], xlabel="sender j", ylabel="receiver i")
        row.colorbar(shown, ax=places[:2], shrink=0.8)
        apart = ~np.eye(n, dtype=bool) & np.ones(edges.shape, dtype=bool)
        distance = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)
        d, weight, bound = (a[apart][:SHOWN_PAIRS] for a in (distance, e, edges > 0))
        for which, colour, marker in ((~bound, COLOURS[1], "x"), (bound, COLOURS[2], ".")):
            places[2].scatter(d[which], weight[which], s=8, c=colour, marker=marker, linewidths=0.7, alpha=0.6)
        places[2].set(ylim=(-0.02, 1.02), xlabel="d_ij")
        places[2].set_title("e_ij", fontsize=9, loc="left")
    return made
