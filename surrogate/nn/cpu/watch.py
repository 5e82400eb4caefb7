"""Whether a network is still the one it was: the same modules, hooks and weights, told in microseconds.

What is made from weights (transposed copies, say) goes stale when they change, and nothing announces that. Asked
are the modules and parameters themselves (replaced ones), their addresses (`p.data = ...`, casts), their version
counters (everything written in place that autograd sees) and a sample of the numbers (optimisers and averages that
write through `.data` or NumPy views). Only a few numbers written past autograd can go unseen.
"""

from operator import attrgetter, is_
from typing import Any

import numpy as np
import torch
from numba import carray
from numpy.typing import NDArray
from torch import Tensor, nn

from physics.kernels.jit import kernel
from surrogate.nn.cpu.tiles import at_address

SAMPLE_STRIDE = 509
"""One in so many weights is looked at; of every tensor at least its first."""
_VERSION = attrgetter("_version")


@kernel
def same_bits(addresses: NDArray[np.int64], bits: NDArray[np.uint32]) -> bool:
    """Whether these addresses hold these 32 bits."""
    same = True
    for k in range(len(addresses)):
        same &= carray(at_address(addresses[k]), (1,), np.uint32)[0] == bits[k]
    return same


class Build:
    """What a network is made of: its modules, hooks and parameters (the objects, not their numbers).

    Parameters
    ----------
    model : nn.Module
        It is not kept alive, its parameters are.

    Attributes
    ----------
    weights : list of Parameter
    """

    def __init__(self, model: nn.Module) -> None:
        slots: list[tuple[dict[str, Any], str, object]] = []
        self._strange: list[dict[Any, Any]] = []  # hooks and buffers
        for module in model.modules():
            for held in (module._modules, module._parameters):
                slots += [(held, name, value) for name, value in held.items()]
            self._strange += [module._forward_hooks, module._forward_pre_hooks, module._buffers]
            self._strange += [module._backward_hooks, module._backward_pre_hooks]
        self._tables, self._names, self._held = zip(*slots, strict=True)
        self.weights = list(model.parameters())

    def unchanged(self) -> bool:
        """Whether it is made of the same objects still, without hooks and buffers."""
        return all(map(is_, map(dict.get, self._tables, self._names), self._held)) and not any(self._strange)


class Watch:
    """What a network was like when this was made.

    Parameters
    ----------
    model : nn.Module
        It is not kept alive, its weights are.

    Attributes
    ----------
    usable : bool
        Whether it has neither hooks nor buffers, and nothing but contiguous float32 parameters on the CPU.
    """

    def __init__(self, model: nn.Module) -> None:
        self._build = Build(model)
        self._weights = self._build.weights
        self.usable = self._build.unchanged() and all(
            weight.is_contiguous()
            and weight.dtype is torch.float32
            and weight.device.type == "cpu"
            and not weight.is_inference()  # these have no version counter
            for weight in self._weights
        )
        if self.usable:
            self._kept = [weight.detach().numpy().reshape(-1) for weight in self._weights]  # memory stays ours
            self._addresses = [weight.data_ptr() for weight in self._weights]
            self._versions = list(map(_VERSION, self._weights))
            pairs = zip(self._addresses, self._kept, strict=True)
            places = [np.arange(start, start + 4 * kept.size, 4 * SAMPLE_STRIDE) for start, kept in pairs]
            self._places = np.concatenate(places).astype(np.int64)
            self._bits = np.concatenate([kept[::SAMPLE_STRIDE] for kept in self._kept]).view(np.uint32)

    def unchanged(self) -> bool:
        """Whether everything is as it was (False for what was not usable)."""
        return (
            self.usable
            and self._build.unchanged()
            and list(map(Tensor.data_ptr, self._weights)) == self._addresses
            and list(map(_VERSION, self._weights)) == self._versions
            and same_bits(self._places, self._bits)
        )
