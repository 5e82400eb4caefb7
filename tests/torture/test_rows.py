"""The scoreboard itself: every row has its test, and what stands in its table is what came out."""

import re
from pathlib import Path

from tests.torture.rows import ROWS
from tests.torture.scoreboard import markdown, merged


def test_every_row_has_a_test_of_its_name_and_every_test_a_row():
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        for name, function in re.findall(r'torture\("([^"]+)"\)\n(?:@.*\n)*def (\w+)', text):
            assert function.startswith(f"test_{name.replace('-', '_')}_"), function
            found.add(name)
    assert found == set(ROWS)


def test_rows_of_another_run_stay_in_the_table(tmp_path):
    path = tmp_path / "out" / "torture.json"
    merged(path, {"R22": {"size": 7, "got": "nothing wrong", "seconds": 1.0, "passed": True}})
    known = merged(path, {"R11": {"size": 3, "got": "one not refused", "seconds": 2.0, "passed": False}})
    assert list(known) == ["R11", "R22"]
    page = markdown(known)
    assert (
        "| R11 | 3 hostile files | all refused, each within 1 s and 100 MB more | one not refused | **no** |"
        in page
    )
    assert "| R22 | 7 random user actions" in page
    assert "Machine: " in page
