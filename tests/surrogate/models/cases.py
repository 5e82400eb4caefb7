"""Every model of the registry and its variants, drawn states, and how far a symmetry is from holding."""

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.rotations import random_orthogonal
from surrogate.models import MODELS
from surrogate.models.base import SurrogateModel, config_from_dict

VARIANTS = {
    "egnn-recurrent-form": ("egnn", {"velocity": "recurrent"}),
    "egnn-no-velocity": ("egnn", {"velocity": "none"}),
    "egnn-velocity-head": ("egnn", {"velocity_head": True}),
    "egnn-inferred-edges": ("egnn", {"infer_edges": True}),
    "egnn-gated-coordinates": ("egnn", {"infer_edges": True, "gate_coordinates": True}),
    "schnet-strict": ("schnet", {"edge_invariants": False}),
    "schnet-energy": ("schnet", {"head": "energy"}),
    "edge-cloud-nonlinear": ("edge-cloud", {"message": "nonlinear"}),
    "gnn-velocity-head": ("gnn", {"velocity_head": True}),
    "seconv-linear": ("segnn", {"message": "linear", "channels": 40}),
    "seconv-nonlinear": ("segnn", {"message": "nonlinear"}),
    "se3-transformer-reference": (
        "se3-transformer",
        {"form": "reference", "channels": 4, "layers": 2, "degree": 2},
    ),
    "tfn-reference": ("tfn", {"form": "reference"}),
    "ponita": ("ponita", {"layer_scale": 100.0}),  # at the published 1e-6 its blocks do nothing yet
}
SMALLER = {"ponita": {"hidden": 32, "basis": 32, "layers": 2}}
"""Cases that are trained at another size, where their own takes long."""
CASES = {**{name: (name, {}) for name in MODELS}, **VARIANTS}
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}
"""Relative to the size of the output: rounding through some 50 layers of sums, with two digits to spare."""
BROKEN = 1e-3
"""What a model without a symmetry must exceed, so that passing means something."""

HOLDS = {
    "E(n)": {"rotation", "reflection", "translation"},
    "E(3)": {"rotation", "reflection", "translation"},
    "SE(3)": {"rotation", "translation"},
    "T(n)": {"translation"},
    "Sym": set(),
}
"""By group, the transformations of space that change nothing; of the others a model must fail every one."""
CENTRED = ("egnn-recurrent", "cgenn", "egno", "gnn+", "segnn")
"""Models whose particles see the centroid of their system."""
MOST_DIMS = {"cgenn": 5}
"""Models whose configuration takes no more dimensions."""

cases = pytest.mark.parametrize("case", CASES)
turning = pytest.mark.parametrize("case", [c for c in CASES if "rotation" in HOLDS[MODELS[CASES[c][0]].group]])
any_dimension = pytest.mark.parametrize("case", [c for c in CASES if MODELS[CASES[c][0]].group == "E(n)"])
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def made(case: str, n: int = 3, seed: int = 0, **more: float) -> SurrogateModel:
    name, changes = CASES[case]
    config_type = MODELS[name].Config
    settings = {**changes, **more}
    if MODELS[name].dims == "config":
        settings["dims"] = n
    torch.manual_seed(seed)
    return MODELS[name](config_from_dict(config_type, settings, "model"))


def states(n: int = 3, particles: int = 5, systems: int = 3, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    rng = np.random.default_rng([n, particles, systems])
    x, v = rng.standard_normal((2, systems, particles, n))
    q = rng.choice([-1.0, 1.0], (systems, particles))
    return [torch.as_tensor(a, dtype=dtype) for a in (x, v, q)]


def awake(model: SurrogateModel, n: int = 3) -> SurrogateModel:
    """The model with its near-zero weights redrawn, so that its output depends on everything it has."""
    torch.manual_seed(1)
    small = [p for p in model.parameters() if p.numel() > 1 and float(p.detach().square().mean().sqrt()) < 0.02]
    for p in small:
        torch.nn.init.normal_(p, std=0.5 / p.shape[-1] ** 0.5)
    x, v, q = states(n, dtype=torch.float32)
    with torch.no_grad():
        for _ in range(8):
            moved = float((model(x, v, q)[0] - x).square().mean().sqrt())
            if moved > 0.2:
                break
            for p in small:
                p.mul_(2)
    assert 0.05 < moved < 50
    return model


def trained(model: SurrogateModel, n: int = 3) -> SurrogateModel:
    """The model after 20 steps toward positions and velocities nobody asked for."""
    x, v, q = states(n, dtype=torch.float32)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    forward = model.for_training().forward
    for _ in range(20):
        forecast, velocities = forward(x, v, q)
        loss = (forecast - x - 0.5 * v + 0.3 * x**3).square().mean()
        if velocities is not None:
            loss = loss + (velocities + x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def outputs(model: SurrogateModel, x: Tensor, v: Tensor, q: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return [o for o in model(x, v, q) if o is not None]


def distance(a: list[Tensor], b: list[Tensor]) -> float:
    """Largest difference, relative to the size of the outputs."""
    assert len(a) == len(b)
    return max(float((s - t).abs().max() / t.abs().max().clamp(min=1)) for s, t in zip(a, b, strict=True))


def turning_error(model: SurrogateModel, matrix: np.ndarray, *state: Tensor) -> float:
    x, v, q = state
    turn = torch.as_tensor(matrix, dtype=x.dtype)
    return distance(outputs(model, x @ turn.T, v @ turn.T, q), [o @ turn.T for o in outputs(model, x, v, q)])


def shifting_error(model: SurrogateModel, *state: Tensor) -> float:
    x, v, q = state
    n = x.shape[-1]
    shift = torch.tensor([2.0, 0.0, -1.0, 0.5, 1.5, 0.3, -2.0, 1.0][:n], dtype=x.dtype)
    there = outputs(model, x + shift, v, q)
    there[0] = there[0] - shift
    return distance(there, outputs(model, x, v, q))


def symmetry_errors(model: SurrogateModel, *state: Tensor) -> dict[str, float]:
    """By transformation, how far the model is from commuting with one of it."""
    n = state[0].shape[-1]
    turns = {"rotation": rotation(n), "reflection": reflection(n)}
    return {
        **{name: turning_error(model, matrix, *state) for name, matrix in turns.items()},
        "translation": shifting_error(model, *state),
    }


def reflection(n: int) -> np.ndarray:
    return np.diag([-1.0] + [1.0] * (n - 1))


def rotation(n: int, seed: int = 5) -> np.ndarray:
    matrix = random_orthogonal(n, np.random.default_rng(seed))
    return matrix if np.linalg.det(matrix) > 0 else matrix @ reflection(n)
