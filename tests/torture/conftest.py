"""How much of a row to do, and the table at the end of `make torture`."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.torture.rows import ROWS, is_full
from tests.torture.scoreboard import markdown, merged

OUT = Path("out/torture")
FOUND: dict[str, dict[str, Any]] = {}


@dataclass
class RowRun:
    """A row under way.

    Attributes
    ----------
    name : str
    size : int
        How much to do.
    """

    name: str
    size: int
    words: list[str] = field(default_factory=list)

    def got(self, words: str) -> None:
        """Write down what came of it; before the assertions, so that a failure stands in the table too."""
        self.words.append(words)


@pytest.fixture
def row(request):
    name = request.node.get_closest_marker("torture").args[0]
    size = ROWS[name].full if is_full() else ROWS[name].small
    if not size:
        pytest.skip("only at the full size")
    run = RowRun(name, size)
    begin = time.perf_counter()
    yield run
    before = FOUND.get(name, {"got": "", "seconds": 0.0, "passed": True})
    report = getattr(request.node, "report_of_call", None)
    FOUND[name] = {
        "size": size,
        "got": "; ".join(filter(None, [before["got"], *run.words])),
        "seconds": before["seconds"] + time.perf_counter() - begin,
        "passed": before["passed"] and report is not None and report.passed,
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.report_of_call = report
    return report


def pytest_terminal_summary(terminalreporter):
    if FOUND and is_full():
        known = merged(OUT / "torture.json", FOUND)
        (OUT / "torture.md").write_text(markdown(known))
        terminalreporter.write_line("")
        for name, found in FOUND.items():
            passed = "passed" if found["passed"] else "FAILED"
            terminalreporter.write_line(f"{name:12} {passed}  {found['seconds']:6.0f} s  {found['got']}")
        terminalreporter.write_line(f"written to {OUT}/torture.json and {OUT}/torture.md")
