"""Readers in a process of their own: whatever happens there is a line here."""

import os
import signal
import time

import numpy as np
import pytest

from physics.datasets.formats import apart as module
from physics.datasets.formats.apart import apart
from physics.datasets.formats.base import Hints, Imported
from physics.errors import InputError


def whole(path, split, hints):
    arrays = {"positions": np.ones((1, 2, 3, 2)), "times": np.arange(2.0)}
    return Imported(arrays, "steps", {"length": "nm"}, {"law": "gravity"}, ("a note",))


def crashing(path, split, hints):
    os.kill(os.getpid(), signal.SIGSEGV)


def hungry(path, split, hints):
    return Imported({"positions": np.ones(1 << 40)})


def endless(path, split, hints):
    time.sleep(1000)


def refusing(path, split, hints):
    raise InputError(f"{path}: no {hints.topology.name}")


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "a.bin"
    place.write_bytes(b"x" * 100)
    return place


def test_all_that_is_found_comes_back_and_is_kept(path, monkeypatch):
    found = apart(whole)(path, "", Hints())
    expected = whole(path, "", Hints())
    np.testing.assert_array_equal(found.arrays["positions"], expected.arrays["positions"])
    assert (found.counted, found.units, found.recipe, found.notes) == (
        "steps",
        {"length": "nm"},
        {"law": "gravity"},
        ("a note",),
    )
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: pytest.fail("read again"))
    assert apart(whole)(path, "", Hints()) is found
    path.write_bytes(b"y" * 101)
    with pytest.raises(pytest.fail.Exception, match="read again"):
        apart(whole)(path, "", Hints())


def test_what_goes_wrong_there_is_a_line(path, monkeypatch):
    for load, words in (
        (crashing, "its reader ended with SIGSEGV"),
        (hungry, "MemoryError"),
    ):
        with pytest.raises(InputError) as caught:
            apart(load)(path, "", Hints())
        assert words in str(caught.value)
        assert str(caught.value).startswith(str(path))
    with pytest.raises(InputError, match=r"a\.bin: no a\.bin"):
        apart(refusing)(path, "", Hints(topology=path))
    monkeypatch.setattr(module, "SECONDS", (0.5, 0.0))
    with pytest.raises(InputError, match="did not end within"):
        apart(endless)(path, "", Hints())


def test_a_check_comes_first(path):
    def check(place):
        raise InputError(f"{place}: checked")

    with pytest.raises(InputError, match="checked"):
        apart(crashing, check)(path, "", Hints())
