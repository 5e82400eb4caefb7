"""PONITA: depth-wise group convolutions on positions and a grid of orientations that all particles share."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.models.ponita.grids import orientations
from surrogate.nn.edges import AllPairs, Edges
from surrogate.nn.group_convolution import KernelBasis, Pointwise
from surrogate.nn.row_tiles import by_rows, by_systems, row_ranges


@dataclass(frozen=True)
class PonitaConfig(NeighbourConfig):
    """Sizes of a PONITA.

    Attributes
    ----------
    dims : int
        Space dimensions; the grid is for no other.
    hidden, layers : int
    basis : int
        Functions that kernels are combinations of.
    grid : str
        "repulsion": so many `orientations`, spread; "icosahedron": its 12 vertices, n = 3.
    orientations : int
    layer_scale : float
        What every block's contribution is multiplied by at the start.
    """

    dims: int = 3
    hidden: int = 128
    layers: int = 5
    basis: int = 256
    grid: str = "repulsion"
    orientations: int = 16
    layer_scale: float = 1e-6


class Block(nn.Module):
    """s_ig = sum_j k1(phi_ijg) f_jg; t_ig = mean_h k2(psi_gh) s_ih + bias; f <- f + scale L2 act(L1 LN(t))."""

    def __init__(self, hidden: int, functions: int, layer_scale: float) -> None:
        super().__init__()
        self.kernel = nn.Linear(functions, hidden, bias=False)
        self.fibre_kernel = nn.Linear(functions, hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.pointwise = Pointwise(hidden)
        self.scale = nn.Parameter(torch.full((hidden,), layer_scale))

    def updated(self, f: Tensor, s: Tensor, fibre: Tensor) -> Tensor:
        """Features (..., G, C) after the block, of sums over particles and the fibre's basis (G, G, functions)."""
        t = torch.einsum("...hc,ghc->...gc", s, self.fibre_kernel(fibre) / fibre.shape[0]) + self.bias
        return torch.addcmul(f, self.scale, self.pointwise(t))


class Ponita(GraphModel):
    """Position-orientation network on R^n x S^(n-1) with a grid of orientations n_g.

    Notes
    -----
    Features f_ig begin as L [q_i, v_i . n_g]. Kernels see the invariants (x_j - x_i) . n_g and the length of what
    is perpendicular to it, of all j with i among them, and n_g . n_h within a fibre. A linear read-out after every
    block gives w_ig, their mean over the blocks; x_hat_i = x_i + mean_g w_ig n_g.

    Translations are exact. Rotations are so far as the grid has them: those of the icosahedron and the inversion,
    or for n = 2 those by the grid's angle, are exact; any other is approximate, and learned from rotated data
    (`train.augment = "rotations"`).

    **Source** Bekkers et al., "Fast, Expressive SE(n) Equivariant Networks through Weight-Sharing in
    Position-Orientation Space" (2024), and its published code: N-body, MSE 0.0043.
    **Deviations** the grid is the same for all models of a size and kept with the weights, where the published one
    is drawn anew; kernels are not rescaled at the first batch: a LayerNorm comes next, so that a forecast hardly
    changes (what does is how fast Adam changes kernels), and a resumed run needs no flag; n = 2 has the unsigned
    second invariant of n = 3, so that reflections are as good as rotations; any n is allowed. With `model.cutoff`
    kernels end smoothly there, as published. Charges enter as features alone, and a forecast is not even in them.
    **Checked by** tests/surrogate/models/test_ponita.py (outputs of the published code); 1,058,181 parameters
    (test_models.py).
    """

    Config = PonitaConfig
    group = "T(n)"
    even_in_charges = False
    orientations: Tensor

    def __init__(self, config: PonitaConfig) -> None:
        super().__init__(config)
        self.dims = config.dims
        self.evaluations = config.layers
        grid = orientations(config.grid, config.dims, config.orientations)
        self.register_buffer("orientations", torch.tensor(grid, dtype=torch.get_default_dtype()))
        self.embedding = nn.Linear(2, config.hidden, bias=False)
        self.spatial = KernelBasis(2, config.hidden, config.basis)
        self.fibre = KernelBasis(1, config.hidden, config.basis)
        self.blocks = nn.ModuleList(
            Block(config.hidden, config.basis, config.layer_scale) for _ in range(config.layers)
        )
        self.readouts = nn.ModuleList(nn.Linear(config.hidden, 1) for _ in range(config.layers))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        if not isinstance(edges, AllPairs):
            return self._positions(x, v, q, edges), None
        return by_systems(self._positions, (x, v, q), edges.n * (edges.n - 1) * len(self.orientations)), None

    def _positions(self, x: Tensor, v: Tensor, q: Tensor, edges: Edges | None = None) -> Tensor:
        """Forecast positions of node arrays, on all pairs where no edges are given."""
        edges = edges or AllPairs.of(x)
        grid = self.orientations
        along = v @ grid.T
        f = self.embedding(torch.stack([q.expand_as(along), along], dim=-1))  # (..., G, C)
        fibre = self.fibre([grid @ grid.T])
        own = self.spatial([x.new_zeros(1), x.new_zeros(1)])  # of a particle and itself: the same for all
        known = self._basis(x, edges) if len(row_ranges(edges, x.device, len(grid))) == 1 else None
        total = torch.zeros(())
        for block, readout in zip(self.blocks, self.readouts, strict=True):
            assert isinstance(block, Block)
            made = partial(self._sums, block, f.flatten(-2), x, known)
            (s,) = by_rows(made, edges, x.device, len(grid))
            s = torch.addcmul(s.view(f.shape), block.kernel(own), f)
            f = block.updated(f, s, fibre)
            total = total + readout(f).squeeze(-1)
        moved: Tensor = total @ grid / (len(grid) * len(self.blocks))
        return x + moved

    def _sums(self, block: Block, f: Tensor, x: Tensor, known: Tensor | None, edges: Edges) -> tuple[Tensor]:
        """Sums over senders of kernels times features (..., G C)."""
        basis = self._basis(x, edges) if known is None else known
        return (edges.sums(block.kernel(basis).flatten(-2) * edges.at_senders(f)),)

    def _basis(self, x: Tensor, edges: Edges) -> Tensor:
        """The spatial kernels' basis (edges..., G, functions)."""
        y = -edges.displacements(x)
        along = y @ self.orientations.T
        perpendicular = y.unsqueeze(-2) - along.unsqueeze(-1) * self.orientations
        across = perpendicular.square().sum(-1).add(1e-16).sqrt()
        basis: Tensor = self.spatial([along, across])
        return basis if math.isinf(self.cutoff) else basis * self._window(y)

    def _window(self, y: Tensor) -> Tensor:
        """1 - 28 u^6 + 48 u^7 - 21 u^8 of the distance over the cut-off (edges..., 1, 1); 0 beyond it."""
        u = y.square().sum(-1).add(1e-16).sqrt().div(self.cutoff).clamp(max=1.0)
        window: Tensor = 1 - u**6 * (28 - 48 * u + 21 * u**2)
        return window[..., None, None]
