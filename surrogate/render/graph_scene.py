"""The scene of a graph beside what an autoencoder decodes of the places of its nodes. NumPy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.comparison.task_samples import GraphSample
from surrogate.render.animation import Bytes
from surrogate.render.colourings import Legend
from surrogate.render.linked_scene import LinkedPoints, linked_scene
from surrogate.render.projection import rounded_up
from surrogate.render.scene import Scene
from surrogate.render.theme import DARK, Theme, rgb

COLOURS = {"found": "#8c98a8", "missed": "#e8892b", "invented": "#3d8bea"}
"""Of edges: grey, orange and blue are told apart with every kind of colour vision."""
NODE_RADIUS = 0.035
"""Of a node, as a share of the framing radius."""


def graph_scene(sample: GraphSample, *, basis: FloatArray | None = None, theme: Theme = DARK) -> Scene:
    """A graph beside what an autoencoder decodes of the places of its nodes: edges found, missed, invented.

    Parameters
    ----------
    basis : (n, 3) float64 array, optional
        The view; the default one of n dimensions when left out.
    """
    z, masks = sample.z, sample.masks()
    joined = masks["found"] | masks["missed"]
    radius = rounded_up(float(np.linalg.norm(z - z.mean(0), axis=1).max()))
    colours = np.tile(rgb(theme.truth), (len(z), 1)).astype(np.uint8)
    shared: dict[str, Any] = {"points": z, "colours": colours, "radii": np.full(len(z), NODE_RADIUS * radius)}
    of_graph, grey = _links([(joined, COLOURS["found"])])
    of_decoded, coloured = _links([(mask, COLOURS[name]) for name, mask in masks.items()])
    name = f"{Path(sample.place.data).name}, graph {sample.place.index}"
    return linked_scene(
        [
            LinkedPoints(links=of_graph, link_colours=grey, title="Graph", subtitle=name,
                         footer=f"{len(z)} nodes   {int(joined.sum())} edges", **shared),
            LinkedPoints(links=of_decoded, link_colours=coloured, title=f"{sample.model}: decoded",
                         subtitle="edges from the places of nodes alone", badge=sample.badge,
                         footer=f"{sample.wrong_percent:.3g} % of pairs wrong   F1 {sample.f1:.3f}", **shared),
        ],
        Legend(title="edges", key=tuple((f"{name} {int(m.sum())}", COLOURS[name]) for name, m in masks.items())),
        headline=f"n = {sample.n_dims}   {sample.turns or 'not turned'}",
        basis=basis,
        theme=theme,
    )  # fmt: skip


def _links(parts: Sequence[tuple[NDArray[np.bool_], str]]) -> tuple[NDArray[np.int64], Bytes]:
    """Pairs of nodes (edges, 2), and the colour of each."""
    ends = [np.argwhere(chosen) for chosen, _ in parts]
    shades = [np.tile(rgb(colour), (len(e), 1)) for e, (_, colour) in zip(ends, parts, strict=True)]
    return np.concatenate(ends), np.concatenate(shades).astype(np.uint8)
