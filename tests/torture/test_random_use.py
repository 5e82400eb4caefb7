"""R22: random users."""

import json
import subprocess
import sys

import pytest

from tests.torture.memory import growth

SEEDS = 10
GROWTH = 0.05


def ran(module: str, *arguments: object) -> dict[str, object]:
    """What a script of this folder printed."""
    command = [sys.executable, "-m", f"tests.torture.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def judged(row, found) -> None:
    """Nothing went wrong, and the memory does not grow (it is judged at the full size: a short use warms up only)."""
    grown = growth(found["memory"])
    row.got(f"{found['actions']:,} actions, {len(found['wrong'])} wrong, memory {100 * grown:+.1f} %")
    assert found["wrong"] == []
    assert grown < GROWTH


@pytest.mark.torture("R22")
def test_R22_random_actions(row):
    seeds = min(SEEDS, max(row.size // 200, 1))
    judged(row, ran("random_actions", seeds, row.size // seeds))


@pytest.mark.gui
@pytest.mark.torture("R22-window")
def test_R22_window_random_actions_in_the_real_window(row):
    judged(row, ran("random_window", row.size))
