"""The Clifford algebra of n-dimensional Euclidean space: blades, grades and the table of the geometric product.

A multivector has 2^n components, one for each blade (product of different axes); grade g has those of g axes. The
tables are made once for each n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from math import comb

import numpy as np
import torch
from torch import Tensor

MOST_DIMS = 5
"""Of a product's 4^n terms there are 1024 then."""


@dataclass(frozen=True, eq=False)
class Algebra:
    """Cl(n, 0, 0), blades in the order of their grades, within a grade in that of their axes.

    Attributes
    ----------
    n : int
    slices : tuple of slice
        Where the blades of each grade are.
    grades : (2^n,) int64 tensor
        Of blades.
    right : (2^n, 2^n) int64 tensor
        [i, j]: the blade k with e_i e_k = sign e_j; its own inverse in j for each i.
    signs : (2^n, 2^n) float64 tensor
        [i, j]: that sign.
    paths : (n_paths, 3) int64 tensor
        Grades (left, of the product, right) that occur in products.
    path : (2^n, 2^n) int64 tensor
        [i, j]: the path of that product.
    """

    n: int
    slices: tuple[slice, ...]
    grades: Tensor
    right: Tensor
    signs: Tensor
    paths: Tensor
    path: Tensor

    @property
    def n_blades(self) -> int:
        """Components of a multivector."""
        return len(self.grades)

    @property
    def n_grades(self) -> int:
        """Grades 0 to n."""
        return self.n + 1


@lru_cache
@torch.inference_mode(False)  # what is kept from there could not be used in training
def algebra(n: int) -> Algebra:
    """The algebra of n dimensions, its tables on the CPU."""
    blades = [axes for g in range(n + 1) for axes in combinations(range(n), g)]
    number = {axes: k for k, axes in enumerate(blades)}
    size = len(blades)
    right = np.empty((size, size), dtype=np.int64)
    signs = np.empty((size, size))
    for i, left in enumerate(blades):
        for k, other in enumerate(blades):
            j = number[tuple(sorted(set(left) ^ set(other)))]
            right[i, j], signs[i, j] = k, _sign(left, other)
    ends = [sum(comb(n, h) for h in range(g)) for g in range(n + 2)]
    grades = np.array([len(axes) for axes in blades])
    triples = np.stack([*np.broadcast_arrays(grades[:, None], grades), grades[right]], axis=-1)
    found = np.unique(triples.reshape(-1, 3), axis=0, return_inverse=True)
    paths, path = found[0], found[1].reshape(size, size)
    slices = tuple(slice(a, b) for a, b in pairwise(ends))
    tables = (torch.as_tensor(t, device="cpu") for t in (grades, right, signs, paths, path))
    return Algebra(n, slices, *tables)


def _sign(left: Sequence[int], right: Sequence[int]) -> int:
    """Of the blade of two: -1 to the power of the swaps that sort their axes (an axis squares to 1)."""
    return -1 if sum(a > b for a in left for b in right) % 2 else 1


def geometric_product(f: Tensor, h: Tensor, weights: Tensor | None = None) -> Tensor:
    """The product f h of multivectors, each of its grade paths times a weight.

    Parameters
    ----------
    f, h : (2^n, ...) tensor
    weights : (n_paths, ...) tensor, optional
        Broadcast with one component.

    Returns
    -------
    (2^n, ...) tensor
    """
    a = algebra(len(f).bit_length() - 1)
    signs = a.signs.to(f).view(*a.signs.shape, *[1] * (f.ndim - 1))
    factors = signs if weights is None else signs * weights[a.path.to(f.device)]
    right = a.right.to(f.device)
    made = f[0] * (h * factors[0])
    for i in range(1, a.n_blades):
        made = torch.addcmul(made, f[i], h[right[i]] * factors[i])
    return made
