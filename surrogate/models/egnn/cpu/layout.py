"""Where an EGNN's weights stand in the flat arrays of its kernels, and where their gradients come from.

The order is described here alone: both kernels read :attr:`Layout.weights`, training's also the arrays of
:class:`TrainingLayout`.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate.nn.cpu.tiles import LANES, PANEL, ROWS

IntArray = NDArray[np.int64]
Sizes = tuple[tuple[str, tuple[int, ...]], ...]
SENDERS_BIAS = "layers.0.edge_in.senders_bias"
"""The bias of the senders' projection, which only :func:`folded_weights` have."""


class Layout:
    """Where each weight stands in the array that the kernels read.

    Every map (in, out) is cut into panels of its outputs, its bias behind it, layer by layer; sizes are filled up
    with zeros.

    Parameters
    ----------
    sizes : tuple of (name, shape)
        Of the weights, in the order in which they are written one behind the other, after a zero.

    Attributes
    ----------
    width : int
        Hidden size filled up to a multiple of PANEL.
    n_layers : int
    weights : int64 array
        For each number the kernels read, its place among the weights; 0 is the zero.
    starts : (layers,) int64
        Where the weights of each layer begin.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._places: dict[str, IntArray] = {}
        self._counted = 1
        for name, shape in sizes:
            count = int(np.prod(shape))
            self._places[name] = np.arange(self._counted, self._counted + count, dtype=np.int64).reshape(shape)
            self._counted += count
        self._hidden = len(self._places["embedding.bias"])
        self.width = -(-self._hidden // PANEL) * PANEL
        self.n_layers = 1 + max(int(name.split(".")[1]) for name, _ in sizes if name.startswith("layers."))
        self._folded = SENDERS_BIAS in self._places
        pieces = [self._row(self._places["embedding.weight"][:, 0]), self._row(self._places["embedding.bias"])]
        starts = []
        for k in range(self.n_layers):
            starts.append(sum(len(piece) for piece in pieces))
            pieces += self._layer(k)
        if "velocity_head.node.0.weight" in self._places:
            pieces += self._head()
        self.weights, self.starts = np.concatenate(pieces), np.array(starts, dtype=np.int64)

    def _layer(self, k: int) -> list[IntArray]:
        layer = f"layers.{k}"
        pieces = [*self._edges(f"{layer}.edge_in"), *self._map(f"{layer}.edge_out")]
        for name in (f"{layer}.phi_x", f"{layer}.phi_v"):
            pieces += [*self._map(f"{name}.0"), self._row(self._places[f"{name}.2.weight"][0])]
        pieces.append(self._row(self._places[f"{layer}.phi_v.2.bias"], LANES))
        if k < self.n_layers - 1:
            pieces += [*self._map(f"{layer}.phi_h.0", 2), *self._map(f"{layer}.phi_h.2")]
        return pieces

    def _head(self) -> list[IntArray]:
        node, pair = "velocity_head.node", "velocity_head.pair"
        return [
            *self._map(f"{node}.0"),
            *map(self._row, self._places[f"{node}.2.weight"]),
            self._row(self._places[f"{node}.2.bias"], LANES),
            *self._edges(f"{pair}.0"),
            self._row(self._places[f"{pair}.2.weight"][0]),
            self._row(self._places[f"{pair}.2.bias"], LANES),
        ]

    def _edges(self, name: str) -> list[IntArray]:
        """A first edge layer: projections of receivers and of senders, their biases, rows of three scalars."""
        receivers, senders = (_panels(block.T) for block in self._blocks(name, 2))
        biases = [self._row(self._places[f"{name}.bias"])]
        biases.append(self._row(self._places.get(f"{name}.senders_bias", np.empty(0, dtype=np.int64))))
        return [receivers, senders, *biases, *self._scalar_rows(name)]

    def _map(self, name: str, parts: int = 1) -> list[IntArray]:
        whole = np.concatenate([block.T for block in self._blocks(name, parts)])
        return [_panels(whole), self._row(self._places[f"{name}.bias"])]

    def _of_speed(self, name: str, part: int) -> bool:
        """Whether a part of a map takes the speed: features of the first layer, where they are folded."""
        parts = {"layers.0.edge_in": 2, "layers.0.phi_v.0": 1, "layers.0.phi_h.0": 1}.get(name, 0)
        return self._folded and part < parts

    def _blocks(self, name: str, parts: int) -> list[IntArray]:
        """Blocks (out, in), filled up, of a weight whose inputs are `parts` below each other."""
        given, blocks, first = self._places[f"{name}.weight"], [], 0
        for part in range(parts):
            n_in, width = (1, 1) if self._of_speed(name, part) else (self._hidden, self.width)
            block = np.zeros((self.width, width), dtype=np.int64)
            block[: len(given), :n_in] = given[:, first : first + n_in]
            blocks.append(block)
            first += n_in
        return blocks

    def _row(self, places: IntArray, width: int = 0) -> IntArray:
        row = np.zeros(width or self.width, dtype=np.int64)
        row[: len(places)] = places
        return row

    def _scalar_rows(self, name: str) -> list[IntArray]:
        return [self._row(row) for row in self._places[f"{name}.weight"].T[-3:]]


class TrainingLayout(Layout):
    """The layout of training's kernels: transposed maps and gradients too.

    Attributes
    ----------
    transposed : int64 array
        As `weights`: the same maps from out to in, in the order in which gradients go back through them.
    gradients : int64 array
        For each weight, the place of its gradient.
    n_gradients : int
        Length of the array of these.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self._set_transposed()
        self._set_gradients()

    def _set_transposed(self) -> None:
        pieces = []
        for k in range(self.n_layers - 1, -1, -1):
            layer = f"layers.{k}"
            if k < self.n_layers - 1:
                pieces += [_panels(block) for block in self._blocks(f"{layer}.phi_h.2", 1)]
                pieces.append(_panels(np.concatenate(self._blocks(f"{layer}.phi_h.0", 2), axis=1)))
            for name in ("phi_v.0", "phi_x.0", "edge_out"):
                pieces += [_panels(block) for block in self._blocks(f"{layer}.{name}", 1)]
            pieces.append(_panels(np.concatenate(self._blocks(f"{layer}.edge_in", 2))))
        self.transposed = np.concatenate(pieces)

    def _set_gradients(self) -> None:
        """Gradients (out filled up to whole ROWS, in), in the order in which they come."""
        place = self._places
        pieces: list[IntArray] = []

        def matrix(block: IntArray) -> None:
            filled = np.zeros((-(-len(block) // ROWS) * ROWS, block.shape[1]), dtype=np.int64)
            filled[: len(block)] = block
            pieces.append(filled.reshape(-1))

        def mapped(name: str, parts: int = 1) -> None:
            matrix(np.concatenate(self._blocks(name, parts), axis=1))
            pieces.append(self._row(place[f"{name}.bias"]))

        for k in range(self.n_layers - 1, -1, -1):
            layer = f"layers.{k}"
            if k < self.n_layers - 1:
                mapped(f"{layer}.phi_h.2")
                mapped(f"{layer}.phi_h.0", parts=2)
            mapped(f"{layer}.phi_v.0")
            pieces.append(self._row(place[f"{layer}.phi_v.2.weight"][0]))
            pieces.append(self._row(place[f"{layer}.phi_v.2.bias"], LANES))
            mapped(f"{layer}.phi_x.0")
            pieces.append(self._row(place[f"{layer}.phi_x.2.weight"][0]))
            mapped(f"{layer}.edge_out")
            pieces += self._scalar_rows(f"{layer}.edge_in")
            matrix(np.concatenate(self._blocks(f"{layer}.edge_in", 2)))
            pieces.append(self._row(place[f"{layer}.edge_in.bias"]))
        pieces += [self._row(place["embedding.weight"][:, 0]), self._row(place["embedding.bias"])]
        order = np.concatenate(pieces)
        self.n_gradients = -(-len(order) // LANES) * LANES
        self.gradients = np.zeros(self._counted - 1, dtype=np.int64)
        here = np.flatnonzero(order)
        self.gradients[order[here] - 1] = here


def _panels(block: IntArray) -> IntArray:
    """An (in, out) block cut into panels of its outputs."""
    return block.reshape(len(block), -1, PANEL).swapaxes(0, 1).reshape(-1)


inference_layout = lru_cache(maxsize=8)(Layout)
training_layout = lru_cache(maxsize=8)(TrainingLayout)


def sizes_of(weights: Mapping[str, Tensor]) -> Sizes:
    """Names and shapes of weights, in their order."""
    return tuple((name, tuple(weight.shape)) for name, weight in weights.items())


def folded_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An EGNN's weights with the first layer's maps of features as maps of the speeds these are made from.

    Parameters
    ----------
    weights : mapping of str to float32 Tensor
        By their names in the model.

    Returns
    -------
    dict of str to float32 Tensor
    """
    made = dict(weights)
    slope, offset = weights["embedding.weight"][:, 0].double(), weights["embedding.bias"].double()
    hidden = len(offset)

    def of_speed(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        return (weight.double() @ slope).float().unsqueeze(1), (bias + weight.double() @ offset).float()

    for name in ("layers.0.phi_v.0", "layers.0.phi_h.0"):
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        column, made[f"{name}.bias"] = of_speed(weight[:, :hidden], bias)
        made[f"{name}.weight"] = torch.cat([column, weight[:, hidden:]], dim=1)
    weight, bias = weights["layers.0.edge_in.weight"], weights["layers.0.edge_in.bias"]
    receivers, made["layers.0.edge_in.bias"] = of_speed(weight[:, :hidden], bias)
    senders, made[SENDERS_BIAS] = of_speed(weight[:, hidden : 2 * hidden], torch.zeros_like(bias))
    made["layers.0.edge_in.weight"] = torch.cat([receivers, senders, weight[:, 2 * hidden :]], dim=1)
    return made
