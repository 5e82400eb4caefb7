"""R22: random users."""

import pytest

from tests.torture.memory import growth
from tests.torture.rows import is_full
from tests.torture.scripts import ran

SEEDS = 10
GROWTH = 0.05


def judged(row, found) -> None:
    """Nothing went wrong, and the memory does not grow; judged at the full size, for a short use only warms up."""
    grown = growth(found["memory"])
    row.got(f"{found['actions']:,} actions, {len(found['wrong'])} wrong, memory {100 * grown:+.1f} %")
    assert found["wrong"] == []
    assert grown < GROWTH or not is_full()


@pytest.mark.torture("R22")
def test_R22_random_actions(row):
    seeds = min(SEEDS, max(row.size // 200, 1))
    judged(row, ran("random_actions", seeds, row.size // seeds))


@pytest.mark.gui
@pytest.mark.torture("R22-window")
def test_R22_window_random_actions_in_the_real_window(row):
    judged(row, ran("random_window", row.size))
