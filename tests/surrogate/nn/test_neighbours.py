"""Neighbour lists equal to comparing everybody with everybody and with all images."""

import itertools

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.nn.neighbours import neighbour_list


def compared(x, starts, cutoff, nearest, box):
    """(receiver, sender, image) of all edges, one by one."""
    found = set()
    for first, last, sides in zip(starts[:-1], starts[1:], box, strict=True):
        images = [range(-6, 7) if side else range(1) for side in sides]
        for i in range(first, last):
            candidates = []
            for j, image in itertools.product(range(first, last), itertools.product(*images)):
                distance = np.linalg.norm(x[i] - x[j] - np.array(image) * sides)
                if (i != j or any(image)) and distance <= cutoff:
                    candidates.append((distance, j, image))
            candidates.sort()
            found |= {(i, j, image) for _, j, image in candidates[: nearest or None]}
    return found


def listed(x, starts, **chosen):
    found = neighbour_list(x, np.asarray(starts), **chosen)
    assert (np.diff(found.receivers) >= 0).all()
    shifts = np.zeros((len(found.senders), x.shape[1])) if found.shifts is None else found.shifts
    edges = [
        (int(i), int(j), tuple(map(int, s)))
        for i, j, s in zip(found.receivers, found.senders, shifts, strict=True)
    ]
    assert len(set(edges)) == len(edges)
    return set(edges)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("cutoff", [0.3, 1.5, np.inf])
@pytest.mark.parametrize("nearest", [0, 3])
def test_open_systems_of_any_size(n, cutoff, nearest):
    rng = np.random.default_rng(n)
    starts = np.cumsum([0, 40, 0, 1, 7])
    x = rng.normal(size=(48, n)) * [3.0, *[0.5] * (n - 1)]
    expected = compared(x, starts, cutoff, nearest, np.zeros((4, n)))
    assert listed(x, starts, cutoff=cutoff, nearest=nearest) == expected
    assert expected or (n, cutoff) == (5, 0.3)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("cutoff", "nearest"), [(0.7, 0), (2.6, 0), (np.inf, 4), (1.1, 2)])
def test_periodic_boxes_also_smaller_than_the_cutoff(n, cutoff, nearest):
    rng = np.random.default_rng(10 + n)
    box = rng.uniform(1.0, 3.0, size=(2, n))
    box[1, 0] = 0.0  # open along one axis
    x, starts = rng.uniform(-2.0, 4.0, size=(8, n)), [0, 5, 8]
    expected = compared(x, starts, cutoff, nearest, box)
    assert listed(x, starts, cutoff=cutoff, nearest=nearest, box=box) == expected


def test_many_particles_and_a_far_one():
    x = np.random.default_rng(0).normal(size=(300, 2))
    x[7] = 1e6
    assert listed(x, [0, 300], nearest=5) == compared(x, [0, 300], np.inf, 5, np.zeros((1, 2)))


def test_bad_requests_are_refused():
    x, starts = np.zeros((2, 2)), np.array([0, 2])
    for chosen in ({"cutoff": 0.0}, {"cutoff": np.nan}, {"nearest": -1}, {"box": np.ones((1, 2))}):
        with pytest.raises(InputError):
            neighbour_list(x, starts, **chosen)
