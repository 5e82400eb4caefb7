"""EGNN's training step by fused CPU kernels: weights and gradients in their order, and the call.

Gradients are those of weights, once: neither of inputs nor of gradients. The velocity head is PyTorch's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from surrogate.models.egnn.cpu.gradients import backward_kept, forward_kept, gathered, picked
from surrogate.models.egnn.cpu.inference import aligned_buffer, refuse_other_than_float32
from surrogate.models.egnn.cpu.layout import TrainingLayout, sizes_of, training_layout
from surrogate.nn.cpu.threads import for_each
from surrogate.nn.cpu.tiles import ROWS, FloatArray

PART_NODES = 250
"""Nodes of a part of the batch: their features stay in the second cache."""
MOST_PARTS = 8
"""Each has gradient sums of its own; how many there are depends on the batch alone, so sums do not on threads."""


class FusedTraining:
    """Positions of an EGNN, form "init" or "recurrent", differentiable with respect to its weights.

    Parameters
    ----------
    weights : mapping of str to Parameter
        Of the model by their names, float32 on the CPU; read anew by every call.
    carried : bool
        Velocities are carried from layer to layer (the recurrent form).

    Notes
    -----
    **Checked by** tests/surrogate/models/test_egnn_training.py.
    """

    def __init__(self, weights: Mapping[str, Tensor], *, carried: bool) -> None:
        n_layers = sum(name.endswith(".edge_in.bias") for name in weights)
        unused = ("velocity_head.", f"layers.{n_layers - 1}.phi_h.")  # they reach no position
        used = {name: weight for name, weight in weights.items() if not name.startswith(unused)}
        self._weights, self._carried = list(used.values()), carried
        self._layout = training_layout(sizes_of(used))

    def __call__(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, None]:
        """See SurrogateModel.forward."""
        refuse_other_than_float32(x, v, q)
        made: Tensor = _Forecast.apply(self._layout, self._carried, x, v, q, *self._weights)  # type: ignore[no-untyped-call]
        return made, None


class _Parts:
    """A batch in parts: what the kernels keep of each."""

    def __init__(self, layout: TrainingLayout, x: Tensor, v: Tensor, q: Tensor) -> None:
        n_systems, self.n, d = x.shape
        n_parts = max(1, min(MOST_PARTS, n_systems, round(n_systems * self.n / PART_NODES)))
        self.bounds = np.linspace(0, n_systems, n_parts + 1).round().astype(int) * self.n
        self.x0 = x.detach().contiguous().numpy().reshape(-1, d)
        self.v0 = v.detach().contiguous().numpy().reshape(-1, d)
        self.q = q.detach().contiguous().numpy().reshape(-1)
        n_kept = layout.n_layers + 1
        counts = np.diff(self.bounds)
        self.x = [np.empty((n_kept, count, d), dtype=np.float32) for count in counts]
        self.v = [np.empty((n_kept, count, d), dtype=np.float32) for count in counts]
        rows = [-(-count // ROWS) * ROWS for count in counts]
        self.nodes = [aligned_buffer(layout.n_layers, row, 2 * layout.width) for row in rows]
        self.pairs = [aligned_buffer(layout.n_layers, row, 2 * layout.width) for row in rows]
        self.hidden = [aligned_buffer(layout.n_layers, 2, row, layout.width) for row in rows]

    def __len__(self) -> int:
        return len(self.nodes)

    def given(self, part: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Its positions, velocities and charges."""
        first, last = self.bounds[part : part + 2]
        return self.x0[first:last], self.v0[first:last], self.q[first:last]

    def kept(self, part: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """What the kernels keep of it: positions, velocities, rows of nodes, pairs and hidden layers."""
        return self.x[part], self.v[part], self.nodes[part], self.pairs[part], self.hidden[part]


class _Forecast(torch.autograd.Function):
    """Positions from weights, and the weights' gradients."""

    @staticmethod
    def forward(
        ctx: Any, layout: TrainingLayout, carried: bool, x: Tensor, v: Tensor, q: Tensor, *weights: Tensor
    ) -> Tensor:
        flat = torch.cat([x.new_zeros(1), *(weight.reshape(-1) for weight in weights)]).numpy()
        packed = aligned_buffer(len(layout.weights))
        picked(flat, layout.weights, packed)
        parts = _Parts(layout, x, v, q)

        def work(part: int) -> None:
            given, kept = parts.given(part), parts.kept(part)
            forward_kept(parts.n, *given, packed, layout.width, layout.n_layers, carried, *kept)

        for_each(work, len(parts), torch.get_num_threads())
        ctx.save_for_backward(*weights)
        ctx.layout, ctx.carried, ctx.parts, ctx.flat, ctx.packed = layout, carried, parts, flat, packed
        return torch.from_numpy(np.concatenate([kept[-1] for kept in parts.x])).view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_out: Tensor) -> tuple[Tensor | None, ...]:
        weights = ctx.saved_tensors
        layout: TrainingLayout = ctx.layout
        parts: _Parts = ctx.parts
        packed: FloatArray = ctx.packed
        transposed = aligned_buffer(len(layout.transposed))
        picked(ctx.flat, layout.transposed, transposed)
        g_nodes = g_out.contiguous().numpy().reshape(-1, g_out.shape[2])
        sums = aligned_buffer(len(parts), layout.n_gradients)
        sums.fill(0.0)

        def work(part: int) -> None:
            given, kept = parts.given(part), parts.kept(part)
            g_part = g_nodes[parts.bounds[part] : parts.bounds[part + 1]]
            sizes = (layout.width, layout.n_layers)
            backward_kept(
                parts.n, *given, packed, layout.starts, transposed, *sizes, ctx.carried, *kept, g_part, sums[part]
            )

        for_each(work, len(parts), torch.get_num_threads())
        flat = torch.empty(len(layout.gradients))
        gathered(sums, layout.gradients, flat.numpy())
        pieces = torch.split(flat, [weight.numel() for weight in weights])
        of_weights = [
            piece.view_as(weight) if needed else None
            for piece, weight, needed in zip(pieces, weights, ctx.needs_input_grad[5:], strict=True)
        ]
        return (*[None] * 5, *of_weights)
