"""Many trainings, one after another: each ends with a small file of its result, which is complete or absent.

A training that was killed goes on where it was; one that has its result is not made again. Who trains many models
(the benchmark of the registry, the leaderboard, the studies of data) does it by what is here.
"""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

from physics.errors import InputError
from physics.files import write_json
from surrogate.training.config import Config
from surrogate.training.divergence import DivergedError
from surrogate.training.run import train

DONE = "done.json"
"""In a run's folder once it has ended."""


TRUST = 60.0
"""Seconds after which measured times count as much as expected ones."""


class Job(Protocol):
    """A training and what is measured of it."""

    @property
    def title(self) -> str:
        """Names it where its progress is shown."""

    def seconds(self) -> float:
        """About what its training takes."""


J = TypeVar("J", bound=Job)


def make_all(jobs: Sequence[J], make: Callable[[J], str], minutes: float | None = None) -> int:
    """Make jobs one after another, saying how long the rest takes; how many were left out for want of time.

    Parameters
    ----------
    make : callable
        Trains, measures, keeps the result; what is said of it.
    minutes : float, optional
        No job is begun later than so long after the first.
    """
    expected, spent, began = sum(job.seconds() for job in jobs), 0.0, time.monotonic()
    for index, job in enumerate(jobs):
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            return len(jobs) - index
        left = sum(other.seconds() for other in jobs[index:])
        pace = (spent + TRUST) / (expected - left + TRUST)
        _say(f"{job.title}: {index + 1} of {len(jobs)}, about {pace * left / 60:.0f} min left")
        start = time.monotonic()
        said = make(job)
        spent += time.monotonic() - start
        _say(f"{job.title}: {said}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def finished(config: Config, run: Path, command: str) -> str:
    """Train a run to its end, gone on with where it was broken off; what went wrong where it diverged."""
    done = run / DONE
    if not done.is_file():
        failed = ""
        try:
            _train(config, run, command)
        except DivergedError as error:
            failed = str(error)
        write_json(done, {"failed": failed})
    return str(json.loads(done.read_text(encoding="utf-8"))["failed"])


def _train(config: Config, run: Path, command: str) -> None:
    """Train, going on where a run was broken off; anew where the code has changed since."""
    try:
        train(config, run, resume=True, device="cpu", command=command)
    except InputError as error:
        if "cannot --resume" not in str(error):
            raise
        shutil.rmtree(run)
        train(config, run, resume=False, device="cpu", command=command)


def stored(path: Path, wanted: str | None = None) -> dict[str, Any] | None:
    """A result that is there, of the wanted digest where one is given."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or (wanted is not None and found.get("digest") != wanted):
        return None
    return found


def recipe_digest(config: Config, data: str, *more: Any) -> str:
    """Of all that decides a result, wherever its data lie: 16 hexadecimal digits.

    Settings that have their defaults do not count, so that a setting that is new leaves results as they are.

    Parameters
    ----------
    data : str
        Names the data set.
    more : plain JSON
        What decides it beside the configuration.
    """
    parts = {"model": config.model_config, "data": config.data, "train": config.train, "task": config.task_config}
    tree: dict[str, Any] = {section: _not_default(part) for section, part in parts.items()}
    tree["model"]["name"], tree["data"]["paths"] = config.model, [data]
    return hashlib.sha256(json.dumps([tree, *more], sort_keys=True).encode()).hexdigest()[:16]


def _not_default(part: Any) -> dict[str, Any]:
    """The fields of a dataclass whose values are not their defaults."""
    return {f.name: getattr(part, f.name) for f in fields(part) if getattr(part, f.name) != f.default}
