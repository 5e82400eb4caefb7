"""PONITA: equal to the published code, exact for the symmetries of its grid, approximate for all others."""

import copy
from itertools import permutations

import numpy as np
import pytest
import torch

from physics.errors import InputError
from physics.rotations import plane_rotation, random_rotation
from surrogate.models import MODELS
from surrogate.models.ponita.grids import orientations
from tests.surrogate.models.cases import (
    BROKEN,
    distance,
    outputs,
    reflection,
    rotation,
    states,
    turning_error,
)
from tests.surrogate.models.public_code import stored

LARGE = 30.0
"""A layer scale with which blocks move particles by as much as the velocities do, without any training."""


def ponita(**settings):
    """A small one whose blocks count from the start."""
    torch.manual_seed(0)
    sizes = {"hidden": 16, "basis": 16, "layers": 2, "layer_scale": LARGE}
    config = MODELS["ponita"].Config(**{**sizes, **settings})
    model = MODELS["ponita"](config).double()
    model.orientations.copy_(torch.tensor(orientations(config.grid, config.dims, config.orientations)))
    return model  # the grid in double precision too


def with_ruled_weights(model):
    """The k-th number of the p-th parameter is 2 sin(k^2 + p) / sqrt(inputs): of full rank; blocks count."""
    model.double()
    with torch.no_grad():
        for number, p in enumerate(model.parameters()):
            index = torch.arange(p.numel(), dtype=torch.float64).view(p.shape)
            p.copy_(2 * torch.sin(index**2 + number) / p.shape[-1] ** 0.5)
        for block in model.blocks:
            block.scale.mul_(10)
    return model


def rotation_error(model) -> float:
    """Root mean square of f(R x) - R f(x) of displacements, over theirs."""
    x, v, q = states(3, 5, 50)
    (here,) = outputs(model, x, v, q)
    errors = []
    for seed in range(4):
        turn = torch.as_tensor(random_rotation(3, np.random.default_rng(seed)))
        (there,) = outputs(model, x @ turn.T, v @ turn.T, q)
        errors.append((there - here @ turn.T).square().mean())
    return float((torch.stack(errors).mean() / (here - x).square().mean()).sqrt())


@pytest.mark.parametrize("cutoff", [0.0, 2.0])
def test_equals_the_published_code(cutoff):
    found = stored("ponita")
    model = with_ruled_weights(MODELS["ponita"](MODELS["ponita"].Config(cutoff=cutoff)))
    assert float((model.orientations - found["orientations"]).abs().max()) < 1e-6
    model.orientations.copy_(found["orientations"])
    (x_hat,) = outputs(model, found["x"], found["v"], found["q"])
    public = found["x_hat_cutoff" if cutoff else "x_hat"]
    assert float((public - found["x"]).abs().max()) > 0.05
    assert float((x_hat - public).abs().max()) < 1e-10


def icosahedral_rotations():
    """The 60 of them: an edge goes to any edge, either way round."""
    points = orientations("icosahedron", 3, 12)
    near = (points @ points.T > 0.4) & ~np.eye(12, dtype=bool)
    frames = []
    for i, j in permutations(range(12), 2):
        if near[i, j]:
            across = np.cross(points[i], points[j])
            frames.append(np.stack([points[i], points[j], across], axis=1))
    return [frame @ np.linalg.inv(frames[0]) for frame in frames]


def test_an_icosahedron_is_exact_for_its_rotations_and_the_inversion_and_for_no_other():
    model, state = ponita(grid="icosahedron"), states()
    group = icosahedral_rotations()
    assert len(group) == 60
    assert all(turning_error(model, turn, *state) < 1e-10 for turn in group)
    assert turning_error(model, -np.eye(3), *state) < 1e-10
    assert turning_error(model, rotation(3), *state) > BROKEN
    assert turning_error(ponita(), group[7], *state) > BROKEN


def test_a_circle_is_exact_for_rotations_by_its_angle_and_for_no_other():
    model, state = ponita(dims=2, orientations=5), states(2)
    assert turning_error(model, plane_rotation(2, 0, 1, 2 * np.pi / 5), *state) < 1e-10
    assert turning_error(model, reflection(2) @ plane_rotation(2, 0, 1, np.pi), *state) < 1e-10
    assert turning_error(model, plane_rotation(2, 0, 1, np.pi / 5), *state) > BROKEN


def test_more_orientations_are_closer_to_equivariance():
    errors = [rotation_error(ponita(orientations=count)) for count in (8, 16, 64)]
    assert errors[0] > 2 * errors[1] > 8 * errors[2] > 0


@pytest.mark.parametrize(("count", "energy"), [(4, 3.674235), (6, 9.985281), (12, 49.165253), (16, 92.911655)])
def test_the_grid_has_the_least_energy_known(count, energy):
    """Of charges on a sphere (Thomson's problem)."""
    points = orientations("repulsion", 3, count)
    assert np.allclose(np.linalg.norm(points, axis=1), 1)
    first, second = np.triu_indices(count, 1)
    assert (1 / np.linalg.norm(points[first] - points[second], axis=1)).sum() == pytest.approx(energy, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_other_dimensions_have_a_grid_too(n):
    model, (x, v, q) = ponita(dims=n), states(n)
    shift = torch.randn(n).double()
    (here,) = outputs(model, x, v, q)
    assert distance(outputs(model, x + shift, v, q), [here + shift]) < 1e-10
    assert distance([here], [x]) > BROKEN


def test_the_grid_belongs_to_the_weights():
    model, other, state = ponita(), ponita(), states()
    turn = torch.as_tensor(rotation(3))
    other.orientations.copy_(other.orientations @ turn.T)
    before = outputs(model, *state)
    assert distance(before, outputs(other, *state)) > BROKEN
    other.load_state_dict(model.state_dict())
    assert distance(before, outputs(other, *state)) == 0


def test_the_size_of_kernels_changes_little():
    """So that a forecast hardly depends on the published rescaling at the first batch, which there is none of."""
    model, state = ponita(), states()

    def rescaled(factor, columns):
        changed = copy.deepcopy(model)
        with torch.no_grad():
            for block in changed.blocks:
                block.kernel.weight[:, :columns].mul_(factor)
        return outputs(changed, *state)

    all_alike = distance(rescaled(300, 16), rescaled(30, 16))
    assert all_alike < 0.02 * distance(rescaled(300, 8), rescaled(30, 16))


def test_a_neighbour_leaves_smoothly():
    model = ponita(cutoff=2.0)
    x, v, q = (t.double() for t in (torch.zeros(3, 2, 3), torch.zeros(3, 2, 3), torch.ones(3, 2)))
    x[:, 1, 0] = torch.tensor([2.0 - 1e-3, 2.0 + 1e-3, 1.0])
    inside, outside, near = outputs(model, x, v, q)[0] - x
    assert float((inside - outside).abs().max()) < 1e-6
    assert float((near - outside).abs().max()) > BROKEN


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"grid": "cube"}, "got 'cube'"), ({"grid": "icosahedron", "dims": 2}, "n = 3; got model.dims = 2")],
)
def test_unknown_grids_are_refused(settings, said):
    with pytest.raises(InputError, match=said):
        ponita(**settings)
