"""How `make test` shares the suite between two processes (pytest-xdist)."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A file stays together, for its fixtures; all that opens a window stays in one process, for the screen."""
    with_windows = {item.path for item in items if item.get_closest_marker("gui")}
    for item in items:
        group = "windows" if item.path in with_windows else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    """Where xdist's groups have no effect, two windows share the screen and take each other's keys: refuse."""
    if session.config.getoption("loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist's groups have no effect: install the pytest of constraints.txt")
