"""The scene of a graph beside what an autoencoder decodes of the places of its nodes. NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.render.animation import Bytes
from surrogate.render.colourings import Legend
from surrogate.render.linked_scene import LinkedPoints, linked_scene
from surrogate.render.projection import rounded_up
from surrogate.render.scene import Scene
from surrogate.render.theme import DARK, Theme, rgb

TRUE, MISSED, INVENTED = "#8c98a8", "#e8892b", "#3d8bea"
"""Edges: grey, orange and blue are told apart with every kind of colour vision."""
NODE_RADIUS = 0.035
"""Of a node, as a share of the framing radius."""


def graph_scene(
    z: FloatArray,
    adjacency: NDArray[np.uint8],
    probability: FloatArray,
    *,
    model: str,
    name: str,
    badge: str = "",
    headline: str = "",
    basis: FloatArray | None = None,
    theme: Theme = DARK,
) -> Scene:
    """A graph beside what an autoencoder decodes of the places of its nodes: edges found, missed, invented.

    Parameters
    ----------
    z : (N, n) float array
        Places.
    adjacency : (N, N) array of 0 and 1
    probability : (N, N) float array
        Of edges; decoded where above 1/2.
    model, name : str
        Of the network, and of the graph.
    """
    joined, decoded = np.triu(adjacency > 0, 1), np.triu(probability > 0.5, 1)
    kinds = ((joined & decoded, TRUE), (joined & ~decoded, MISSED), (~joined & decoded, INVENTED))
    counts = [int(found.sum()) for found, _ in kinds]
    pairs = len(z) * (len(z) - 1) // 2
    found = 2 * counts[0] + counts[1] + counts[2]
    f1 = 2 * counts[0] / found if found else 1.0
    radius = rounded_up(float(np.linalg.norm(z - z.mean(0), axis=1).max()))
    colours = np.tile(rgb(theme.truth), (len(z), 1)).astype(np.uint8)
    shared: dict[str, Any] = {"points": np.asarray(z, np.float64), "radii": np.full(len(z), NODE_RADIUS * radius)}

    def links(parts: Sequence[tuple[NDArray[np.bool_], str]]) -> tuple[NDArray[np.int64], Bytes]:
        ends = [np.argwhere(chosen) for chosen, _ in parts]
        shades = [np.tile(rgb(colour), (len(e), 1)) for e, (_, colour) in zip(ends, parts, strict=True)]
        return np.concatenate(ends), np.concatenate(shades).astype(np.uint8)

    (of_graph, grey), (of_decoded, coloured) = links([(joined, TRUE)]), links(kinds)
    wrong = 100 * (counts[1] + counts[2]) / pairs
    return linked_scene(
        [
            LinkedPoints(colours=colours, links=of_graph, link_colours=grey, title="Graph", subtitle=name,
                         footer=f"{len(z)} nodes   {int(joined.sum())} edges", **shared),
            LinkedPoints(colours=colours, links=of_decoded, link_colours=coloured, title=f"{model}: decoded",
                         subtitle="edges from the places of nodes alone", badge=badge,
                         footer=f"{wrong:.3g} % of pairs wrong   F1 {f1:.3f}", **shared),
        ],
        Legend(
            title="edges",
            key=tuple(
                (f"{word} {count}", colour)
                for word, count, (_, colour) in zip(("found", "missed", "invented"), counts, kinds, strict=True)
            ),
        ),
        headline=headline,
        basis=basis,
        theme=theme,
    )  # fmt: skip
