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
PARTICLES = 16
"""The first particles of a sample are looked at."""


def signatures(positions: FloatArray) -> list[str]:
    """A mark for each sample, of positions (samples, N, n)."""
    x = np.asarray(positions[:, :PARTICLES], dtype=np.float64)
    largest = np.abs(x).max(axis=(1, 2), keepdims=True)
    rounded = np.rint(STEPS * x / np.where(largest > 0, largest, 1.0)).astype("<i4")
    sizes = [f"{value:.3e}" for value in largest[:, 0, 0]]
    return [
        hashlib.sha256(size.encode() + row.tobytes()).hexdigest()[:DIGITS]
        for size, row in zip(sizes, rounded, strict=True)
    ]


def kept_signatures(parts: Iterable[FloatArray]) -> dict[str, Any]:
    """What the card keeps of all training samples, given in parts.

    Returns
    -------
    dict
        samples: how many there are. marks: at most MOST of theirs, sorted.
    """
    marks, samples = list[str](), 0
    for positions in parts:
        samples += len(positions)
        marks = sorted({*marks, *signatures(positions)})[:MOST]
    return {"samples": samples, "marks": marks}


def share_seen(kept: Sequence[str], marks: Iterable[str]) -> float:
    """The share of samples with these marks that are among the training samples, as far as the kept ones tell."""
    known = set(kept)
    limit = max(known) if len(known) == MOST else "g"
    decidable = [mark for mark in marks if mark <= limit]
    return float(np.mean([mark in known for mark in decidable])) if decidable else 0.0
