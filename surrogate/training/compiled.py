"""`torch.compile` for training, where this machine can: an option, since it needs a C++ compiler (or Triton)."""

import os
import shutil

import torch
from torch import nn


def compiler() -> str | None:
    """The C++ compiler that `torch.compile` takes on a CPU: $CXX, g++ or clang++."""
    names = (os.environ.get("CXX"), "g++", "clang++")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def compile_in_place(model: nn.Module, device: str) -> str | None:
    """Compile `model` (its weights and their names stay what they are), or say in a line why it stays as it is.

    Parameters
    ----------
    model : nn.Module
    device : str
        What it will run on; a small function is compiled there first, to find what is missing before training.

    Returns
    -------
    str or None
        Why nothing was compiled; None where it was.
    """
    if device == "cpu" and compiler() is None:
        return "not compiled: torch.compile needs a C++ compiler (g++ or clang++), and there is none on the PATH"
    try:
        torch.compile(_probe)(torch.ones(8, device=device))
    except Exception as error:  # a broken tool chain can fail anyhow
        first_line = str(error).strip().partition("\n")[0]
        return f"not compiled: torch.compile fails here ({type(error).__name__}: {first_line[:120]})"
    model.compile()
    return None


def _probe(x: torch.Tensor) -> torch.Tensor:
    return (x.sin() + 1).sum()
