"""Short marks of training samples, kept in the card, by which data that a model was trained on are known again.

A mark is of the positions of one frame, rounded, so that it survives other formats and dtypes, subsets and another
order of the samples; other units do not.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from physics.types import FloatArray

MOST = 3000
"""Marks that are kept: those that come first in alphabetical order, which any subset agrees on."""
DIGITS = 10
STEPS = 200
"""Positions are rounded to the largest one of their sample divided by this: few digits, which all formats keep."""
TELLING = 0.9
"""Share of different marks from which on positions alone tell samples apart."""
PARTICLES = 16
"""The first particles of a sample are looked at."""


def signatures(positions: FloatArray, velocities: FloatArray | None = None) -> list[str]:
    """A mark for each sample, of positions and, where they are given, velocities (samples, N, n)."""
    parts = [_rounded(positions, STEPS)] + ([] if velocities is None else [_rounded(velocities, STEPS // 10)])
    return [hashlib.sha256(b"".join(texts)).hexdigest()[:DIGITS] for texts in zip(*parts, strict=True)]


def _rounded(vectors: FloatArray, steps: int) -> list[bytes]:
    """The first vectors of each sample to few digits, and the largest of their numbers."""
    x = np.asarray(vectors[:, :PARTICLES], dtype=np.float64)
    largest = np.abs(x).max(axis=(1, 2), keepdims=True)
    rounded = np.rint(steps * x / np.where(largest > 0, largest, 1.0)).astype("<i4")
    return [f"{size:.2e}".encode() + row.tobytes() for size, row in zip(largest[:, 0, 0], rounded, strict=True)]


def kept_signatures(parts: Iterable[tuple[FloatArray, FloatArray]]) -> dict[str, Any]:
    """What the card keeps of all training samples, whose positions and velocities are given in parts.

    Returns
    -------
    dict
        samples: how many there are. of: "positions", or "states" where many samples share their positions (they
        start from one lattice). marks: at most MOST of theirs, sorted.
    """
    found: dict[str, set[str]] = {"positions": set(), "states": set()}
    samples = 0
    for x, v in parts:
        samples += len(x)
        found["positions"].update(signatures(x))
        found["states"].update(signatures(x, v))
    of = "positions" if len(found["positions"]) > TELLING * samples else "states"
    return {"samples": samples, "of": of, "marks": sorted(found[of])[:MOST]}


def share_seen(kept: Sequence[str], marks: Iterable[str]) -> float:
    """The share of samples with these marks that are among the training samples, as far as the kept ones tell."""
    known = set(kept)
    limit = max(known) if len(known) == MOST else "g"
    decidable = [mark for mark in marks if mark <= limit]
    return float(np.mean([mark in known for mark in decidable])) if decidable else 0.0
