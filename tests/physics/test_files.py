"""Files of numbers that programs read: JSON without NaN, whole or not there."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from physics.files import write_json


def test_json_holds_null_for_what_is_not_finite(tmp_path: Path) -> None:
    values = {"a": [math.nan, 1.5, {"b": -math.inf}], "c": (math.inf, None, "NaN", 3), "d": True, 4: {2}}
    path = write_json(tmp_path / "deep" / "er" / "out.json", values)
    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found == {"a": [None, 1.5, {"b": None}], "c": [None, None, "NaN", 3], "d": True, "4": [2]}


def test_json_takes_arrays_and_paths_and_keeps_every_digit(tmp_path: Path) -> None:
    values = {
        "x": np.array([[0.1, np.nan], [1 / 3, 2.0]]),
        "n": np.int64(3),
        "where": Path("a/b"),
        "name": "\u00e9",
    }
    text = write_json(tmp_path / "out.json", values).read_text(encoding="utf-8")
    assert json.loads(text) == {"x": [[0.1, None], [1 / 3, 2.0]], "n": 3, "where": "a/b", "name": "\u00e9"}
    assert "\u00e9" in text


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise OSError("no text")

    path = write_json(tmp_path / "out.json", {"a": 1})
    with pytest.raises(OSError, match="no text"):
        write_json(path, {"a": Unprintable()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]
