"""Matrix products of dense layers by oneDNN where that is the faster library, with their gradients.

PyTorch gives float32 products to MKL, which keeps to AVX2 on other makers' processors. oneDNN uses all of AVX-512
and takes the weights as they lie, so nothing is packed and nothing can go stale. Its operation is the one that
`torch.compile` itself inserts; it has no derivative of its own, hence :class:`_Dense`. Which of the two a product
is given to depends on shapes, types and the machine alone, never on a measurement.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

LEAST_WORK = 2_000_000
"""In smaller products (rows x in x out) oneDNN's longer preparation of a call costs more than it gains."""
NARROWEST = 16
"""Maps from or to fewer numbers leave most of a vector register empty; they are MKL's."""


def _present() -> bool:
    """Whether this PyTorch has the operation, and this processor the registers it gains by."""
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


PRESENT = _present()


def transformed() -> bool:
    """Whether a function with a gradient of our own would be in the way, of `torch.func` or forward mode."""
    return forward_ad._current_level >= 0 or torch._C._functorch.maybe_current_level() is not None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.nn.functional.linear`, by oneDNN where it covers the case and pays.

    Parameters
    ----------
    x : (..., in) tensor
    weight : (out, in) tensor
    bias : (out,) tensor, optional

    Returns
    -------
    (..., out) tensor

    Notes
    -----
    Other dtypes and devices, transforms of `torch.func`, forward-mode derivatives, autocast and small products are
    `torch.nn.functional.linear` itself.
    **Checked by** tests/surrogate/nn/test_dense.py.
    """
    if _left_to_mkl(x, weight):
        return nn.functional.linear(x, weight, bias)
    wanted = torch.is_grad_enabled() and (
        x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
    )
    # rows of a slice, with gaps between them, would be left to oneDNN's reference loops: a hundred times slower
    if not wanted and not torch.compiler.is_compiling():
        return _product(x.contiguous(), weight.contiguous(), bias)
    rows, weight = x.reshape(-1, x.shape[-1]).contiguous(), weight.contiguous()
    made: Tensor = _Dense.apply(rows, weight, bias) if wanted else _product(rows, weight, bias)  # type: ignore[no-untyped-call]
    return made.view(*x.shape[:-1], weight.shape[0])


class Dense(nn.Linear):
    """`nn.Linear` (its weights, their names and how they are drawn) by :func:`linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., out) from (..., in)."""
        return linear(x, self.weight, self.bias)


class _Dense(torch.autograd.Function):
    """x W^T + b of (rows, in), and its gradients: g W, g^T x and the sum of g over rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        g = g.contiguous()
        # g is differentiated again where a graph of gradients is made: then by PyTorch's own products
        product = _plain_product if torch.is_grad_enabled() else _product
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            product(g, weight.t()) if for_x else None,
            product(g.t(), x.t()) if for_weight else None,
            g.sum(0) if for_bias else None,
        )


def _product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    if torch.compiler.is_compiling():
        made: Tensor = _compiled_product(a, b, bias)
    else:
        made = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return made


@torch.library.custom_op("isotwin::product", mutates_args=())
def _compiled_product(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    """The same under a name of our own: `torch.compile` takes oneDNN's with constant weights only."""
    made: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return made


@_compiled_product.register_fake
def _(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    return a.new_empty(a.shape[0], b.shape[0])


def _plain_product(a: Tensor, b: Tensor) -> Tensor:
    return a @ b.t()


def _left_to_mkl(x: Tensor, weight: Tensor) -> bool:
    n_out, n_in = weight.shape
    return (
        not PRESENT
        or x.numel() * n_out < LEAST_WORK
        or min(n_in, n_out) < NARROWEST
        or x.dtype is not torch.float32
        or weight.dtype is not torch.float32
        or not (x.is_cpu and weight.is_cpu)
        or torch.is_autocast_enabled("cpu")
        or (not torch.compiler.is_compiling() and transformed())
    )
