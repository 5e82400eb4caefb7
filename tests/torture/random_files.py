"""Files that a random user opens: good ones, bad ones, none."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.viewmodel.files.sessions import SavedSession, save_session
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import OwnSystem, RandomTurn, Setup, Turn
from app.viewmodel.state.view import View

SCENARIO = """
title = "Two"
law = "coulomb"
duration = 2.0
frame_interval = 0.1
[particles]
charges = [1.0, -1.0]
positions = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
velocities = [[0.0, 0.3, 0.0], [0.0, -0.3, 0.0]]
"""


def written_files(folder: Path) -> list[str]:
    """The paths."""
    rng = np.random.default_rng(1)
    (folder / "good.toml").write_text(SCENARIO)
    (folder / "bad.toml").write_text(SCENARIO.replace("coulomb", "no law"))
    arrays = {"positions": rng.normal(size=(4, 6, 3, 3)), "velocities": rng.normal(size=(4, 6, 3, 3))}
    np.savez(folder / "bad.npz", **arrays)
    np.savez(folder / "good.npz", **arrays, charges=rng.choice([-1.0, 1.0], (4, 3)), times=np.arange(6) * 0.5)
    (folder / "junk.npz").write_bytes(b"PK\x03\x04 nothing")
    (folder / "junk.bin").write_bytes(bytes(rng.integers(0, 256, 200, dtype=np.uint8)))
    (folder / "empty").mkdir()
    own = OwnSystem(
        charges=(1.0, -1.0), masses=(1.0, 2.0), positions=((1.0, 0.0), (0.0, 1.0)), velocities=((0.0, 0.0),) * 2
    )
    sessions = {
        "plain": SavedSession(Setup(scenario="bound", model="fake"), View(), Playback(), (0, 1)),
        "four": SavedSession(
            Setup(scenario="bound-4d", model="fake", operations=(Turn(0, 3, 40.0), RandomTurn(2))),
            View(axes=(0, 1, 3), hidden_axis=3, maximised=1),
            Playback(25.0, mark_in=2, mark_out=20),
            (2, 3),
        ),
        "own": SavedSession(Setup(scenario="", own=own, model="fake"), View(), Playback(1e6), (0, 1)),
        "far": SavedSession(Setup(scenario="bound", model="fake"), View(maximised=3), Playback(3.5), (5, 6)),
    }
    for name, saved in sessions.items():
        save_session(folder / f"{name}.json", saved)
    text = (folder / "four.json").read_text()
    (folder / "cut.json").write_text(text[: len(text) // 2])
    (folder / "wrong.json").write_text(json.dumps({"isotwin": "session", "version": 1, "content": []}))
    return [*sorted(map(str, folder.iterdir())), str(folder / "missing.toml"), str(folder / "missing.json")]


def descriptions(files: list[str]) -> Mapping[str, Setup | str]:
    """What `describe_file` says of each: what it is, or why it is nothing; and of a model."""
    found: dict[str, Setup | str] = {path: f"{path}: not something to open" for path in files}
    scenario, data = (next(p for p in files if p.endswith(name)) for name in ("good.toml", "good.npz"))
    made = {
        scenario: Setup(scenario=scenario),
        data: Setup(scenario="", data=data),
        "run": Setup(scenario="", model="run"),
    }
    return found | made
