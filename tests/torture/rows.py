"""The rows of the scoreboard of faults: what each asks, how much of it runs where, and what must come out.

A row is one test function (or one parametrised over its parts) that carries `@pytest.mark.torture("R22")` and
whose name starts with `test_R22_`. It takes the fixture `row`: `row.size` is how much to do, `row.got(...)` writes
down what came of it. `make test` runs every row at its small size, `make torture` at its full one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "ISOTWIN_TORTURE"
"""Environment variable: "full" for the full sizes."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    what : str
        What is done; `{size}` is how often.
    target : str
        What must come out.
    small, full : int
        The sizes of `make test` and `make torture`.
    """

    what: str
    target: str
    small: int
    full: int


ROWS: Mapping[str, Row] = {
    "R1": Row("data sets with {size} of 1, 2, 3, 4 and 8 workers: SHA-256 of all files", "one digest", 5, 5),
    "R2": Row(
        "{size} x kill -9 in generate, resumed each time",
        "bytes of an undisturbed run, 0 temporary files left",
        2,
        200,
    ),
    "R3": Row("{size} runs of the engine, each split at a random frame: exact equality", "0 differences", 46, 464),
    "R4": Row(
        "{size} x kill -9 in train, half of them at a file operation, resumed each time",
        "weights, optimiser, random states and metrics byte-equal to an undisturbed run's, 0 unloadable files",
        2,
        200,
    ),
    "R4-seeds": Row("{size} x kill -9 in a run of three stacked seeds, as R4", "as R4, all three seeds", 1, 100),
    "R5": Row("{size} x kill -9 in train on CUDA, one seed and three stacked, as R4", "as R4", 2, 50),
    "R4-stops": Row("train stopped at {size} of its 59 steps and resumed", "as R4, no step lost", 3, 59),
    "R6": Row(
        "the N-th operation that writes fails (ENOSPC, EIO, EACCES; once and for good), up to {size} cases",
        "one line, no traceback, no false success, the rest intact",
        12,
        400,
    ),
    "R7": Row("no room for a file (RLIMIT_FSIZE at {size} sizes)", "as R6", 2, 20),
    "R9": Row(
        "{size} mutated inputs over all readers; R10: those of data set, checkpoint and autosave have a checksum",
        "0 crashes, 0 tracebacks, at most 2 s and 512 MB; R10: 0 loaded with another content",
        360,
        10_000,
    ),
    "R11": Row("{size} hostile files", "all refused, each within 1 s and 100 MB more", 14, 74),
    "R12": Row("static scan for what runs code from a file", "0 places", 1, 1),
    "R14": Row(
        "{size} cases of hostile numbers (coincident, 1 ulp apart, NaN, Inf, 1e300, denormal, no mass, dt) in "
        "every integrator, n = 1 to 8, 0 to 2 particles",
        "finite, or refused in one line that names what and where",
        160,
        8_064,
    ),
    "R15": Row(
        "{size} runs built to blow up and ten times as many good ones",
        "all of those flagged, none of these",
        6,
        50,
    ),
    "R16": Row(
        "a loss of NaN, infinity, or x 100 at {size} points of a training",
        "no bad weight saved, ends within 5 % of the clean error",
        2,
        20,
    ),
    "R16-stops": Row(
        "a training with three bad losses stopped at {size} steps and resumed", "bytes of an unstopped one", 3, 29
    ),
    "R17": Row(
        "resumed with {size} kinds of change (and masses, code, PyTorch)",
        "all refused by their names, the run untouched",
        26,
        26,
    ),
    "R19": Row(
        "{size} x kill -9 with unsaved edits, half of them again while they restore",
        "at most 5 s of edits lost, original untouched",
        1,
        90,
    ),
    "R19-window": Row(
        "{size} x kill -9 of the real window with unsaved edits",
        "at most 5 s of edits lost, original untouched",
        0,
        10,
    ),
    "R19-corrupt": Row("{size} damaged sets of autosaves", "the newest valid one, never a changed one", 20, 1_000),
    "R20": Row(
        "each long job cancelled {size} times in the real window",
        "window answers within 100 ms, job ends within 2 s, 0 processes left",
        1,
        50,
    ),
    "R22": Row(
        "{size} random user actions, 10 seeds",
        "0 uncaught exceptions, 0 broken invariants, memory growth below 5 %",
        400,
        20_000,
    ),
    "R22-window": Row(
        "{size} random actions in the real window with its child process",
        "0 uncaught exceptions, memory growth below 5 %",
        20,
        3_000,
    ),
}


def is_full() -> bool:
    """Whether the full sizes were asked for."""
    return os.environ.get(VARIABLE) == "full"
