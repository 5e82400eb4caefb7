"""Row tiles change neither forecasts nor gradients, and keep memory from growing as the pairs."""

import pytest
import torch

from surrogate.nn import row_tiles
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
    real = row_tiles.rows_at_once
    monkeypatch.setattr(row_tiles, "WHOLE_EDGES", 0)
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 3 * (particles - 1)})
    monkeypatch.setattr(row_tiles, "rows_at_once", lambda x: (tiles.append(real(x)), real(x))[1])
    tiled = results()
    assert set(tiles) == {3}
    for a, b in zip(whole, tiled, strict=True):
        assert distance(a, b) < 1e-11


def test_a_tile_is_never_empty_and_small_batches_are_whole():
    x = torch.zeros(100, 5, 3)
    assert row_tiles.rows_at_once(x) == 5
    with torch.no_grad():
        assert row_tiles.rows_at_once(x) == 5
        assert row_tiles.rows_at_once(torch.zeros(1, 60, 3)) == 60
        assert row_tiles.rows_at_once(torch.zeros(1, 2000, 3)) == 2
        assert row_tiles.rows_at_once(torch.zeros(1000, 2000, 3)) == 1
