"""Real spherical harmonics of edges, and what they make of features: one degree coupled to another."""

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np
import torch
from torch import Tensor, nn

from surrogate.nn.steerable.clebsch_gordan import clebsch_gordan

INTEGRAL = sqrt(1 / (4 * pi))
"""Harmonics of norm sqrt(2 l + 1) times this are orthonormal on the sphere: 0.2821, and 0.4886 u for l = 1."""
TINY = 1e-16
"""Added to squared norms [length^2], so that directions of vanishing vectors are 0 with finite gradients."""


class Couplings:
    """What harmonics of degrees 1, 2, ... (or sums of them) do to features; the harmonic of degree 0 is 1.

    Matrices between degrees are made when first asked for and kept, so that layers share those of one graph.
    """

    def __init__(self, values: Sequence[Tensor], constants: "Harmonics") -> None:
        self._values, self._constants = values, constants
        self._matrices: dict[tuple[int, int, int], Tensor] = {}

    def __call__(self, f: Tensor, j: int, degree: int, onto: Tensor | None = None) -> Tensor:
        """C(Y_j, f) of each channel, added to `onto`.

        Parameters
        ----------
        f : (..., 2 k + 1, C) tensor
        j, degree : int
            Degrees of the harmonic and of the result.
        onto : (..., 2 degree + 1, C) tensor, optional

        Returns
        -------
        (..., 2 degree + 1, C) tensor
        """
        k = (f.shape[-2] - 1) // 2
        if j == 0:
            return f if onto is None else onto + f
        if k == 0:
            y = self._values[j - 1].unsqueeze(-1)
            return y * f if onto is None else torch.addcmul(onto, y, f)
        if degree == 0:
            y = (self._values[j - 1] * (1 / sqrt(2 * k + 1))).unsqueeze(-1)
            total = None if onto is None else onto.squeeze(-2)
            for part, weight in zip(f.unbind(-2), y.unbind(-2), strict=True):
                total = part * weight if total is None else torch.addcmul(total, part, weight)
            assert total is not None
            return total.unsqueeze(-2)
        made = torch.matmul(self._matrix(k, j, degree), f)
        return made if onto is None else onto + made

    def _matrix(self, k: int, j: int, degree: int) -> Tensor:
        key = k, j, degree
        if key not in self._matrices:
            self._matrices[key] = self._constants.coupling(self._values[j - 1], *key)
        return self._matrices[key]


class Harmonics(nn.Module):
    """Real spherical harmonics of degrees 1 to `degree` of directions, and the constants of their couplings.

    Parameters
    ----------
    degree : int
        Highest degree of the harmonics, 4 at most tested.
    feature_degree : int
        Highest degree of the features that they are coupled to.

    Notes
    -----
    Normalised by components: |Y_l|^2 = 2 l + 1 (Y_1 = sqrt 3 u, in the order x, y, z), and Y_0 = 1 is not listed.
    Those of degree l are made from those of l - 1 by the Clebsch-Gordan map with Y_1.
    """

    def __init__(self, degree: int, feature_degree: int) -> None:
        super().__init__()
        self.degree = degree
        pole = np.array([0.0, sqrt(3), 0.0])
        y = pole
        for j in range(2, degree + 1):
            c = clebsch_gordan(j - 1, 1, j)
            y = np.einsum("a,b,abc->c", y, pole, c)
            scale = sqrt(2 * j + 1) / float(np.linalg.norm(y))
            y = y * scale
            self._keep(f"next_{j}", (c * scale).reshape(-1, 2 * j + 1))
        features = range(1, feature_degree + 1)
        for k, d in ((k, d) for k in features for d in features):
            for j in range(max(abs(k - d), 1), min(k + d, degree) + 1):
                c = clebsch_gordan(k, j, d).transpose(1, 2, 0)
                self._keep(f"coupling_{k}_{j}_{d}", c.reshape(2 * j + 1, -1))

    def _keep(self, name: str, array: np.ndarray) -> None:
        # float64 until the module is cast to less: a float32 model that is made double has exact constants
        self.register_buffer(name, torch.tensor(array), persistent=False)

    def coupling(self, y: Tensor, k: int, j: int, degree: int) -> Tensor:
        """Matrices (..., 2 degree + 1, 2 k + 1) from harmonics (..., 2 j + 1)."""
        flat = y @ self.get_buffer(f"coupling_{k}_{j}_{degree}").to(y)
        return flat.view(*y.shape[:-1], 2 * degree + 1, 2 * k + 1)

    def values(self, r: Tensor) -> list[Tensor]:
        """Harmonics (..., 2 l + 1) of degrees 1, 2, ... of the directions of r (..., 3); 0 where r is 0."""
        u = r * (r.square().sum(-1, keepdim=True) + TINY).rsqrt()
        found = [sqrt(3) * u]
        for j in range(2, self.degree + 1):
            outer = (found[-1].unsqueeze(-1) * found[0].unsqueeze(-2)).flatten(-2)
            found.append(outer @ self.get_buffer(f"next_{j}").to(r))
        return found

    def forward(self, r: Tensor) -> Couplings:
        """Couplings of displacements r (..., 3)."""
        return Couplings(self.values(r), self)


NO_COUPLINGS = Couplings([], Harmonics(0, 0))
"""Those of the harmonic of degree 0 alone, which is 1."""
