"""Networks that tell properties of a molecule from its atoms: the literal registry `MODELS`.

Molecules of one batch have the same number of atoms; those of a set may have any.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from physics.errors import InputError, unknown_name
from surrogate.models.egnn.model import EGCL
from surrogate.nn.edges import AllPairs, edge_projections
from surrogate.nn.mlp import mlp
from surrogate.nn.radial_basis import TINY, GaussianBasis
from surrogate.tasks.molecules.targets import ELEMENTS, TARGETS

POWERS = 3
INPUTS = len(ELEMENTS) * POWERS
"""Numbers an atom is described by: one for each element, times powers of Z / 9."""
FARTHEST = 10.0
"""[angstrom]: centres of a radial basis reach so far."""
ALL = "all"


@dataclass(frozen=True)
class PropertyConfig:
    """Sizes of a network of properties.

    Attributes
    ----------
    hidden, layers : int
    targets : str
        Of TARGETS, with commas between; "all" for every one from the same layers.
    basis : int
        Gaussians of the distance that enter messages beside its square; 0 as published.
    """

    hidden: int = 128
    layers: int = 7
    targets: str = "alpha"
    basis: int = 0


class EGNNProperties(nn.Module):
    """EGNN with inferred edges and atoms at rest; a network of the sum over atoms.

    Notes
    -----
    m_ij of [h_i, h_j, d_ij^2], e_ij = sigmoid(w . m_ij + b), h_i <- h_i + phi_h([h_i, sum_j e_ij m_ij]);
    properties are phi_2(sum_i phi_1(h_i)), in mean absolute deviations from the training mean.

    **Source** Satorras et al. 2021, section 5.3 and its published code. **Deviations** none without `basis`.
    **Checked by** tests/surrogate/tasks/test_molecules.py (745,224 parameters, outputs of the published code).
    """

    Config = PropertyConfig

    def __init__(self, config: PropertyConfig) -> None:
        super().__init__()
        self.targets = tuple(TARGETS) if config.targets == ALL else tuple(config.targets.split(","))
        for name in self.targets:
            if name not in TARGETS:
                raise unknown_name("target in model.targets", name, [*TARGETS, ALL])
        if len(set(self.targets)) < len(self.targets):
            raise InputError(f"model.targets names one twice: {config.targets}")
        self.embedding = nn.Linear(INPUTS, config.hidden)
        self.layers = nn.ModuleList(
            EGCL(config.hidden, config.basis, with_velocity=False, infer_edges=True, moves=False)
            for _ in range(config.layers)
        )
        self.basis = GaussianBasis(config.basis, FARTHEST) if config.basis else None
        self.of_atoms = mlp(config.hidden, config.hidden, config.hidden)
        self.of_molecule = mlp(config.hidden, config.hidden, len(self.targets))

    def forward(self, atoms: Tensor, positions: Tensor) -> Tensor:
        """Properties (B, targets) of atoms (B, N, INPUTS) at positions (B, N, 3) [angstrom]."""
        h, edges = self.embedding(atoms), AllPairs.of(positions)
        if edges.n > 1:
            scalars = edges.displacements(positions).square().sum(-1, keepdim=True)
            if self.basis is not None:
                scalars = torch.cat([scalars, self.basis(scalars.add(TINY).sqrt())], dim=-1)
            for layer in self.layers:
                assert isinstance(layer, EGCL)
                assert layer.phi_inf is not None
                m = layer.messages(*edge_projections(layer.edge_in, h), scalars, edges)
                h = layer.updated_features(h, edges.sums(layer.phi_inf(m).sigmoid() * m))
        else:
            for layer in self.layers:  # an atom alone has no messages
                assert isinstance(layer, EGCL)
                h = layer.updated_features(h, torch.zeros_like(h))
        found: Tensor = self.of_molecule(self.of_atoms(h).sum(-2))
        return found


def atom_inputs(numbers: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(..., INPUTS) from atomic numbers: one-hot elements times 1, Z / 9, (Z / 9)^2."""
    known = torch.tensor(list(ELEMENTS), device=numbers.device)
    one_hot = (numbers.unsqueeze(-1) == known).to(dtype)
    powers = (numbers.unsqueeze(-1).to(dtype) / max(ELEMENTS)) ** torch.arange(POWERS, device=numbers.device)
    return (one_hot.unsqueeze(-1) * powers.unsqueeze(-2)).flatten(-2)


MODELS = {"egnn": EGNNProperties}
