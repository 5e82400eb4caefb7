"""EGNN's training step by fused CPU kernels: when it may be used, its weights and gradients, and the call.

It takes the place of the PyTorch layers where gradients of weights are wanted, and of nothing else: float32 on the
CPU. What it does not cover (gradients of inputs, gradients of gradients, a velocity head) is left to PyTorch.
"""

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate.models.egnn.cpu.gradients import backward_kept, forward_kept, gathered, picked
from surrogate.models.egnn.cpu.inference import aligned_room, is_known, left_to_torch, of_inputs
from surrogate.models.egnn.cpu.layout import Layout, layout_of
from surrogate.nn.cpu.threads import for_each
from surrogate.nn.cpu.tiles import ROWS
from surrogate.nn.cpu.watch import Build

if TYPE_CHECKING:
    from surrogate.models.egnn.model import EGNN

FloatArray = NDArray[np.float32]

PART_NODES = 250
"""Nodes of a part of the batch: their features stay in the second cache."""
MOST_PARTS = 8
"""Each has gradient sums of its own; how many there are depends on the batch alone, so sums do not on threads."""


class _Known:
    """A model's weights that are trained here, as long as it is made of the same objects."""

    def __init__(self, model: "EGNN") -> None:
        self.build = Build(model)
        last = f"layers.{model.evaluations - 1}.phi_h."  # reaches no output
        used = {
            name: weight
            for name, weight in model.named_parameters()
            if not name.startswith(("velocity_head.", last))
        }
        self.weights = list(used.values())
        sizes = tuple((name, tuple(weight.shape)) for name, weight in used.items())
        plain = self.build.unchanged()  # no hooks, no buffers
        self.layout = layout_of(sizes) if plain and is_known(model) else None


_KNOWN: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()


def _known(model: "EGNN") -> _Known:
    known = _KNOWN.get(model)
    if known is None or not known.build.unchanged():
        known = _KNOWN[model] = _Known(model)
    return known


def forecast(model: "EGNN", x: Tensor, v: Tensor, q: Tensor) -> Tensor | None:
    """Positions that `model` forecasts, differentiable with respect to its weights; None where PyTorch has to.

    Parameters
    ----------
    model : EGNN
        In the forms "init" and "recurrent".
    x, v : (B, N, n) float32 tensor
    q : (B, N) float32 tensor

    Notes
    -----
    Gradients that are to be differentiated again are formed by the layers.
    **Checked by** tests/surrogate/models/test_egnn_training.py.
    """
    if (
        not torch.is_grad_enabled()
        or (model.velocity_head is not None and not model.skip_velocity_head)
        or left_to_torch(model.form, x, v, q)
        or of_inputs(x, v, q)
    ):
        return None
    known = _known(model)
    layout, weights = known.layout, known.weights
    if (
        layout is None
        or not any(weight.requires_grad for weight in weights)
        or not all(weight.dtype is torch.float32 and weight.is_cpu for weight in weights)
    ):
        return None
    made: Tensor = _Forecast.apply(model, layout, x, v, q, *weights)  # type: ignore[no-untyped-call]
    return made


class _Parts:
    """A batch in parts: what the kernels keep of each."""

    def __init__(self, layout: Layout, x: Tensor, v: Tensor, q: Tensor) -> None:
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
        self.nodes = [aligned_room(layout.n_layers, row, 2 * layout.width) for row in rows]
        self.pairs = [aligned_room(layout.n_layers, row, 2 * layout.width) for row in rows]
        self.hidden = [aligned_room(layout.n_layers, 2, row, layout.width) for row in rows]

    def __len__(self) -> int:
        return len(self.nodes)

    def given(self, part: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Its positions, velocities and charges."""
        first, last = self.bounds[part : part + 2]
        return self.x0[first:last], self.v0[first:last], self.q[first:last]


class _Forecast(torch.autograd.Function):
    """Positions from weights, and the weights' gradients."""

    @staticmethod
    def forward(
        ctx: Any, model: "EGNN", layout: Layout, x: Tensor, v: Tensor, q: Tensor, *weights: Tensor
    ) -> Tensor:
        flat = torch.cat([x.new_zeros(1), *(weight.reshape(-1) for weight in weights)]).numpy()
        packed = aligned_room(len(layout.weights))
        picked(flat, layout.weights, packed)
        parts = _Parts(layout, x, v, q)
        carried = model.form == "recurrent"

        def work(part: int) -> None:
            forward_kept(
                parts.n,
                *parts.given(part),
                packed,
                layout.width,
                layout.n_layers,
                carried,
                parts.x[part],
                parts.v[part],
                parts.nodes[part],
                parts.pairs[part],
                parts.hidden[part],
            )

        for_each(work, len(parts), torch.get_num_threads())
        ctx.save_for_backward(x, v, q, *weights)
        ctx.model, ctx.layout, ctx.parts, ctx.flat, ctx.packed = model, layout, parts, flat, packed
        return torch.from_numpy(np.concatenate([kept[-1] for kept in parts.x])).view(x.shape)

    @staticmethod
    def backward(ctx: Any, g_out: Tensor) -> tuple[Tensor | None, ...]:
        x, v, q, *weights = ctx.saved_tensors
        if torch.is_grad_enabled():
            again = ctx.model.in_torch(x, v, q)[0]
            wanted = [weight for weight in weights if weight.requires_grad]
            found = iter(torch.autograd.grad(again, wanted, g_out, create_graph=True))
            return (*[None] * 5, *(next(found) if weight.requires_grad else None for weight in weights))
        layout, parts = ctx.layout, ctx.parts
        transposed = aligned_room(len(layout.transposed))
        picked(ctx.flat, layout.transposed, transposed)
        g_nodes = g_out.contiguous().numpy().reshape(-1, x.shape[2])
        sums = aligned_room(len(parts), layout.n_gradients)
        sums.fill(0.0)
        work = partial(_back, ctx, parts, transposed, g_nodes, sums)
        for_each(work, len(parts), torch.get_num_threads())
        flat = torch.empty(len(layout.gradients))
        gathered(sums, layout.gradients, flat.numpy())
        shares = torch.split(flat, [weight.numel() for weight in weights])
        of_weights = [
            share.view_as(weight) if needed else None
            for share, weight, needed in zip(shares, weights, ctx.needs_input_grad[5:], strict=True)
        ]
        return (*[None] * 5, *of_weights)


def _back(ctx: Any, parts: _Parts, transposed: FloatArray, g_out: FloatArray, sums: FloatArray, part: int) -> None:
    layout = ctx.layout
    backward_kept(
        parts.n,
        *parts.given(part),
        ctx.packed,
        layout.starts,
        transposed,
        layout.width,
        layout.n_layers,
        ctx.model.form == "recurrent",
        parts.x[part],
        parts.v[part],
        parts.nodes[part],
        parts.pairs[part],
        parts.hidden[part],
        g_out[parts.bounds[part] : parts.bounds[part + 1]],
        sums[part],
    )
