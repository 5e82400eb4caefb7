"""The contract every model keeps.

A model maps positions x (B, N, n), velocities v (B, N, n) and charges q (B, N) to the positions (and, where
it gives them, velocities) one horizon later. Everything else (units, dtypes, shapes users pass) is the
business of :mod:`surrogate.inference.forecaster`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import Tensor, nn

from physics.errors import InputError, unknown_name

Forward = Callable[..., tuple[Tensor, Tensor | None]]
"""Of the arguments of :meth:`SurrogateModel.forward`."""


@dataclass(frozen=True)
class Accelerated:
    """A way to run a model, asked for by those who run it.

    Attributes
    ----------
    forward : callable
        Of the arguments of :meth:`SurrogateModel.forward`, in the dtype and on the device of the model.
    description : str
        What computes: the kernels, or "PyTorch" and why it is that.
    differentiable : bool
        Whether with respect to inputs too.
    """

    forward: Forward
    description: str
    differentiable: bool


GIVEN = ("species", "edges", "uniform_field", "magnetic_field", "box")
"""Arrays that come with data beside the states, in the order of `DataSplit`, for models that see them."""


class SurrogateModel(nn.Module):
    """Base of all models: `forward` is the mathematics in PyTorch, in any precision and on any device.

    Attributes
    ----------
    group : str
        The transformations it commutes with, permutations of the particles besides: "E(n)", "E(3)" (rotations,
        reflections, translations), "SE(3)" (no reflections), "T(n)" (translations), or "Sym" (nothing else).
    even_in_charges : bool
        Whether a forecast stays when every charge changes its sign.
    dims : int or None
        The one dimension its weights are for; None runs in any.
    sees : tuple of str
        What a forecast depends on, of "positions", "velocities", "charges", "masses" and those of GIVEN.
    gives_velocity : bool
        Whether forward returns velocities.
    chooses_evaluations : bool
        Whether forward takes `evaluations`, the number of message rounds.
    any_horizon : bool
        Whether forward takes any horizon; otherwise the one it was trained on.
    takes_graphs : bool
        Whether forward takes a graph, and may be configured to near pairs: see `graph_model`.
    centres : bool
        Whether inputs may be moved to their centroid before the cast (translation equivariance).
    evaluations : int
        Passes over all pairs that change the state, in a forward pass; per unit of time for any horizon.
    fractions : tuple of float
        Of the horizon, increasing to 1: the times at which `trajectory` gives positions. Of a model with several,
        forward takes `trajectory=True` and then returns the positions of all of them, (times, B, N, n).
    skip_velocity_head : bool
        Set while positions are trained, to save the head's work.
    """

    Config: ClassVar[type]
    group: str = "E(n)"
    even_in_charges: bool = True
    dims: int | None = None
    sees: tuple[str, ...] = ("positions", "velocities", "charges")
    gives_velocity: bool = False
    chooses_evaluations: bool = False
    any_horizon: bool = False
    takes_graphs: bool = False
    centres: bool = True
    evaluations: int = 0
    fractions: tuple[float, ...] = (1.0,)
    skip_velocity_head: bool = False

    def forward(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Positions (B, N, n) and velocities (or None) one horizon later; inputs are left unchanged."""
        raise NotImplementedError

    def set_length_unit(self, length: float) -> None:
        """Learn what 1 in the model's own units is in those of the data [length]; most models need not know."""

    def trajectory(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None, **given: Any
    ) -> Tensor:
        """Positions (times, B, N, n) at the model's `fractions` of the horizon."""
        asked = {"trajectory": True} if len(self.fractions) > 1 else {}
        found: Tensor = self(x, v, q, horizon, masses, **given, **asked)[0]
        return found if asked else found.unsqueeze(0)

    def for_inference(self) -> Accelerated:
        """The fastest way to forecasts with the weights as they are now: they must not change meanwhile."""
        return Accelerated(self, "PyTorch", differentiable=True)

    def for_training(self) -> Accelerated:
        """The fastest way to forecasts that are differentiable once with respect to the weights.

        Weights may be changed in place meanwhile. It is for the present `skip_velocity_head`.
        """
        return Accelerated(self, "PyTorch", differentiable=True)

    @property
    def takes(self) -> tuple[str, ...]:
        """Those of GIVEN that it sees: keyword tensors (B, ...) of forward."""
        return tuple(name for name in GIVEN if name in self.sees)

    @property
    def uses_masses(self) -> bool:
        """Whether a forecast depends on masses; other models are for unit masses."""
        return "masses" in self.sees

    def position_parameters(self) -> list[nn.Parameter]:
        """What is trained on positions."""
        head = {id(p) for p in self.velocity_head_parameters()}
        return [p for p in self.parameters() if id(p) not in head]

    def velocity_head_parameters(self) -> list[nn.Parameter]:
        """What is trained afterwards, on velocities, with the rest frozen; empty without such a head."""
        head = getattr(self, "velocity_head", None)
        return list(head.parameters()) if isinstance(head, nn.Module) else []

    @property
    def n_parameters(self) -> int:
        """Number of weights that make positions (a velocity head is not counted)."""
        return sum(p.numel() for p in self.position_parameters())


def config_from_dict(config_type: type, given: dict[str, Any], where: str) -> Any:
    """An instance of a frozen config dataclass from plain values; unknown keys and wrong types are refused."""
    known = {f.name: f for f in fields(config_type)}
    for name, value in given.items():
        if name not in known:
            raise unknown_name(f"key in {where}", name, known)
        default = known[name].default
        if isinstance(default, bool) != isinstance(value, bool) or not (
            isinstance(value, type(default)) or (isinstance(default, float) and isinstance(value, int))
        ):
            raise InputError(f"{where}.{name} must be {type(default).__name__}; got {value!r}")
    values = {
        name: _finite(f"{where}.{name}", value) if isinstance(known[name].default, float) else value
        for name, value in given.items()
    }
    return config_type(**values)


def _finite(name: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} must be finite; got {number}")
    return number
