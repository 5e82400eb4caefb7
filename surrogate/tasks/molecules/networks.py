"""Networks that tell properties of a molecule from its atoms: the literal registry `MODELS`.

Molecules of one batch have the same number of atoms; those of a set may have any.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import torch
from torch import Tensor, nn

from physics.errors import InputError, unknown_name
from surrogate.models.base import Accelerated
from surrogate.models.egnn.cpu.inference import MOST_HIDDEN
from surrogate.models.egnn.cpu.weighed_messages import off_diagonal, padded_rows, weighed_messages
from surrogate.models.egnn.model import EGCL, FUSED
from surrogate.nn.cpu.tiles import PANEL
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
    **Checked by** tests/surrogate/tasks/test_molecules.py (745,224 parameters, outputs of the published code),
    test_molecule_kernels.py.
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
        edges = AllPairs.of(positions)
        scalars = self._scalars(edges.displacements(positions)) if edges.n > 1 else positions

        def sums(layer: EGCL, gate: nn.Linear, p: Tensor, s: Tensor) -> Tensor:
            m = layer.messages(p, s, scalars, edges)
            return edges.sums(gate(m).sigmoid() * m)

        return self._properties(atoms, sums)

    def fused(self, atoms: Tensor, positions: Tensor) -> Tensor:
        """:meth:`forward` by kernels: positions get no gradient."""
        apart = positions.unsqueeze(2) - positions.unsqueeze(1)
        scalars = padded_rows(self._scalars(off_diagonal(apart))) if positions.shape[1] > 1 else positions

        def sums(layer: EGCL, gate: nn.Linear, p: Tensor, s: Tensor) -> Tensor:
            of_scalars = layer.edge_in.weight[:, 2 * p.shape[-1] :]
            second = layer.edge_out
            return weighed_messages(p, s, scalars, of_scalars, second.weight, second.bias, gate.weight, gate.bias)

        return self._properties(atoms, sums)

    def _properties(self, atoms: Tensor, sums: Callable[[EGCL, nn.Linear, Tensor, Tensor], Tensor]) -> Tensor:
        h = self.embedding(atoms)
        for layer in self.layers:
            assert isinstance(layer, EGCL)
            assert layer.phi_inf is not None
            if atoms.shape[-2] > 1:
                m_i = sums(layer, layer.phi_inf, *edge_projections(layer.edge_in, h))
            else:  # an atom alone has no messages
                m_i = torch.zeros_like(h)
            h = layer.updated_features(h, m_i)
        found: Tensor = self.of_molecule(self.of_atoms(h).sum(-2))
        return found

    def _scalars(self, r: Tensor) -> Tensor:
        """What messages know of pairs, from displacements."""
        d2 = r.square().sum(-1, keepdim=True)
        return d2 if self.basis is None else torch.cat([d2, self.basis(d2.add(TINY).sqrt())], dim=-1)

    def for_training(self) -> Accelerated:
        """See SurrogateModel.for_training; the same for inference."""
        weight = self.embedding.weight
        if weight.dtype is not torch.float32 or not weight.is_cpu:
            reason = f"{str(weight.dtype).removeprefix('torch.')} on {weight.device.type}"
        elif len(weight) % PANEL or len(weight) > MOST_HIDDEN:
            reason = f"the kernels are for multiples of {PANEL} features, to {MOST_HIDDEN}"
        elif numba.config.DISABLE_JIT:
            reason = "Numba does not compile"
        else:
            fused: Callable[..., Any] = self.fused
            return Accelerated(fused, FUSED, differentiable=False)
        return Accelerated(self, f"PyTorch: {reason}", differentiable=True)

    for_inference = for_training


def atom_inputs(numbers: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(..., INPUTS) from atomic numbers: one-hot elements times 1, Z / 9, (Z / 9)^2."""
    known = torch.tensor(list(ELEMENTS), device=numbers.device)
    one_hot = (numbers.unsqueeze(-1) == known).to(dtype)
    powers = (numbers.unsqueeze(-1).to(dtype) / max(ELEMENTS)) ** torch.arange(POWERS, device=numbers.device)
    return (one_hot.unsqueeze(-1) * powers.unsqueeze(-2)).flatten(-2)


MODELS = {"egnn": EGNNProperties}
