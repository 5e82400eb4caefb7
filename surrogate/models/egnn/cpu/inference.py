"""Forecasts of an EGNN by the fused CPU kernel: weights packed once, and the call."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from surrogate.models.egnn.cpu.kernels import forward_at
from surrogate.models.egnn.cpu.layout import folded_weights, inference_layout, sizes_of
from surrogate.nn.cpu.threads import for_each
from surrogate.nn.cpu.tiles import LANES, FloatArray

MOST_HIDDEN = 256
"""Wider layers are PyTorch's: their weights leave the caches, and its products are as fast."""
GROUP_NODES = 240
"""Nodes that are worked on together: their rows stay in the second cache, and weights are read once for all."""
EDGES_A_THREAD = 2000
"""Fewer directed edges than this are not worth a thread of their own."""


class FusedForward:
    """The forward pass of an EGNN, form "init" or "recurrent", with a copy of its weights.

    Parameters
    ----------
    weights : mapping of str to Tensor
        Of the model by their names, float32 on the CPU.
    carried : bool
        Velocities are carried from layer to layer (the recurrent form).
    with_head : bool
        Whether velocities are forecast.

    Notes
    -----
    No gradients. **Checked by** tests/surrogate/models/test_egnn_inference.py.
    """

    def __init__(self, weights: Mapping[str, Tensor], *, carried: bool, with_head: bool) -> None:
        made = folded_weights({name: weight.detach() for name, weight in weights.items()})
        self._layout = inference_layout(sizes_of(made))
        flat = np.concatenate([np.zeros(1, dtype=np.float32), *(w.numpy().reshape(-1) for w in made.values())])
        self._packed = aligned_buffer(len(self._layout.weights))
        self._packed[:] = flat[self._layout.weights]
        self._address = self._packed.ctypes.data
        self._carried, self._with_head = carried, with_head

    def __call__(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """See SurrogateModel.forward; by as many threads as it is worth."""
        refuse_other_than_float32(x, v, q)
        x, v, q = x.contiguous(), v.contiguous(), q.contiguous()
        n_systems, n, n_dims = x.shape
        out_x = torch.empty_like(x)
        out_v = torch.empty_like(v) if self._with_head else None
        sizes = (max(GROUP_NODES // n, 1), n_systems, n, n_dims)
        given = (x.data_ptr(), v.data_ptr(), q.data_ptr(), self._address)
        form = (self._layout.width, self._layout.n_layers, self._carried, self._with_head)
        made = (out_x.data_ptr(), 0 if out_v is None else out_v.data_ptr())
        arguments = (*sizes, *given, *form, *made)
        n_threads = min(torch.get_num_threads(), n_systems, 1 + n_systems * n * (n - 1) // EDGES_A_THREAD)
        if n_threads <= 1:
            forward_at(0, n_systems, *arguments)
        else:
            bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
            for_each(lambda part: forward_at(bounds[part], bounds[part + 1], *arguments), n_threads, n_threads)
        return out_x, out_v


def aligned_buffer(*shape: int) -> FloatArray:
    """An uninitialised array that starts at a multiple of 64 bytes, so that no vector crosses a cache line."""
    count = math.prod(shape)
    held = np.empty(count + LANES, dtype=np.float32)
    start = -(held.ctypes.data // 4) % LANES
    return held[start : start + count].reshape(shape)


def refuse_other_than_float32(x: Tensor, v: Tensor, q: Tensor) -> None:
    """Raise TypeError: kernels read memory as it lies."""
    if not (x.dtype is v.dtype is q.dtype is torch.float32 and x.is_cpu and v.is_cpu and q.is_cpu):
        raise TypeError(f"the fused kernels take float32 on the CPU; got {x.dtype}, {v.dtype}, {q.dtype}")
