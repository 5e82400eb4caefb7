"""Tensor field network: equal to the published code with the same weights, and to kernels that are formed."""

import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.models.tfn import TFN, TFNConfig
from surrogate.nn.edges import AllPairs
from surrogate.nn.steerable.clebsch_gordan import clebsch_gordan
from surrogate.nn.steerable.convolution import Convolution, EdgeInputs
from surrogate.nn.steerable.irreps import natural_irreps
from tests.surrogate.models.cases import BROKEN, awake, made, outputs, reflection, rotation, states, turning_error
from tests.surrogate.models.public_code import stored, with_ruled_weights


def test_equals_the_published_code() -> None:
    """The TFN of the EGNN paper's benchmark, its kernels in float64."""
    found = stored("tfn")
    (x_hat,) = outputs(with_ruled_weights(TFN(TFNConfig(form="reference"))), found["x"], found["v"], found["q"])
    assert float((found["x_hat"] - found["x"]).abs().max()) > 0.5
    assert float((x_hat - found["x_hat"]).abs().max()) < 1e-8


def convolution(degree: int, reference: bool) -> Convolution:
    torch.manual_seed(0)
    kind = natural_irreps(3, degree)
    layer = Convolution(kind, kind, scalars=1, width=8, reference=reference).double()
    for p in layer.parameters():
        torch.nn.init.normal_(p)
    return layer


@pytest.mark.parametrize("degree", [1, 2])
def test_a_convolution_is_the_mean_of_kernels_that_are_formed(degree: int) -> None:
    layer, kind = convolution(degree, reference=False), natural_irreps(3, degree)
    x, _, q = states(particles=4, systems=1)
    edges, inputs = AllPairs.of(x), EdgeInputs(2 * degree, charges=False)
    values = inputs.of(x, q.unsqueeze(-1), edges)
    f = tuple(torch.randn(1, 4, b.width, dtype=torch.float64) for b in kind)
    made_by_layer = layer(f, values, edges)
    scalars, harmonics = values(edges)
    (g,) = layer.radial(scalars)
    sent, own = [edges.at_senders(block) for block in f], layer.own(f)
    for d, n in layer.paths.groups:
        weights = layer.weights.weights[d].view(n, 3, 9, 3)
        total, path = torch.zeros(3, 1, 4, 2 * d + 1, 3, dtype=torch.float64), 0
        for k in range(degree + 1):
            for j in range(abs(k - d), k + d + 1):
                if (k + j + d) % 2:
                    continue
                c = torch.tensor(clebsch_gordan(k, j, d))
                y = harmonics[..., j**2 : (j + 1) ** 2]
                radial = torch.einsum("chm,sbih->sbicm", weights[path], g)
                values_k = sent[k].view(3, 1, 4, 2 * k + 1, 3)
                total += torch.einsum("sbicm,kjl,sbij,sbikc->sbilm", radial, c, y, values_k)
                path += 1
        assert path == n
        formed = total.mean(0).flatten(-2) / (3 * n) ** 0.5 + own[d]
        assert torch.allclose(formed, made_by_layer[d])


def test_kernels_keep_variances() -> None:
    layer = convolution(1, reference=False)
    r, kind = torch.randn(1, 2, 3, dtype=torch.float64), natural_irreps(3, 1)
    edges, square = AllPairs.of(r), []
    _, harmonics = EdgeInputs(2, charges=False)(r, torch.ones(1, 2, 1), edges)
    for _ in range(500):
        f = tuple(torch.randn(1, 2, b.width, dtype=torch.float64) for b in kind)
        coupled = layer.paths(f, harmonics, edges)
        square.append([float(x.square().sum(-1).mean()) for x in coupled])
    scalars, vectors = torch.tensor(square).mean(0)
    assert scalars == pytest.approx(1, rel=0.1)
    assert vectors / 3 == pytest.approx(1, rel=0.1)


def test_components_in_another_order_fail() -> None:
    class Permuted(torch.nn.Module):
        inner = awake(made("tfn")).double()

        def forward(self, x: Tensor, v: Tensor, q: Tensor) -> tuple[Tensor, Tensor | None]:
            return self.inner(x, v[..., [1, 2, 0]], q)

    model = Permuted()
    assert turning_error(model.inner, rotation(3), *states()) < 1e-10
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_what_breaks_reflections_in_the_reference_is_the_cross_product() -> None:
    model, mirror = awake(made("tfn-reference")).double(), reflection(3)
    assert turning_error(model, mirror, *states()) > BROKEN
    for layer in model.layers:
        with torch.no_grad():  # of the last group, from vectors to vectors by J = 0, 1, 2
            layer.weights.weights[-1].view(3, -1)[1].zero_()
    assert turning_error(model, mirror, *states()) < 1e-10


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(InputError, match="form"):
        TFN(TFNConfig(form="other"))
