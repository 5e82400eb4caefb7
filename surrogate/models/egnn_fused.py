"""EGNN forecasts by the fused CPU kernel: when it may be used, its packed weights, and the call.

It takes the place of the PyTorch layers where nothing is to be differentiated: float32 on the CPU. What it does not
cover is left to PyTorch, which :func:`covers` says beforehand.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from physics.tiles import LANES, PANEL
from surrogate.models.egnn_kernels import forward

if TYPE_CHECKING:
    from surrogate.models.egnn import EGNN

FloatArray = NDArray[np.float32]

MOST_HIDDEN = 256
"""Wider layers are PyTorch's: their weights leave the caches, and its products are as fast."""
GROUP_NODES = 240
"""Nodes that are worked on together: their rows stay in the second cache, and weights are read once for all."""
EDGES_A_THREAD = 2000
"""Fewer directed edges than this are not worth a thread of their own."""


class Packed:
    """An EGNN's weights in the order in which the kernel reads them, and what tells that they have changed.

    Parameters
    ----------
    model : EGNN
    """

    def __init__(self, model: "EGNN") -> None:
        self.width = -(-model.embedding.out_features // PANEL) * PANEL
        self.pieces: list[FloatArray] = []
        self._vector(model.embedding.weight[:, 0])
        self._vector(model.embedding.bias)
        hidden = model.embedding.out_features
        for layer in model.layers:
            self._pairs(layer.edge_in, hidden)
            self._matrix(layer.edge_out)
            self._matrix(layer.phi_x[0])
            self._vector(layer.phi_x[2].weight[0])
            self._matrix(layer.phi_v[0])
            self._vector(layer.phi_v[2].weight[0])
            self._numbers(layer.phi_v[2].bias)
            if layer is not model.layers[-1]:
                self._matrix(layer.phi_h[0], parts=2)
                self._matrix(layer.phi_h[2])
        if model.velocity_head is not None:
            node, pair = model.velocity_head.node, model.velocity_head.pair
            self._matrix(node[0])
            for row in node[2].weight:
                self._vector(row)
            self._numbers(node[2].bias)
            self._pairs(pair[0], hidden)
            self._vector(pair[2].weight[0])
            self._numbers(pair[2].bias)
        self.values = aligned(np.concatenate(self.pieces))
        self.pieces.clear()

    def _vector(self, values: Tensor) -> None:
        row = np.zeros(self.width, dtype=np.float32)
        row[: len(values)] = values.detach().numpy()
        self.pieces.append(row)

    def _numbers(self, values: Tensor) -> None:
        row = np.zeros(LANES, dtype=np.float32)
        row[: len(values)] = values.detach().numpy()
        self.pieces.append(row)

    def _panels(self, blocks: list[Tensor]) -> None:
        """The transposed (out, in) blocks below each other, cut into panels."""
        rows = np.zeros((len(blocks), self.width, self.width), dtype=np.float32)
        for to, block in zip(rows, blocks, strict=True):
            to[: block.shape[1], : block.shape[0]] = block.detach().T.numpy()
        panels = rows.reshape(len(blocks) * self.width, self.width // PANEL, PANEL).swapaxes(0, 1)
        self.pieces.append(panels.reshape(-1))

    def _matrix(self, linear: nn.Linear, parts: int = 1) -> None:
        self._panels(list(linear.weight.chunk(parts, dim=1)))
        self._vector(linear.bias)

    def _pairs(self, linear: nn.Linear, hidden: int) -> None:
        """A first edge layer: receivers' and senders' shares with their biases, then those of three scalars."""
        self._panels([linear.weight[:, :hidden]])
        self._panels([linear.weight[:, hidden : 2 * hidden]])
        self._vector(linear.bias)
        self._vector(torch.zeros(hidden))
        for k in range(3):
            self._vector(linear.weight[:, 2 * hidden + k])


def aligned(values: FloatArray) -> FloatArray:
    """A copy that starts at a multiple of 64 bytes, so that no vector crosses a cache line."""
    room = np.empty(len(values) + LANES, dtype=np.float32)
    start = -(room.ctypes.data // 4) % LANES
    room[start : start + len(values)] = values
    return room[start : start + len(values)]
