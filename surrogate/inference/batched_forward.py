"""Forward passes in users' units: states centred, scaled, cast and cut into batches for a network, and back."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from surrogate.inference.adaptive_rounds import until_agreed
from surrogate.models.base import Accelerated, Forward, SurrogateModel
from surrogate.tasks.dynamics.scales import Scales

BATCH_EDGES = 400_000
"""Directed edges per forward pass: bounds the memory of large requests."""
FIRST_SHARE = 4
"""With a tolerance, the first forecast takes the usual number of evaluations divided by this."""
State = tuple[Tensor, Tensor, Tensor, Tensor | None]
"""Positions, velocities, charges and masses (or None)."""
Given = Mapping[str, Tensor]
NOTHING: Given = MappingProxyType({})


def samples_at_once(n_particles: int, least: int | None = None) -> int:
    """Samples of one forward pass, by their edges; of large systems one a thread of the kernels, or `least`."""
    fitting = BATCH_EDGES // max(n_particles * (n_particles - 1), 1)
    return max(fitting, torch.get_num_threads() if least is None else least)


@dataclass(frozen=True)
class Passed:
    """What the passes over some samples gave.

    Attributes
    ----------
    positions : (samples, N, n) tensor [length]
    velocities : (samples, N, n) tensor or None [length/time]
    evaluations : (samples,) int64 tensor
        Those of discarded forecasts included.
    force_evaluations : float or None
        Per pair, mean over samples, of models that sub-step close pairs.
    """

    positions: Tensor
    velocities: Tensor | None
    evaluations: Tensor
    force_evaluations: float | None


class Inner(NamedTuple):
    """States in a network's units.

    Attributes
    ----------
    state : State
    beside : mapping of str to tensor
    centre : (samples, 1, n) tensor [length]
        In users' units: what was taken off positions.
    """

    state: State
    beside: Given
    centre: Tensor


class Passes:
    """A network in each precision it was asked for, run in users' units.

    Parameters
    ----------
    model : SurrogateModel
        Of float32; its weights are not trained any more.
    scales : Scales
        The units the network was trained in.
    device : torch.device
    """

    def __init__(self, model: SurrogateModel, scales: Scales, device: torch.device) -> None:
        self.scales, self._device = scales, device
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self._models = {torch.float32: model.to(device).eval()}
        self._accelerated: dict[torch.dtype, Accelerated] = {}
        self._handed_out: set[torch.dtype] = set()

    def network(self, dtype: torch.dtype) -> SurrogateModel:
        """The network in float32 or float64 (converted once); passes follow what is done to it."""
        self._handed_out.add(dtype)
        return self._network(dtype)

    def _network(self, dtype: torch.dtype) -> SurrogateModel:
        if dtype not in self._models:
            self._models[dtype] = copy.deepcopy(self._models[torch.float32]).to(dtype)
        return self._models[dtype]

    def accelerated(self, dtype: torch.dtype) -> Accelerated:
        """What makes the passes in a precision: asked for once, or each time where the weights may change."""
        if dtype not in self._accelerated or dtype in self._handed_out:
            self._accelerated[dtype] = self._network(dtype).for_inference()
        return self._accelerated[dtype]

    def run(
        self,
        state: State,
        dtype: torch.dtype,
        horizon: float,
        evaluations: int,
        tolerance: float | None = None,
        beside: Given = NOTHING,
    ) -> Passed:
        """The state one horizon later.

        Parameters
        ----------
        state : State
            Of any device and float dtype, (samples, N, n) and (samples, N); what comes back is like its positions.
        dtype : torch.dtype
            The network computes in it.
        horizon : float [time]
        evaluations : int
            Message rounds, for models that choose.
        tolerance : float, optional [length]
            Where set, each sample chooses its own number of evaluations, from a quarter of `evaluations` on.
        beside : mapping of str to (samples, ...) tensor
            What the model takes beside the state: see :data:`surrogate.models.base.GIVEN`.
        """
        model, accelerated = self._network(dtype), self.accelerated(dtype)
        plain = not accelerated.differentiable and is_differentiated((*state, *beside.values()))
        forward: Forward = model if plain else accelerated.forward
        length, time = self.scales.length, self.scales.time
        inner = self.inner(state, dtype, beside)
        x, v, q, m = inner.state
        share = samples_at_once(x.shape[1], 1 if forward is model else None)
        positions, velocities, spent, calls = [], [], [], 0.0
        for first in range(0, len(x), share):
            part = slice(first, first + share)
            batch = (x[part], v[part], q[part], None if m is None else m[part])
            more = {name: t[part] for name, t in inner.beside.items()}
            if tolerance is None:
                x_hat, v_hat, per_pair = self._pass(model, forward, batch, more, horizon / time, evaluations)
                taken = torch.full((len(x_hat),), evaluations)
            else:
                forecasts = partial(self._pass_of_rows, model, forward, batch, more, horizon / time)
                start = max(evaluations // FIRST_SHARE, 1)
                x_hat, v_hat, taken, per_pair = until_agreed(forecasts, len(batch[0]), start, tolerance / length)
            positions.append(x_hat)
            velocities.append(v_hat)
            spent.append(taken)
            calls += per_pair * len(x_hat)
        moving = [v_hat for v_hat in velocities if v_hat is not None]
        return Passed(
            *self.outer(torch.cat(positions), torch.cat(moving) if moving else None, inner.centre, state[0]),
            torch.cat(spent),
            calls / len(x) if hasattr(model, "force_evaluations") else None,
        )

    def inner(self, state: State, dtype: torch.dtype, beside: Given) -> Inner:
        """States in the network's units, precision and place."""
        scales, kind = self.scales, state[0].dtype
        if scales != Scales() and state[0].device.type != "mps":  # which has no double precision
            kind = torch.float64
        x, v, q = (t.to(kind) for t in state[:3])
        # With centring the network sees and returns displacements from the centroid.
        centre = x.mean(dim=1, keepdim=True) if self._models[torch.float32].centres else torch.zeros_like(x[:, :1])
        inner = ((x - centre) / scales.length).to(self._device, dtype)
        speed = (v * (scales.time / scales.length)).to(self._device, dtype)
        charge = (q / scales.charge).to(self._device, dtype)
        mass = None if state[3] is None else (state[3].to(kind) / scales.mass).to(self._device, dtype)
        given = {name: (t.to(x) / scales.unit_of(name)).to(self._device, dtype) for name, t in beside.items()}
        return Inner((inner, speed, charge, mass), given, centre)

    def outer(
        self, x_hat: Tensor, v_hat: Tensor | None, centre: Tensor, like: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Forecasts in users' units, like the positions they gave; `centre` is that of their :class:`Inner`."""
        length, speed = self.scales.length, self.scales.speed
        return (
            (x_hat.to(centre) * length + centre).to(like),
            None if v_hat is None else (v_hat.to(centre) * speed).to(like),
        )

    def _pass(
        self,
        model: SurrogateModel,
        forward: Forward,
        state: State,
        given: Given,
        horizon: float,
        evaluations: int,
    ) -> tuple[Tensor, Tensor | None, float]:
        chosen = {"evaluations": evaluations} if model.chooses_evaluations else {}
        x, v, q, m = state
        x_hat, v_hat = forward(x, v, q, horizon, m, **chosen, **given)
        return x_hat, v_hat, float(getattr(model, "force_evaluations", 0.0))

    def _pass_of_rows(
        self,
        model: SurrogateModel,
        forward: Forward,
        state: State,
        given: Given,
        horizon: float,
        rows: Tensor,
        evaluations: int,
    ) -> tuple[Tensor, Tensor | None, float]:
        x, v, q, m = state
        at = rows.to(x.device)
        chosen = (x[at], v[at], q[at], None if m is None else m[at])
        more = {name: t[at] for name, t in given.items()}
        return self._pass(model, forward, chosen, more, horizon, evaluations)


def has_values(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers that can be looked at: not one that `torch.func` maps or differentiates."""
    return not torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def is_differentiated(state: Sequence[Tensor | None]) -> bool:
    """Whether what is made from a state is to be differentiated, or mapped by `torch.func`."""
    if forward_ad._current_level >= 0 or torch._C._functorch.maybe_current_level() is not None:
        return True
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in state)
