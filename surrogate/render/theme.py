"""The palette: every colour a picture uses, once for dark and once for light surroundings.

Positive and negative charges are orange and blue (safe for the common colour deficiencies) and differ in
lightness too; the painter adds a + or - sign, so that no picture depends on hue alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Theme:
    """Colours as "#rrggbb".

    Attributes
    ----------
    background, panel, line : str
        Canvas, raised areas (the strip under a video), hairlines.
    text, muted : str
        Text that must be read, and text that may be.
    positive, negative, neutral : str
        Particles by the sign of their charge.
    truth, forecast, rollout : str
        Curves and titles by source.
    link, warning : str
        Error links, and the "outside training" badge.
    electric, magnetic : str
        Arrows of the fields.
    selection : str
        The halo of a selected particle.
    error_ramp : tuple of str
        From nothing to the largest (error, speed, ...); lightness goes one way, so that it needs no hue.
    two_sided : tuple of str
        From most negative to most positive: blue, grey, orange; the ends differ in hue and lightness.
    """

    name: str
    background: str
    panel: str
    line: str
    text: str
    muted: str
    positive: str
    negative: str
    neutral: str
    truth: str
    forecast: str
    rollout: str
    link: str
    warning: str
    electric: str
    magnetic: str
    selection: str
    error_ramp: tuple[str, ...]
    two_sided: tuple[str, ...]


DARK = Theme(
    name="dark",
    background="#0e131b",
    panel="#131a24",
    line="#283445",
    text="#e9eef5",
    muted="#93a1b5",
    positive="#ffb057",
    negative="#3d8bea",
    neutral="#a9b4c2",
    truth="#dfe6ef",
    forecast="#3fd0ac",
    rollout="#ee82bd",
    link="#ff6b6b",
    warning="#ffc53d",
    electric="#c3dc5a",
    magnetic="#b796ff",
    selection="#f7f3d0",
    error_ramp=("#5a6c8c", "#4f8fc4", "#3cb9b0", "#a4d65e", "#ffe04d", "#fff8cc"),
    two_sided=("#3f8cff", "#4673ae", "#5d6673", "#c08a4e", "#ffc56e"),
)

LIGHT = Theme(
    name="light",
    background="#fbfaf7",
    panel="#f3f1ec",
    line="#d8d5cc",
    text="#1b2430",
    muted="#5f6b7a",
    positive="#e8892b",
    negative="#1f5da8",
    neutral="#7b8794",
    truth="#2b3442",
    forecast="#08795f",
    rollout="#b8407f",
    link="#d33f3f",
    warning="#985a00",
    electric="#647a00",
    magnetic="#7546c9",
    selection="#10161f",
    error_ramp=("#b4c0cc", "#72aec0", "#3f93ac", "#2f6ca6", "#4a3f94", "#3b1460"),
    two_sided=("#0e3f86", "#5585bb", "#b4b9bf", "#dc9a58", "#c2610c"),
)

THEMES: Mapping[str, Theme] = MappingProxyType({"dark": DARK, "light": LIGHT})


def rgb(colour: str) -> NDArray[np.float64]:
    """A "#rrggbb" colour as (3,) float64 in 0..255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def blended(colours: ArrayLike, background: str, weight: ArrayLike) -> NDArray[np.uint8]:
    """Colours mixed into the background, which fades without translucency (no depth sorting).

    Parameters
    ----------
    colours : (..., 3) in 0..255
    background : str
    weight : (...) in 0..1
        1 keeps the colour, 0 gives the background.

    Returns
    -------
    (..., 3) uint8
    """
    share = np.asarray(weight, dtype=np.float64)[..., None]
    mixed = share * np.asarray(colours, dtype=np.float64) + (1.0 - share) * rgb(background)
    return np.rint(mixed).astype(np.uint8)


def ramp_colours(values: ArrayLike, ramp: tuple[str, ...]) -> NDArray[np.uint8]:
    """Colours of numbers in 0..1 (clipped) along a ramp, (..., 3) uint8."""
    stops = np.stack([rgb(colour) for colour in ramp])
    at = np.clip(np.asarray(values, dtype=np.float64), 0.0, 1.0) * (len(ramp) - 1)
    grid = np.arange(len(ramp))
    channels = [np.interp(at, grid, stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
