"""R19: the session killed with unsaved edits, killed again while it restores, and what it kept damaged."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.viewmodel.files.autosave import (
    EARLIER,
    FOLDER,
    LAST,
    Autosave,
    left_behind,
    read_autosave,
    write_autosave,
)
from app.viewmodel.files.sessions import SavedSession, save_session
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View
from physics.errors import InputError
from tests.patience import PATIENCE
from tests.torture.edited_session import last_edit
from tests.torture.rows import is_full

MOST_LOST = 5.0
"""Seconds of edits."""

LIVES = (0.2, 9.0)
"""How long an edited session lives [second]."""

AT_ONCE = 6


@dataclass(frozen=True)
class Crash:
    """What a kill cost.

    Attributes
    ----------
    lost : float
        Seconds between the first edit that was lost and the kill.
    kept : int
        Number of the newest edit that was kept.
    untouched : bool
        Whether the session file that was open is as it was.
    """

    lost: float
    kept: int
    untouched: bool


def edits(log: Path) -> list[tuple[int, float]]:
    """Number and time of each edit; a line that was being written is none."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    return [(int(a), float(b)) for a, b in (line.split() for line in lines if line.endswith("\n"))]


def killed(command: list[str], log: Path, life: float, config: Path, once_saved: bool = False) -> float:
    """Start it, let it edit for so long (`once_saved`: from its first autosave on), kill it; when."""
    before = len(edits(log))
    environment = {**os.environ, "ISOTWIN_CONFIG": str(config)}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while len(edits(log)) == before or (once_saved and not list((config / FOLDER).glob(f"*{LAST}"))):
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(life)
        assert process.poll() is None, process.stderr.read().decode()
    finally:
        process.send_signal(signal.SIGKILL)
        at = time.time()
        process.wait()
        process.stderr.close()
        with suppress(ProcessLookupError):  # its children end by themselves; a new kill must not meet them
            os.killpg(process.pid, signal.SIGKILL)
    return at


def crash(config: Path, log: Path, original: Path, digest: str, at: float) -> Crash:
    """What is left of a session that was killed at a time."""
    found, troubles = left_behind(config)
    assert troubles == []
    kept = max((last_edit(left.saved) for left in found), default=0)
    for left in found:
        left.let_go()
    lost = [when for number, when in edits(log) if number > kept]
    same = hashlib.sha256(original.read_bytes()).hexdigest() == digest
    return Crash(at - lost[0] if lost else 0.0, kept, same)


def saved_original(folder: Path) -> tuple[Path, str]:
    """A session file, and its digest."""
    path = folder / "original.json"
    save_session(path, SavedSession(Setup(model="egnn-nbody"), View(), Playback(), (0, 1)))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def one_life(folder: Path, life: float, again: float | None, period: float) -> list[Crash]:
    """A session killed; and once more `again` seconds after it began to restore."""
    folder.mkdir()
    config, log = folder / "config", folder / "log"
    config.mkdir()
    original, digest = saved_original(folder)
    command = ["tests.torture.edited_session", str(config), str(original), str(log), str(period)]
    at = killed(command, log, life, config, once_saved=not is_full())
    crashes = [crash(config, log, original, digest, at)]
    if again is not None and crashes[0].kept:
        log.write_text(f"{crashes[0].kept} 0\n")  # what was lost is lost: only later edits can be
        at = killed([*command, "restore"], log, again, config)
        crashes.append(crash(config, log, original, digest, at))
        assert crashes[1].kept >= crashes[0].kept, "the second crash lost what the first had kept"
    return crashes


def judged(row, crashes: list[Crash]) -> None:
    worst = max(c.lost for c in crashes)
    touched = sum(not c.untouched for c in crashes)
    row.got(f"{len(crashes)} kills, at most {worst:.1f} s lost, originals changed: {touched}")
    assert touched == 0
    if is_full():  # times are judged where the machine is meant to be idle
        assert worst <= MOST_LOST
    else:
        assert all(c.kept for c in crashes)


@pytest.mark.torture("R19")
def test_R19_killed_with_unsaved_edits(row, tmp_path):
    from app.views.main_window import AUTOSAVE_MILLISECONDS

    rng = np.random.default_rng(19)
    lives = rng.uniform(*LIVES, row.size) if is_full() else np.full(row.size, 0.2)
    # half of them again, and of these half right at the beginning
    again = [None if k % 2 else float(rng.uniform(0.0, 0.05 if k % 4 else 6.0)) for k in range(row.size)]
    if not is_full():
        again[0] = 0.02
    with ThreadPoolExecutor(AT_ONCE) as pool:
        period = AUTOSAVE_MILLISECONDS / 1000.0 if is_full() else 0.5
        runs = [pool.submit(one_life, tmp_path / str(k), lives[k], again[k], period) for k in range(row.size)]
    judged(row, [c for run in runs for c in run.result()])


@pytest.mark.gui
@pytest.mark.torture("R19-window")
def test_R19_window_killed_with_unsaved_edits(row, tmp_path, qapp):  # an X server without a client starts anew
    rng = np.random.default_rng(20)
    crashes = []
    for k in range(row.size):
        folder = tmp_path / str(k)
        folder.mkdir()
        original, digest = saved_original(folder)
        log = folder / "log"
        command = ["tests.torture.edited_window", str(original), str(log)]
        at = killed(command, log, float(rng.uniform(*LIVES)), folder)
        crashes.append(crash(folder, log, original, digest, at))
    judged(row, crashes)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with something done to them."""
    kind, at = int(rng.integers(5)), int(rng.integers(len(data)))
    if kind == 0:
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(rng.integers(8))
        return bytes(flipped)
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + bytes(len(data) - at)
    if kind == 3:
        return data + data[at:]
    digits = [k for k, byte in enumerate(data) if chr(byte).isdigit()]
    at = digits[int(rng.integers(len(digits)))]
    return data[:at] + str((int(chr(data[at])) + 1) % 10).encode() + data[at + 1 :]


def kept(seed: int, written: float) -> Autosave:
    session = SavedSession(Setup(seed=seed, model="fake"), View(), Playback(), (0, 1))
    return Autosave(session, "", written)


@pytest.mark.torture("R19-corrupt")
def test_R19_corrupt_autosaves(row, tmp_path):
    rng = np.random.default_rng(21)
    changed = missed = 0
    for k in range(row.size):
        config = tmp_path / str(k)
        contents: dict[Path, bytes] = {}
        (config / FOLDER).mkdir(parents=True)
        for window in range(1 + int(rng.integers(3))):  # windows that died, each with two generations
            for suffix in (EARLIER, LAST):
                seed, written = int(rng.integers(1000)), float(rng.uniform(1e9, 2e9))
                path = config / FOLDER / f"{window}-a{suffix}"
                write_autosave(path, kept(seed, written))
                contents[path] = path.read_bytes()
        good = {path: read_autosave(path) for path in contents}
        for path, data in contents.items():
            if rng.random() < 0.5:
                path.write_bytes(damaged(data, rng))
                os.utime(path)
        whole = {path for path, read in good.items() if read_or_none(path) == read}
        found, _ = left_behind(config)
        for left in found:
            left.let_go()
        changed += sum(left.saved not in good.values() for left in found)
        newest = [  # of each window what was written last, or what was before it
            good[path if path in whole else path.with_suffix(EARLIER)]
            for path in contents
            if path.suffix == LAST and {path, path.with_suffix(EARLIER)} & whole
        ]
        missed += any(read not in [left.saved for left in found] for read in newest)
        missed += [left.saved.written for left in found] != sorted(
            (left.saved.written for left in found), reverse=True
        )
    row.got(f"{row.size:,} sets, {changed} changed ones restored, {missed} valid ones missed")
    assert (changed, missed) == (0, 0)


def read_or_none(path: Path) -> Autosave | None:
    try:
        return read_autosave(path)
    except InputError:
        return None
