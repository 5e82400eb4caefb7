"""The contract every model keeps, and the edge layout the message-passing ones share.

A model maps positions x (B, N, n), velocities v (B, N, n) and charges q (B, N) to the positions (and, where
it gives them, velocities) one horizon later. Everything else (units, dtypes, shapes users pass) is the
business of :mod:`surrogate.inference.forecaster`.
"""

import math
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from physics.errors import InputError, unknown_name
from surrogate.nn import dense
from surrogate.nn.dense import Dense


class SurrogateModel(nn.Module):
    """Base of all models.

    Attributes
    ----------
    group : str
        The transformations it commutes with: "E(n)", or "Sym" (permutations only).
    dims : int or None
        The one dimension its weights are for; None runs in any.
    gives_velocity : bool
        Whether forward returns velocities.
    uses_masses : bool
    chooses_evaluations : bool
        Whether forward takes `evaluations`, the number of message rounds.
    any_horizon : bool
        Whether forward takes any horizon; otherwise the one it was trained on.
    centres : bool
        Whether inputs may be moved to their centroid before the cast (translation equivariance).
    evaluations : int
        Message rounds in one forward pass (contract.md); per unit of time for models of any horizon.
    skip_velocity_head : bool
        Set while positions are trained, to save the head's work.
    """

    Config: ClassVar[type]
    group: str = "E(n)"
    dims: int | None = None
    gives_velocity: bool = False
    uses_masses: bool = False
    chooses_evaluations: bool = False
    any_horizon: bool = False
    centres: bool = True
    evaluations: int = 0
    skip_velocity_head: bool = False

    def forward(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Positions (B, N, n) and velocities (or None) one horizon later; inputs are left unchanged."""
        raise NotImplementedError

    def frozen(self) -> Callable[..., tuple[Tensor, Tensor | None]]:
        """What forecasts as this model does now, without asking whether it has changed.

        For owners who change it no more: some models give a copy, others themselves.
        """
        return self

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


class Mlp(nn.Sequential):
    """Dense layers with SiLU between them; shorter ways where no gradient and no hook is wanted."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., out) from (..., in)."""
        given = x
        short = not torch.is_grad_enabled()
        for layer in self._modules.values():
            assert layer is not None
            if not short or layer._forward_hooks or layer._forward_pre_hooks:
                x, short = layer(x), False
            elif type(layer) is Dense:
                x = dense.linear(x, **layer._parameters)  # type: ignore[arg-type]
            elif type(layer) is nn.SiLU:
                x = nn.functional.silu(x, inplace=x is not given)
            else:
                x = layer(x)
        return x


def mlp(*sizes: int, bias: bool = True) -> Mlp:
    """Linear layers of the given widths with SiLU between them; `bias` is that of the last one."""
    layers: list[nn.Module] = []
    for index, (a, b) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        layers.append(Dense(a, b, bias=bias or not last))
        if not last:
            layers.append(nn.SiLU())
    return Mlp(*layers)


MANY_SENDERS = 64
"""With more, senders are a view and not a stack of as many slices."""


def senders(values: Tensor, first: int = 0, last: int | None = None) -> Tensor:
    """For receivers i of first..last-1 (all of them by default) their N - 1 senders j = (i + 1 + s) mod N.

    Parameters
    ----------
    values : (B, N, F) tensor
    first, last : int

    Returns
    -------
    (N - 1, B, last - first, F) tensor
        Entry [s, b, i - first] is values[b, (i + 1 + s) mod N]. Sums over senders are sums over s: no scatter.
    """
    n_systems, n, width = values.shape
    last = n if last is None else last
    if n - 1 <= MANY_SENDERS and values.is_cpu and not torch.compiler.is_compiling():
        index = _sender_index(n_systems, n, first, last)
        return values.flatten(0, 1).index_select(0, index).view(n - 1, n_systems, last - first, width)
    twice = torch.cat([values, values], dim=1)
    if n - 1 > MANY_SENDERS:
        return twice[:, first + 1 : last + n - 1].unfold(1, last - first, 1).permute(1, 0, 3, 2)
    return torch.stack([twice[:, first + s : last + s] for s in range(1, n)])


@lru_cache(maxsize=32)
def _sender_index(n_systems: int, n: int, first: int, last: int) -> Tensor:
    """Where the senders are among all particles of a batch: one gather instead of N - 1 slices.

    On a GPU the gather's gradient would add up in no fixed order.
    """
    with torch.inference_mode(False):  # what is kept from there could not be used in training
        s, i = torch.arange(1, n, device="cpu").view(-1, 1, 1), torch.arange(first, last, device="cpu")
        return (torch.arange(n_systems, device="cpu").view(-1, 1) * n + (i + s) % n).flatten()


def shares(linear: nn.Linear, h: Tensor) -> tuple[Tensor, Tensor]:
    """What receivers (with the bias) and senders give to a first edge layer on [h_i, h_j, scalars].

    The map is split into its receiver, sender and scalar parts, so that the products with h are taken per node and
    not per edge.

    Parameters
    ----------
    linear : nn.Linear
        From 2 F + scalars numbers.
    h : (B, N, F) tensor

    Returns
    -------
    two (B, N, width) tensors
    """
    width = h.shape[-1]
    weight = linear.weight
    both = torch.cat([weight[:, :width], weight[:, width : 2 * width]])
    p, s = dense.linear(h, both).chunk(2, dim=-1)
    return p + linear.bias, s


def pair_sums(p: Tensor, s: Tensor, first: int = 0, last: int | None = None) -> Tensor:
    """p_i + s_j of receivers i of first..last-1 and their :func:`senders` j, in an array that is nobody else's.

    Parameters
    ----------
    p, s : (B, N, width) tensor
        Of :func:`shares`.
    first, last : int

    Returns
    -------
    (N - 1, B, last - first, width) tensor
    """
    given, taken = senders(s, first, last), p[:, first:last]
    if p.shape[1] - 1 > MANY_SENDERS or dense.transformed():
        return given + taken
    return given.add_(taken)


def first_edge_layer(linear: nn.Linear, summed: Tensor, scalars: Tensor) -> Tensor:
    """`linear` of [h_i, h_j, scalars] from the :func:`pair_sums` of h, which are written over.

    Parameters
    ----------
    linear : nn.Linear
    summed : (N - 1, B, rows, width) tensor
    scalars : (N - 1, B, rows, scalars) tensor

    Returns
    -------
    (N - 1, B, rows, width) tensor
    """
    w_s = linear.weight[:, -scalars.shape[-1] :]
    # the copy has autograd form the weights' gradient as scalars^T g, a quarter of the time of g^T scalars
    rows, w_s = scalars.flatten(0, 2), w_s.T.contiguous()
    if dense.transformed() or torch.is_autocast_enabled(summed.device.type):
        return torch.addmm(summed.flatten(0, 2), rows, w_s).view(summed.shape)
    return summed.flatten(0, 2).addmm_(rows, w_s).view(summed.shape)
