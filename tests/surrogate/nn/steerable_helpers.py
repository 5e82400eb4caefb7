"""Representations of rotations and reflections, made from the spherical harmonics of turned points."""

import numpy as np
import torch
from torch import Tensor

from surrogate.nn.steerable.harmonics import Harmonics
from surrogate.nn.steerable.irreps import Feature, Irreps, components


def harmonics(degree: int, points: np.ndarray) -> np.ndarray:
    """Harmonics (points, 2 degree + 1), normalised by components."""
    if degree == 0:
        return np.ones((len(points), 1))
    return Harmonics(degree, 0).double().values(torch.as_tensor(points))[-1].numpy()


def wigner(degree: int, matrix: np.ndarray) -> np.ndarray:
    """D with Y(Q r) = D Y(r), for Q of O(3)."""
    points = np.random.default_rng(degree).standard_normal((40, 3))
    here, there = harmonics(degree, points), harmonics(degree, points @ matrix.T)
    return np.linalg.lstsq(here, there, rcond=None)[0].T


def turned(f: Feature, blocks: Irreps, matrix: np.ndarray) -> Feature:
    """A feature of the turned space; blocks of unnatural parity get the other sign of determinants."""
    made: list[Tensor] = []
    for tensor, block in zip(f, blocks, strict=True):
        d = torch.as_tensor(wigner(block.degree, matrix), dtype=tensor.dtype)
        if block.parity != (-1) ** block.degree and np.linalg.det(matrix) < 0:
            d = -d
        made.append((d @ components(tensor, block.degree)).flatten(-2))
    return tuple(made)


def drawn(blocks: Irreps, *axes: int, seed: int = 0) -> Feature:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(*axes, b.width, dtype=torch.float64, generator=generator) for b in blocks)
