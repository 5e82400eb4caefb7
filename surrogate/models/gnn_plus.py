"""GNN+: the GNN with displacements for positions, of states seen from the mean position."""

from torch import Tensor

from surrogate.models.gnn import GNN
from surrogate.nn.edges import Edges


class GNNPlus(GNN):
    """x_hat_i = x_i + GNN(x - mean position, v)_i: equivariant to translations, and easier to train than the GNN.

    Notes
    -----
    What a comparison of architectures should stand beside the others: it does not spend its weights on saying
    where the system is. Rotations change its forecasts still.

    **Source** :class:`surrogate.models.gnn.GNN`. **Deviations** the two that its name stands for.
    **Checked by** tests/surrogate/models/test_gnn.py and test_models.py (translations hold, rotations and
    reflections FAIL).
    """

    group = "T(n)"
    centres = True

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        moved, v_hat = super().on_edges(x - edges.system_means(x), v, q, edges, horizon, masses)
        return x + moved, v_hat
