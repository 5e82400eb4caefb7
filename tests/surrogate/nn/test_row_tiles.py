"""Row tiles change neither forecasts nor gradients, and keep memory from growing as the pairs."""

import pytest
import torch

from surrogate.nn import row_tiles
from surrogate.nn.edges import AllPairs
from tests.surrogate.models.cases import awake, distance, made, states

CASES = ("gnn-velocity-head", "egnn-velocity-head", "egnn-no-velocity", "egnn-recurrent", "segno")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("particles", [7, 70])
def test_tiles_change_nothing(case, particles, monkeypatch):
    model = awake(made(case)).double()
    state = states(3, particles, 1)

    def results():
        model.zero_grad()
        found = [o for o in model(*state) if o is not None]
        sum(o.square().mean() for o in found).backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        with torch.no_grad():
            return [o.detach() for o in found] + gradients, [o for o in model(*state) if o is not None]

    whole = results()
    tiles = []
    real = row_tiles.row_ranges
    monkeypatch.setattr(row_tiles, "WHOLE_EDGES", 0)
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 3 * (particles - 1)})

    def noted(*asked):
        tiles.append(real(*asked))
        return tiles[-1]

    monkeypatch.setattr(row_tiles, "row_ranges", noted)
    tiled = results()
    assert {last - first for ranges in tiles for first, last in ranges} == {3, 1}
    for a, b in zip(whole, tiled, strict=True):
        assert distance(a, b) < 1e-11


def test_a_tile_is_never_empty_and_small_batches_are_whole():
    def rows(n_systems, n):
        ranges = row_tiles.row_ranges(AllPairs(n_systems, n), torch.device("cpu"))
        assert [first for first, _ in ranges[1:]] == [last for _, last in ranges[:-1]]
        assert (ranges[0][0], ranges[-1][1]) == (0, n)
        return ranges[0][1]

    assert rows(100, 5) == 5
    with torch.no_grad():
        assert rows(100, 5) == 5
        assert rows(1, 60) == 60
        assert rows(1, 2000) == 2
        assert rows(1000, 2000) == 1
