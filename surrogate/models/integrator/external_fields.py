"""Uniform fields of the integrator: learned, or given with the data and learned in strength."""

import torch
from torch import Tensor, nn

from physics.errors import InputError, unknown_name

LEARNED = ("uniform", "electric", "magnetic")
GIVEN = {"given-uniform": "uniform_field", "given-magnetic": "magnetic_field"}
"""Terms whose field comes with the data, and the array it comes in."""
TERMS = (*LEARNED, *GIVEN)
RATE = 10.0
"""By how much fields learn faster than networks: they begin at 0, and a step moves them by the rate at most."""


class ExternalFields(nn.Module):
    """Accelerations that act on each particle by itself: A + W v.

    With the terms of `model.fields`, each of them only where it is asked for,

        A_i = g + (q_i / m_i) E + (a + b q_i / m_i) u,     W_i = (q_i / m_i) (B + c B'),

    g, E, the antisymmetric matrix B and the strengths a, b, c learned, u and B' given (`uniform_field`,
    `magnetic_field`). Fields start at 0, strengths at a = c = 1 and b = 0.

    Parameters
    ----------
    terms : tuple of str
        Of TERMS: "uniform" (g), "electric" (E), "magnetic" (B), "given-uniform" (a, b), "given-magnetic" (c).
    dims : int
        The dimension of what is learned; 0 where all is given.

    Raises
    ------
    InputError
        For terms that do not exist, or learned vectors without a dimension.
    """

    def __init__(self, terms: tuple[str, ...], dims: int) -> None:
        super().__init__()
        for term in terms:
            if term not in TERMS:
                raise unknown_name("term in model.fields", term, TERMS)
        self.terms = terms
        self.learned = tuple(term for term in terms if term in LEARNED)
        self.takes = tuple(GIVEN[term] for term in terms if term in GIVEN)
        if self.learned and dims < 1:
            raise InputError(f"model.fields: {self.learned[0]} is learned for one n; set model.dims to it")
        if "magnetic" in terms and dims < 2:
            raise InputError("model.fields: magnetic needs model.dims of 2 or more: it turns velocities in planes")
        sizes = {"uniform": dims, "electric": dims, "magnetic": dims * (dims - 1) // 2}
        sizes |= {"given-uniform": 2, "given-magnetic": 1}
        self.values = nn.ParameterDict({term: nn.Parameter(torch.zeros(sizes[term])) for term in terms})
        for value in self.values.parameters():
            value.own_rate = RATE  # type: ignore[attr-defined]
        for term in self.values.keys() & GIVEN.keys():
            nn.init.ones_(self.values[term][:1])
        self.dims = dims

    @property
    def acts_on_all_alike(self) -> bool:
        """Whether all particles are accelerated alike, so that motions about the centre of mass do not change."""
        return set(self.terms) <= {"uniform"}

    def acceleration(self, q: Tensor, m: Tensor, uniform_field: Tensor | None = None) -> Tensor | None:
        """A of each particle, (B, N, n) float64 [length/time^2]; None where no term gives one.

        Parameters
        ----------
        q, m : (B, N) float64 tensors
        uniform_field : (B, n) float64 tensor, optional
        """
        parts = []
        ratio = (q / m).unsqueeze(-1)
        if "uniform" in self.values:
            parts.append(self.values["uniform"].double() * torch.ones_like(ratio))
        if "electric" in self.values:
            parts.append(ratio * self.values["electric"].double())
        if "given-uniform" in self.values:
            assert uniform_field is not None
            by_mass, by_charge = self.values["given-uniform"].double()
            parts.append((by_mass + by_charge * ratio) * uniform_field.unsqueeze(1))
        return sum(parts[1:], parts[0]) if parts else None

    def magnetic_field(self, given: Tensor | None = None) -> Tensor | None:
        """B + c B' of each system, (B, n, n) or (1, n, n) float64; None where no term gives one.

        Parameters
        ----------
        given : (B, n, n) float64 tensor, optional
            B'.
        """
        parts = []
        if "magnetic" in self.values:
            parts.append(self.magnetic().unsqueeze(0))
        if "given-magnetic" in self.values:
            assert given is not None
            parts.append(self.values["given-magnetic"].double() * given)
        return sum(parts[1:], parts[0]) if parts else None

    def magnetic(self) -> Tensor:
        """The learned B, (n, n) float64, antisymmetric."""
        above = self.values["magnetic"].double()
        first, second = torch.triu_indices(self.dims, self.dims, 1, device=above.device)
        upper: Tensor = above.new_zeros((self.dims, self.dims)).index_put((first, second), above)
        return upper - upper.T
