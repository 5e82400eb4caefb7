"""EGNN forecasts by the fused CPU kernel: when it may be used, its packed weights, and the call.

It takes the place of the PyTorch layers where nothing is to be differentiated: float32 on the CPU. What it does not
cover is left to PyTorch.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import forward_ad

from physics.tiles import LANES, PANEL
from surrogate.models.egnn_kernels import forward_at
from surrogate.models.watch import Watch

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


_PACKED: WeakKeyDictionary[nn.Module, tuple[Watch, Packed | None]] = WeakKeyDictionary()


def _current(model: "EGNN") -> tuple[Watch, Packed | None]:
    """The model's packed weights, made again where it has changed; None where it is not one for the kernel."""
    known = _PACKED.get(model)
    if known is None or not known[0].unchanged():
        watch = Watch(model)
        fits = watch.usable and model.embedding.out_features <= MOST_HIDDEN
        known = (watch, Packed(model) if fits else None)
        _PACKED[model] = known
    return known


def forecast(model: "EGNN", x: Tensor, v: Tensor, q: Tensor) -> tuple[Tensor, Tensor | None] | None:
    """What `model(x, v, q)` returns, without its layers; None where they have to do it.

    Parameters
    ----------
    model : EGNN
        In the forms "init" and "recurrent".
    x, v : (B, N, n) float32 tensor
    q : (B, N) float32 tensor

    Returns
    -------
    positions and velocities, as the model's; or None
        For what is to be differentiated, traced, computed in another precision or on another device, for models
        with hooks, wider than MOST_HIDDEN or of form "none", and where Numba does not compile.

    Notes
    -----
    **Checked by** tests/surrogate/models/test_egnn_fused.py.
    """
    if _left_to_torch(model, x, v, q):
        return None
    watch, packed = _current(model)
    if packed is None:
        return None
    gradients = watch.wants_gradients() or x.requires_grad or v.requires_grad or q.requires_grad
    if gradients and torch.is_grad_enabled():
        return None
    x, v, q = x.contiguous(), v.contiguous(), q.contiguous()
    out_x, out_v = torch.empty_like(x), torch.empty_like(v)
    n_systems, n, n_dims = x.shape
    with_head = model.velocity_head is not None and not model.skip_velocity_head
    facts = (max(GROUP_NODES // n, 1), n_systems, n, n_dims, x.data_ptr(), v.data_ptr(), q.data_ptr())
    rest = (packed.values, packed.width, model.evaluations, model.form == "recurrent", with_head)
    places = (out_x.data_ptr(), out_v.data_ptr())
    n_threads = min(torch.get_num_threads(), n_systems, 1 + n_systems * n * (n - 1) // EDGES_A_THREAD)
    if n_threads <= 1:
        forward_at(0, n_systems, *facts, *rest, *places)
    else:
        bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(lambda pair: forward_at(*pair, *facts, *rest, *places), pairwise(bounds)))
    return out_x, out_v if with_head else None


def _left_to_torch(model: "EGNN", x: Tensor, v: Tensor, q: Tensor) -> bool:
    """What can be said before anybody looks at the weights."""
    return (
        model.form == "none"
        or x.dtype is not torch.float32
        or v.dtype is not torch.float32
        or q.dtype is not torch.float32
        or not (x.is_cpu and v.is_cpu and q.is_cpu)
        or not (type(x) is type(v) is type(q) is Tensor)
        or x.ndim != 3
        or x.shape[1] < 2
        or v.shape != x.shape
        or q.shape != x.shape[:2]
        or numba.config.DISABLE_JIT
        or torch.compiler.is_compiling()
        or torch.is_autocast_enabled("cpu")
        or forward_ad._current_level >= 0
        or torch._C._functorch.maybe_current_level() is not None
    )
