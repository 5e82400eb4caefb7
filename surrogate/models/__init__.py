"""Which models are there? The registry `MODELS`; a model is one file (or folder) here and one row of it.

A row says what is known without importing the model, or PyTorch; `MODELS[name](config)` imports that model alone.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogate.models.base import SurrogateModel

STATE = ("positions", "velocities", "charges")
BOX = ("box",)
GIVEN = ("species", "edges", "uniform_field", "magnetic_field")


@dataclass(frozen=True)
class ModelRow:
    """A registered model: `row(config)` builds it, `row.Config()` is its default configuration.

    What a row says is true of the default; of another, the built model says it.

    Attributes
    ----------
    module, name : str
        Where its class is.
    group : str
        The transformations it commutes with: see SurrogateModel.
    dims : str
        "any", "3" where its mathematics are those of three dimensions, or "config" where the weights are for the
        one dimension that its configuration names.
    sees : tuple of str
        What a forecast depends on, of "positions", "velocities", "charges" and "masses".
    may_see : tuple of str
        Of :data:`surrogate.models.base.GIVEN` what some configuration sees besides; the group then acts on fields,
        too.
    graphs : bool
        Whether it takes graphs, and can be configured to near pairs.
    """

    module: str
    name: str
    group: str = "E(n)"
    dims: str = "any"
    sees: tuple[str, ...] = STATE
    may_see: tuple[str, ...] = ()
    graphs: bool = False

    @property
    def model(self) -> "type[SurrogateModel]":
        """The class, imported now."""
        found: type[SurrogateModel] = getattr(import_module(f"surrogate.models.{self.module}"), self.name)
        return found

    @property
    def Config(self) -> type:  # noqa: N802  (the class's own name for it)
        """The frozen dataclass of its settings."""
        return self.model.Config

    def __call__(self, config: Any) -> "SurrogateModel":
        """The untrained model."""
        return self.model(config)


MODELS: dict[str, ModelRow] = {
    "cgenn": ModelRow("cgenn.model", "CGENN", dims="config", may_see=BOX, graphs=True),
    "linear": ModelRow("linear", "Linear", sees=STATE[:2], graphs=True),
    "gnn": ModelRow("gnn", "GNN", group="Sym", dims="config", may_see=BOX, graphs=True),
    "gnn+": ModelRow("gnn_plus", "GNNPlus", group="T(n)", dims="config", may_see=BOX, graphs=True),
    "edge-cloud": ModelRow("edge_cloud.model", "EdgeCloud", may_see=BOX, graphs=True),
    "egnn": ModelRow("egnn.model", "EGNN", may_see=("edges", *BOX), graphs=True),
    "egno": ModelRow("egno", "EGNO", may_see=BOX, graphs=True),
    "egnn-recurrent": ModelRow("egnn.recurrent", "EGNNRecurrent", may_see=BOX, graphs=True),
    "integrator": ModelRow("integrator.model", "Integrator", sees=(*STATE, "masses"), may_see=GIVEN),
    "painn": ModelRow("painn", "PaiNN", may_see=BOX, graphs=True),
    "ponita": ModelRow("ponita.model", "Ponita", group="T(n)", dims="config", may_see=BOX, graphs=True),
    "radial-field": ModelRow("radial_field", "RadialField", may_see=BOX, graphs=True),
    "schnet": ModelRow("schnet", "SchNet", may_see=BOX, graphs=True),
    "segno": ModelRow("segno", "Segno", may_see=BOX, graphs=True),
    "segnn": ModelRow("segnn", "SEGNN", group="E(3)", dims="3", may_see=BOX, graphs=True),
    "se3-transformer": ModelRow(
        "se3_transformer", "SE3Transformer", group="E(3)", dims="3", may_see=BOX, graphs=True
    ),
    "tfn": ModelRow("tfn", "TFN", group="E(3)", dims="3", may_see=BOX, graphs=True),
}

__all__ = ["MODELS", "ModelRow"]
