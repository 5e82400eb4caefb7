"""How `make test` shares the suite between two processes (pytest-xdist).

What opens a window stays in one process, for the screen; that is the longest piece, so it begins. Meanwhile the
other process compiles the engine's kernels, so that hardly one is compiled twice; then files go out singly.
"""

import pytest

PIECES = ("tests/physics", "tests/torture", "tests/surrogate")
"""After the windows, in this order; within a folder as collected. What is left is short: it evens out the end."""


def place(item):
    """Where in the order a test comes."""
    if item.get_closest_marker("xdist_group").args[0] == "windows":
        return 0
    return next((1 + k for k, folder in enumerate(PIECES) if item.nodeid.startswith(folder)), 1 + len(PIECES))


def pytest_configure(config):
    config.option.loadscopereorder = False  # xdist would begin with the file that has the most tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        own = f"{item.path.parent.name}/{item.path.name}"  # a file stays together, for its fixtures
        item.add_marker(pytest.mark.xdist_group("windows" if item.get_closest_marker("gui") else own))
    items.sort(key=place)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    """Where xdist's groups have no effect, two windows share the screen and take each other's keys: refuse."""
    if session.config.getoption("loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist's groups have no effect: install the pytest of constraints.txt")
