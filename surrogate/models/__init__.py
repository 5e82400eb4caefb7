"""The models of the comparison: one file each, one contract (base.py), one literal registry."""

from surrogate.models.base import SurrogateModel
from surrogate.models.egnn.model import EGNN
from surrogate.models.egnn.recurrent import EGNNRecurrent
from surrogate.models.gnn import GNN
from surrogate.models.integrator.model import Integrator
from surrogate.models.linear import Linear
from surrogate.models.segno import Segno

MODELS: dict[str, type[SurrogateModel]] = {
    "linear": Linear,
    "gnn": GNN,
    "egnn": EGNN,
    "egnn-recurrent": EGNNRecurrent,
    "integrator": Integrator,
    "segno": Segno,
}

__all__ = ["MODELS", "SurrogateModel"]
