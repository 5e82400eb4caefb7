"""Arrays and tensors as users give them, checked and made tensors of one kind."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from physics.errors import InputError
from physics.fields import Fields
from physics.types import FloatArray
from surrogate.tasks.dynamics.windows import FIELDS

SYMMETRY = {"magnetic_field": -1.0, "edges": 1.0}
ROUNDING = 1e-5
"""Asymmetry below this share of the largest entry is that of a rotation in float32."""


def real_tensor(name: str, values: Any) -> Tensor:
    """Real, finite numbers as a tensor: float32 and float64 as they are, everything else as float64.

    Raises
    ------
    InputError
        For what is none, with the place of the first number that is not finite.
    """
    if isinstance(values, Tensor):
        tensor = values
    else:
        try:
            array = np.array(values)
        except (TypeError, ValueError):
            array = np.array(None)
        if array.dtype.kind not in "fiub":
            raise InputError(f"{name} must be real numbers; got {type(values).__name__} of {array.dtype}")
        # astype also brings foreign byte orders and long doubles to what PyTorch takes
        single = array.dtype.kind == "f" and array.dtype.itemsize == 4
        tensor = torch.from_numpy(array.astype(np.float32 if single else np.float64))
    if tensor.dtype not in (torch.float32, torch.float64):
        if tensor.is_complex():
            raise InputError(f"{name} must be real numbers; got {tensor.dtype}")
        tensor = tensor.to(torch.float64)
    if tensor.numel() == 0:
        raise InputError(f"{name} must not be empty; got shape {tuple(tensor.shape)}")
    if not bool(torch.isfinite(tensor.detach()).all()):
        where = tuple(torch.nonzero(~torch.isfinite(tensor.detach()))[0].tolist())
        raise InputError(f"{name} must be finite; got {float(tensor[where])} at index {where}")
    return tensor


def particle_tensor(name: str, values: Any, x: Tensor) -> Tensor:
    """One number a particle, (samples, N) like positions `x` (samples, N, n), from (samples, N) or (N,)."""
    tensor = real_tensor(name, values).to(x)
    shape = (x.shape[0], x.shape[1])
    if tensor.shape == shape[1:]:
        tensor = tensor.expand(shape)
    if tensor.shape != shape:
        raise InputError(f"{name} must be {shape} or {shape[1:]}; got shape {tuple(tensor.shape)}")
    return tensor


class Asked(NamedTuple):
    """States of which forecasts are asked.

    Attributes
    ----------
    x, v : (samples, N, n) tensor
    q : (samples, N) tensor
    m : (samples, N) tensor or None
    single : bool
        Whether one system was given, without an axis of samples.
    as_tensor : bool
        Whether positions were a tensor.
    """

    x: Tensor
    v: Tensor
    q: Tensor
    m: Tensor | None
    single: bool
    as_tensor: bool

    @property
    def state(self) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """What networks take."""
        return self.x, self.v, self.q, self.m


def asked_states(positions: Any, velocities: Any, charges: Any, masses: Any = None) -> Asked:
    """The states that users give, of one system or of samples.

    Raises
    ------
    InputError
        For what is no number, not finite, or of another shape.
    """
    x = real_tensor("positions", positions)
    if x.ndim not in (2, 3):
        raise InputError(f"positions must be (samples, N, n) or (N, n); got shape {tuple(x.shape)}")
    v = real_tensor("velocities", velocities).to(x)
    if v.shape != x.shape:
        raise InputError(f"velocities must be {tuple(x.shape)} as positions; got shape {tuple(v.shape)}")
    single = x.ndim == 2
    x, v = (x[None], v[None]) if single else (x, v)
    q = particle_tensor("charges", charges, x)
    m = None if masses is None else particle_tensor("masses", masses, x)
    return Asked(x, v, q, m, single, isinstance(positions, Tensor))


def given_shape(name: str, samples: int, n_particles: int, n_dims: int) -> tuple[int, ...]:
    """The shape of a given array, its first axis the samples."""
    shapes: dict[str, tuple[int, ...]] = {
        "species": (n_particles,),
        "edges": (n_particles, n_particles),
        "uniform_field": (n_dims,),
        "magnetic_field": (n_dims, n_dims),
        "box": (n_dims,),
    }
    return (samples, *shapes[name])


def given_tensors(takes: Sequence[str], values: Mapping[str, Any], x: Tensor, model: str) -> dict[str, Tensor]:
    """The arrays that a model takes beside the state, (samples, ...) like positions `x`.

    Parameters
    ----------
    takes : sequence of str
        What the model takes, of :data:`surrogate.models.base.GIVEN`.
    values : mapping
        What the user gives, of all samples or one for all; None is nothing.
    x : (samples, N, n) tensor
    model : str
        Its name, for messages.

    Raises
    ------
    InputError
        For an array that the model does not take, one that it needs and is not given, or a wrong shape.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for name in given:
        if name not in takes:
            taken = f"it takes {', '.join(takes)}" if takes else "it takes none"
            raise InputError(f"model {model!r} does not see {name}; {taken}")
    refuse_missing(takes, tuple(given), model)
    found = {}
    for name in takes:
        shape = given_shape(name, *x.shape)
        tensor = real_tensor(name, given[name]).to(x) if name in given else x.new_zeros(shape)
        tensor = tensor.expand(shape) if tensor.shape == shape[1:] else tensor
        if tensor.shape != shape:
            raise InputError(f"{name} must be {shape} or {shape[1:]}; got shape {tuple(tensor.shape)}")
        if name in SYMMETRY:
            sign = SYMMETRY[name]
            if bool((tensor - sign * tensor.mT).abs().max() > ROUNDING * tensor.abs().max()):
                kind = "symmetric" if sign > 0 else "antisymmetric"
                raise InputError(f"{name} must be {kind} in its last two axes")
            tensor = 0.5 * (tensor + sign * tensor.mT)
        found[name] = tensor
    return found


def refuse_missing(takes: Sequence[str], given: Sequence[str], model: str) -> None:
    """Refuse to forecast without what the model needs: species, edges, one at least of its fields; not a box."""
    missing = [name for name in takes if name not in given and name != "box"]
    if any(name in FIELDS for name in given):
        missing = [name for name in missing if name not in FIELDS]
    if missing:
        joined = " or ".join(missing) if set(missing) <= set(FIELDS) else " and ".join(missing)
        raise InputError(f"model {model!r} needs {joined}; none given")


def turned_given(given: Mapping[str, FloatArray], matrix: FloatArray) -> dict[str, FloatArray]:
    """Given arrays as seen after every position x became matrix @ x: fields turn along."""
    turned = dict(given)
    if "uniform_field" in turned:
        turned["uniform_field"] = turned["uniform_field"] @ matrix.T
    if "magnetic_field" in turned:
        b = matrix @ turned["magnetic_field"] @ matrix.T
        turned["magnetic_field"] = 0.5 * (b - b.swapaxes(-1, -2))  # antisymmetric to the last digit
    return turned


def system_fields(fields: Fields, n_dims: int) -> dict[str, FloatArray]:
    """The fields of a simulated system as arrays that come with data: the electric one is the uniform field."""
    there = fields.padded(n_dims)
    uniform = there.electric if there.electric.size else np.zeros(n_dims)
    magnetic = there.magnetic if there.magnetic.size else np.zeros((n_dims, n_dims))
    return {"uniform_field": uniform, "magnetic_field": magnetic}


def refuse_masses(masses: Tensor) -> None:
    """Refuse masses of 0 and below: a law's simulation takes test particles, a model does not."""
    if not bool((masses > 0).all()):
        raise InputError(f"masses must be positive for a model; got {float(masses.min()):g}")
