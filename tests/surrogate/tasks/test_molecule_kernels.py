"""Fused kernels of molecules: gradients of the layers, threads, resumed trainings, what is not fused."""

import copy
from pathlib import Path

import pytest
import torch

from resources import ROOT
from surrogate.models.egnn.cpu.weighed_messages import (
    MOST_PARTS,
    PART_EDGES,
    off_diagonal,
    padded_rows,
    weighed_messages,
)
from surrogate.models.egnn.model import EGCL
from surrogate.tasks.molecules.networks import INPUTS, EGNNProperties, PropertyConfig
from surrogate.train import main as train
from surrogate.training.state import Trainer
from tests.surrogate.helpers import command

SAMPLE = ROOT / "examples" / "qm9-sample.npz"
CLOSE = 3e-5
"""Relative to the largest number of each weight's gradient, which is a sum over edges with terms of both signs."""
PROPERTIES = 1e-5
ATOMS = [(2, 3), (7, 5), (18, 9), (1, 4), (18, 60)]
"""Of a molecule, and molecules: tiles of one and of several receivers, none, parts of a batch."""


def made(hidden: int, basis: int, layers: int = 2) -> EGNNProperties:
    torch.manual_seed(0)
    network = EGNNProperties(PropertyConfig(hidden, layers, "alpha,mu", basis))
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(1.5)
    return network


def molecules(n: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.rand(count, n, INPUTS), 2 * torch.randn(count, n, 3)


def gradients(network: EGNNProperties, found: torch.Tensor) -> list[torch.Tensor]:
    weights = torch.linspace(-1, 1, found.numel(), dtype=found.dtype).view(found.shape)
    loss = ((found - weights).square() * (1 + weights)).sum()
    grads = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(network.parameters(), grads, strict=True)]


def far(found: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    return max(
        float((a.double() - b.double()).abs().max() / b.abs().max().clamp(min=1e-12))
        for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize(("hidden", "basis"), [(64, 0), (64, 16), (128, 5)])
@pytest.mark.parametrize(("n", "count"), ATOMS)
def test_properties_and_gradients_are_the_layers(hidden: int, basis: int, n: int, count: int) -> None:
    network, (atoms, positions) = made(hidden, basis), molecules(n, count)
    accelerated = network.for_training()
    assert accelerated.description == "fused float32 kernels"
    properties = accelerated.forward(atoms, positions)
    exact = copy.deepcopy(network).double()
    expected = exact(atoms.double(), positions.double())
    assert far([properties.detach()], [expected.detach()]) < PROPERTIES
    found = gradients(network, properties)
    assert far(found, gradients(exact, expected)) < CLOSE
    with torch.no_grad():  # does it bite?
        exact.of_atoms[0].bias[0] += 0.01
    assert far(found, gradients(exact, exact(atoms.double(), positions.double()))) > CLOSE
    with torch.no_grad():
        assert torch.equal(network.for_inference().forward(atoms, positions), properties)


def test_threads_change_no_bit() -> None:
    assert MOST_PARTS * PART_EDGES < 60 * 18 * 17
    torch.manual_seed(0)
    p, s, weights = torch.randn(60, 18, 64), torch.randn(60, 18, 64), made(64, 4).layers[0]
    assert isinstance(weights, EGCL)
    assert weights.phi_inf is not None
    scalars = padded_rows(torch.rand(60 * 18 * 17, 5))
    given = [weights.edge_in.weight[:, 128:], *weights.edge_out.parameters(), *weights.phi_inf.parameters()]
    found: list[list[torch.Tensor]] = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            sums = weighed_messages(p.requires_grad_(), s.requires_grad_(), scalars, *given)
            found.append([sums, *torch.autograd.grad(sums.square().sum(), [p, s, *given])])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) and torch.equal(a, c) for a, b, c in zip(*found, strict=True))


def test_pairs_are_those_of_different_atoms_in_order() -> None:
    values = torch.arange(18.0).view(2, 3, 3, 1)
    assert off_diagonal(values)[:, 0].tolist() == [1, 2, 3, 5, 6, 7, 10, 11, 12, 14, 15, 16]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (made(8, 0), "multiples of 64 features"),
        (made(64, 0).double(), "float64 on cpu"),
        (made(320, 0, 1), "to 256"),
    ],
)
def test_what_is_not_fused_says_why(network: EGNNProperties, said: str) -> None:
    accelerated = network.for_training()
    assert accelerated.forward is network
    assert said in accelerated.description


def test_stopped_and_resumed_it_ends_with_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("--config", "egnn-qm9-alpha", "--data", str(SAMPLE), "--device", "cpu", "--out", "run")
    run = (*run, "--set", "model.layers=1", "train.epochs=3", "train.batch_size=16", "data.valid_molecules=20")
    real, calls = Trainer.loss, 0

    def interrupted(self: Trainer, batch: object) -> torch.Tensor:
        nonlocal calls
        assert self.accelerated.description == "fused float32 kernels"
        calls += 1
        if calls == 40:
            raise KeyboardInterrupt
        return real(self, batch)

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    assert command(train, capsys, *run)[0] == 0
    monkeypatch.chdir(tmp_path / "cut")
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "loss", interrupted)
        assert command(train, capsys, *run)[0] != 0
    assert command(train, capsys, *run, "--resume")[0] == 0
    for file in ("metrics.csv", "best/checkpoint.safetensors"):
        assert (tmp_path / "whole/run" / file).read_bytes() == (tmp_path / "cut/run" / file).read_bytes()
