"""What is told of the machine: memory that can be taken, from files laid out as Linux does."""

import os

import pytest

from physics import machine

AVAILABLE = "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 8000 kB\n"


def tree(folder, files):
    """Write texts under their paths."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "proc", folder / "cgroup"


def test_a_full_page_cache_is_available(tmp_path):
    assert machine.available_memory(*tree(tmp_path, {"proc/meminfo": AVAILABLE})) == 8000 * 1024


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/jobs/one", "cgroup/jobs/one", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:cpu,memory:/jobs/one",
            "cgroup/memory/jobs/one",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)
def test_the_limit_of_any_cgroup_on_the_way_counts(line, folder, names, tmp_path):
    limit, used, files = names
    texts = {"proc/meminfo": AVAILABLE, "proc/self/cgroup": f"1:name=systemd:/\n{line}\n"}
    own = {f"{folder}/{limit}": "1000000\n", f"{folder}/{used}": "400000\n"}
    assert machine.available_memory(*tree(tmp_path, texts | own)) == 600_000
    own[f"{folder}/memory.stat"] = f"anon 5\n{files} 100000\n"  # what the job has read is not lost to it
    assert machine.available_memory(*tree(tmp_path, own)) == 700_000
    parent = folder.removesuffix("/one")
    assert (
        machine.available_memory(*tree(tmp_path, {f"{parent}/{limit}": "500\n", f"{parent}/{used}": "900\n"})) == 0
    )
    assert machine.available_memory(*tree(tmp_path, {f"{parent}/{limit}": "max\n"})) == 700_000


def test_without_linux_the_free_pages_or_a_guess(tmp_path, monkeypatch):
    nothing = tree(tmp_path, {})
    monkeypatch.setattr(os, "sysconf", {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert machine.available_memory(*nothing) == 3 * 4096
    monkeypatch.delattr(os, "sysconf")
    assert machine.available_memory(*nothing) == machine.LARGE_GUESS


def test_this_machine_has_some():
    assert machine.available_memory() > 0
    assert machine.available_cores() >= 1
