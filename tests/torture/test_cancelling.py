"""R20: every kind of long job cancelled in the real window."""

import re
from pathlib import Path

import pytest

from app.viewmodel import intents
from tests.torture.cancelled_jobs import KINDS
from tests.torture.rows import is_full
from tests.torture.scripts import ran

ANSWER, END = 0.1, 2.0


def test_every_kind_of_job_has_its_row():
    begun = r'(?:jobs\.(?:begin|add)\(|LatestJob\(runner, jobs, )"([A-Z][^"]*)'
    titles = set[str]()
    for path in Path(intents.__file__).parent.glob("*.py"):
        titles |= set(re.findall(begun, path.read_text()))
    assert titles == {title for title, *_ in KINDS.values()}


@pytest.mark.gui
@pytest.mark.torture("R20")
def test_R20_cancelled_jobs(row):
    found = ran("cancelled_jobs", row.size)
    for kind, times in found["kinds"].items():
        answer, end, busy = (max(column) for column in zip(*times, strict=True))
        row.got(
            f"{kind}: {len(times)} cancelled, answer {1000 * answer:.0f} ms "
            f"({1000 * busy:.0f} ms of processor), end {end:.2f} s"
        )
    row.got(f"{found['left']} processes left")
    assert found["left"] == 0
    for times in found["kinds"].values():
        assert len(times) == row.size
        if is_full():  # times are judged where the machine is meant to be idle
            assert max(answer for answer, _, _ in times) <= ANSWER
            assert max(end for _, end, _ in times) <= END
