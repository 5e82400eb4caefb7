"""Tensor field network: convolutions whose kernels are radial networks times spherical harmonics; n = 3."""

from dataclasses import dataclass

from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges
from surrogate.nn.steerable.convolution import Convolution, EdgeInputs, NormActivation
from surrogate.nn.steerable.gate import Gate
from surrogate.nn.steerable.irreps import Feature, Irreps, irreps, natural_irreps

FORMS = ("corrected", "reference")
STATE, VECTOR = irreps("1x0e+1x1o"), irreps("1x1o")
"""Of what comes in (charge and velocity), and of a displacement."""


@dataclass(frozen=True)
class TFNConfig(NeighbourConfig):
    """Sizes and form of a tensor field network.

    Attributes
    ----------
    form : str
        "corrected": radial networks see [d_ij, q_i q_j], scalars gate vectors, reflections commute;
        "reference": they see d_ij, a non-linearity of the norms of each degree, no reflections (as published).
    channels : int
        Of each degree.
    degree : int
        The highest of the features between layers, 1 or more.
    layers : int
        Convolutions.
    radial : int
        Width of the radial networks.
    """

    form: str = "corrected"
    channels: int = 16
    degree: int = 1
    layers: int = 4
    radial: int = 32


class TFN(GraphModel):
    """Tensor field network from (q_i, v_i) to a displacement.

    Notes
    -----
    Each layer is f_i^l <- mean_j sum_k K^{lk}(x_i - x_j) f_j^k + W^l f_i^l with a non-linearity between layers.
    Degree 1 is (x, y, z), so that velocities come in, and displacements go out, as they are.

    **Source** Thomas et al., "Tensor field networks" (2018); "reference" is what the EGNN paper benchmarked (MSE
    0.0155), whose radial networks never see q_i q_j and whose non-linearity keeps degrees apart.
    **Deviations** "reference" has none but gradients through directions, which the published code does not take:
    its kernels are 3j symbols of unit norm times orthonormal harmonics as there, with other signs of the maps for
    each (J, k, l) and another basis of degree 2, which weights absorb. "corrected" has edge scalars, gates, SiLU,
    one radial network a layer for all its paths, and only paths that commute with reflections.
    **Checked by** tests/surrogate/models/test_tfn.py (outputs of the published code), test_models.py (130,272 and
    127,024 parameters, symmetries).
    """

    Config = TFNConfig
    group = "E(3)"
    even_in_charges = False
    dims = 3

    def __init__(self, config: TFNConfig) -> None:
        super().__init__(config)
        reference = is_reference(config.form)
        if reference:
            self.group = "SE(3)"
        self.evaluations = config.layers
        mid = natural_irreps(config.channels, config.degree)
        self.inputs = EdgeInputs(2 * config.degree, charges=not reference)
        self.layers, self.activations = nn.ModuleList(), nn.ModuleList()
        before: Irreps = STATE
        for _ in range(config.layers - 1):
            activation = NormActivation(mid, linear=True) if reference else Gate(mid)
            after = mid if isinstance(activation, NormActivation) else activation.irreps_in
            self._add(before, after, config)
            self.activations.append(activation)
            before = mid
        self._add(before, VECTOR, config)

    def _add(self, before: Irreps, after: Irreps, config: TFNConfig) -> None:
        reference = is_reference(config.form)
        scalars = 1 if reference else 2
        self.layers.append(Convolution(before, after, scalars=scalars, width=config.radial, reference=reference))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        values = self.inputs.of(x, q, edges)
        f: Feature = (q, v)
        for layer, activation in zip(self.layers, self.activations, strict=False):
            f = activation(layer(f, values, edges))
        (moved,) = self.layers[-1](f, values, edges)
        return x + moved, None


def is_reference(form: str) -> bool:
    """Whether the form is "reference"; refuses what is no form."""
    if form not in FORMS:
        raise InputError(f"model.form must be one of {', '.join(FORMS)}; got {form!r}")
    return form == "reference"
