"""How `make test` shares the suite between two processes (pytest-xdist)."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A file stays together, for its fixtures; all that opens a window stays in one process, for the screen."""
    with_windows = {item.path for item in items if item.get_closest_marker("gui")}
    for item in items:
        group = "windows" if item.path in with_windows else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
