"""EGNN forecasts by the fused CPU kernel: when it may be used, its packed weights, and the call.

It takes the place of the PyTorch layers where nothing is to be differentiated: float32 on the CPU. What it does
not cover is left to PyTorch.
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
    """An EGNN's weights in the order in which the kernel reads them: transposed, in panels, filled up with zeros.

    Parameters
    ----------
    model : EGNN

    Attributes
    ----------
    width : int
        Hidden size filled up to a multiple of PANEL.
    values : float32 array
    """

    def __init__(self, model: "EGNN") -> None:
        self._weights = {name: p.detach() for name, p in model.named_parameters(remove_duplicate=False)}
        self._hidden = model.embedding.out_features
        self.width = -(-self._hidden // PANEL) * PANEL
        self._pieces: list[FloatArray] = []
        self._row(self._weights["embedding.weight"][:, 0])
        self._row(self._weights["embedding.bias"])
        for k in range(model.evaluations):
            self._pairs(f"layers.{k}.edge_in")
            self._matrix(f"layers.{k}.edge_out")
            self._number(f"layers.{k}.phi_x")
            self._number(f"layers.{k}.phi_v")
            self._row(self._weights[f"layers.{k}.phi_v.2.bias"], LANES)
            if k < model.evaluations - 1:
                self._matrix(f"layers.{k}.phi_h.0", parts=2)
                self._matrix(f"layers.{k}.phi_h.2")
        if model.velocity_head is not None:
            self._number("velocity_head.node")
            self._row(self._weights["velocity_head.node.2.bias"], LANES)
            self._pairs("velocity_head.pair.0")
            self._row(self._weights["velocity_head.pair.2.weight"][0])
            self._row(self._weights["velocity_head.pair.2.bias"], LANES)
        self.values = aligned(np.concatenate(self._pieces))
        del self._pieces, self._weights

    def _row(self, values: Tensor, width: int = 0) -> None:
        row = np.zeros(width or self.width, dtype=np.float32)
        row[: len(values)] = values.numpy()
        self._pieces.append(row)

    def _panels(self, *blocks: Tensor) -> None:
        """The transposed (out, in) blocks below each other, cut into panels."""
        rows = np.zeros((len(blocks), self.width, self.width), dtype=np.float32)
        for to, block in zip(rows, blocks, strict=True):
            to[: block.shape[1], : block.shape[0]] = block.T.numpy()
        panels = rows.reshape(len(blocks) * self.width, self.width // PANEL, PANEL).swapaxes(0, 1)
        self._pieces.append(panels.reshape(-1))

    def _matrix(self, name: str, parts: int = 1) -> None:
        self._panels(*self._weights[f"{name}.weight"].chunk(parts, dim=1))
        self._row(self._weights[f"{name}.bias"])

    def _number(self, name: str) -> None:
        """A hidden layer and the map behind it to one or two numbers, without its bias."""
        self._matrix(f"{name}.0")
        for row in self._weights[f"{name}.2.weight"]:
            self._row(row)

    def _pairs(self, name: str) -> None:
        """A first edge layer: receivers' share with the bias, senders' without, those of three scalars."""
        weight = self._weights[f"{name}.weight"]
        self._panels(weight[:, : self._hidden])
        self._panels(weight[:, self._hidden : 2 * self._hidden])
        self._row(self._weights[f"{name}.bias"])
        self._row(weight.new_zeros(self._hidden))
        for column in weight[:, 2 * self._hidden :].T:
            self._row(column)


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
    group = max(GROUP_NODES // n, 1)
    carried = model.form == "recurrent"

    def run(first: int, last: int) -> None:
        forward_at(
            first,
            last,
            group,
            n_systems,
            n,
            n_dims,
            x.data_ptr(),
            v.data_ptr(),
            q.data_ptr(),
            packed.values,
            packed.width,
            model.evaluations,
            carried,
            with_head,
            out_x.data_ptr(),
            out_v.data_ptr(),
        )

    n_threads = min(torch.get_num_threads(), n_systems, 1 + n_systems * n * (n - 1) // EDGES_A_THREAD)
    if n_threads <= 1:
        run(0, n_systems)
    else:
        bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(lambda pair: run(*pair), pairwise(bounds)))
    return out_x, out_v if with_head else None


def _left_to_torch(model: "EGNN", x: Tensor, v: Tensor, q: Tensor) -> bool:
    """What can be said before anybody looks at the weights."""
    return (
        torch.compiler.is_compiling()
        or model.form == "none"
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
        or torch.is_autocast_enabled("cpu")
        or forward_ad._current_level >= 0
        or torch._C._functorch.maybe_current_level() is not None
    )
