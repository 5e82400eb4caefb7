"""What public implementations made of our weights: small stored arrays, and the rule that the weights follow."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

AnyModule = TypeVar("AnyModule", bound=nn.Module)
DATA = Path(__file__).parent / "data"


def with_ruled_weights(model: AnyModule) -> AnyModule:
    """The model in float64; the k-th number of its p-th parameter is sin(k + p) / sqrt(inputs)."""
    model.double()
    with torch.no_grad():
        for number, p in enumerate(model.parameters()):
            index = torch.arange(p.numel(), dtype=torch.float64).view(p.shape)
            p.copy_(torch.sin(index + number) / p.shape[-1] ** 0.5)
    return model


def stored(name: str) -> dict[str, Tensor]:
    """Inputs x, v, q and what the public code made of them."""
    with np.load(DATA / f"{name}.npz") as arrays:
        return {key: torch.as_tensor(values) for key, values in arrays.items()}
