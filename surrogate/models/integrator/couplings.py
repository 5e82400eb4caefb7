"""What scales a pair force: the channels of the pair law, each a product k_i k_j of particles' couplings.

Products reach every pair table. A table of kinds is a sum of them over the kinds and their unions, each with a
radial function of its own; a symmetric matrix of edges is a sum of N of them with one: E + s 1 = L L^T, where s
makes it positive definite and adds nothing to a pair of different particles. So kernels know products alone.
"""

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor

from physics.errors import InputError

COUPLINGS = ("constant", "charges", "masses", "species", "edges")


class Couplings:
    """The channels that `model.couplings` names.

    Parameters
    ----------
    names : str
        Comma-separated, of COUPLINGS. "species": a channel for each kind of particles and each two kinds.
        "edges": pairs (i, j) whose force scales with e_ij.
    kinds : str
        Comma-separated integers: the species there are; for "species" alone.

    Attributes
    ----------
    channels : tuple of str
        One for each radial function: "species 1" acts among that kind, "species 1|2" among both.
    takes : tuple of str
        What comes with the data: "species", "edges".

    Raises
    ------
    InputError
    """

    def __init__(self, names: str, kinds: str) -> None:
        self.names = tuple(name.strip() for name in names.split(","))
        for name in self.names:
            if name not in COUPLINGS:
                raise InputError(f"model.couplings: {name!r} is none of {', '.join(COUPLINGS)}")
        self.takes = tuple(name for name in ("species", "edges") if name in self.names)
        written = [kind.strip() for kind in kinds.split(",") if kind.strip()]
        if not all(kind.lstrip("-").isdecimal() for kind in written):
            raise InputError(f"model.kinds must be integers such as 0,1; got {kinds!r}")
        self.kinds = tuple(int(kind) for kind in written)
        if ("species" in self.names and not self.kinds) or len(set(self.kinds)) < len(self.kinds):
            raise InputError(f"model.kinds must list each species once where they couple; got {kinds!r}")
        unions = [(kind,) for kind in self.kinds] + list(combinations(self.kinds, 2))
        self._unions = {f"species {'|'.join(map(str, kinds))}": kinds for kinds in unions}
        self.channels = tuple(
            channel for name in self.names for channel in (self._unions if name == "species" else (name,))
        )

    def __call__(self, q: Tensor, m: Tensor, given: Mapping[str, Tensor]) -> tuple[Tensor, list[int] | None]:
        """Couplings of each particle, (C, B, N) float64, and of each the channel; None where that is its number.

        Parameters
        ----------
        q, m : (B, N) float64 tensors
        given : mapping of str to tensor
            species (B, N), edges (B, N, N), where they are taken.
        """
        known = {"constant": torch.ones_like(q), "charges": q, "masses": m}
        if "species" in self.names:
            known |= self._of_species(given["species"].to(q))
        if "edges" not in self.names:
            return torch.stack([known[name] for name in self.channels]), None
        parts, rows = list[Tensor](), list[int]()
        for row, name in enumerate(self.channels):
            part = factors_of_edges(given["edges"].to(q)) if name == "edges" else known[name].unsqueeze(0)
            parts.append(part)
            rows += [row] * len(part)
        return torch.cat(parts), rows

    def _of_species(self, species: Tensor) -> dict[str, Tensor]:
        found = {
            name: torch.stack([species == kind for kind in kinds]).any(0).to(species)
            for name, kinds in self._unions.items()
        }
        if species.device.type == "cpu":  # elsewhere nobody waits to look
            known = torch.stack([species == kind for kind in self.kinds]).any(0)
            if not bool(known.all()):
                other = int(species[~known][0])
                raise InputError(f"species {other}: model.kinds are {', '.join(map(str, self.kinds))}")
        return found


def factors_of_edges(edges: Tensor) -> Tensor:
    """Couplings w (N, B, N) with sum_a w_ai w_aj = e_ij for all i != j, of symmetric edges (B, N, N)."""
    unit = torch.eye(edges.shape[-1], dtype=edges.dtype, device=edges.device)
    off = edges * (1.0 - unit)
    more = 1.0 + off.detach().abs().sum(-1).amax(-1)  # no eigenvalue is below -(the largest sum of a row)
    lower: Tensor = torch.linalg.cholesky(off + more[:, None, None] * unit)
    return lower.permute(2, 0, 1)
