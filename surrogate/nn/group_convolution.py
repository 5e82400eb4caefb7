"""What convolutions on positions and orientations are made of: a basis of kernels, what follows at each point."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

DEGREE = 3
"""Of the polynomials that a kernel's basis is made from."""


class KernelBasis(nn.Module):
    """Functions of invariants p that kernels are linear combinations of: act(L2 act(L1 [p, p p, p p p])).

    Parameters
    ----------
    invariants, hidden, functions : int

    Notes
    -----
    L1 has a weight for each ordered product, as published. Products that differ in their order are equal: each is
    made once, and its weights are added up.
    """

    merging: Tensor

    def __init__(self, invariants: int, hidden: int, functions: int) -> None:
        super().__init__()
        ordered = [p for degree in range(1, DEGREE + 1) for p in product(range(invariants), repeat=degree)]
        distinct = sorted({tuple(sorted(p)) for p in ordered}, key=lambda p: (len(p), p))
        place = {p: i for i, p in enumerate(distinct)}
        merging = torch.zeros(len(ordered), len(distinct))
        for row, p in enumerate(ordered):
            merging[row, place[tuple(sorted(p))]] = 1.0
        self.register_buffer("merging", merging, persistent=False)
        self.first = nn.Linear(len(ordered), hidden)
        self.second = nn.Linear(hidden, functions)

    def forward(self, invariants: Sequence[Tensor]) -> Tensor:
        """(..., functions) from so many (...) tensors."""
        p = torch.stack([t.flatten() for t in invariants])
        products, starts = [p], list(range(len(p)))
        for _ in range(1, DEGREE):  # p_i times the products of p_i, p_i+1, ... alone
            last = products[-1]
            products.append(torch.cat([p[i] * last[starts[i] :] for i in range(len(p))]))
            lengths = [len(last) - start for start in starts]
            starts = [sum(lengths[:i]) for i in range(len(p))]
        weight = self.first.weight @ self.merging
        hidden = gelu(torch.addmm(self.first.bias, torch.cat(products).T, weight.T))
        return gelu(self.second(hidden)).view(*invariants[0].shape, self.second.out_features)


class Pointwise(nn.Module):
    """L2 act(L1 LN(z)) at each point, of the width of z times `widening` between them (a ConvNeXt block's)."""

    def __init__(self, width: int, widening: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, widening * width)
        self.second = nn.Linear(widening * width, width)

    def forward(self, z: Tensor) -> Tensor:
        """(..., width) from (..., width)."""
        return torch.as_tensor(self.second(gelu(self.first(self.norm(z)))))
