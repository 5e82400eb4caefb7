"""Arrays and tensors as users give them, checked and made tensors of one kind."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from physics.errors import InputError


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
