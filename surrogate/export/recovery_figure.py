"""The figure of recovered pair forces: force, relative error, and the distances the data has."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from physics.types import FloatArray
from surrogate.evaluation.pair_law_recovery import Curves
from surrogate.export.figures import blank_figure, styled
from surrogate.render.theme import THEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = (0.05, 20.0)
"""Distances of the histogram [length]: more than is compared, so that the edges of the data are seen."""


def recovery_figure(
    clean: Mapping[str, Curves],
    seen: Mapping[str, FloatArray],
    distances: FloatArray,
    noisy: Mapping[str, Curves] | None = None,
) -> "Figure":
    """One column a law; rows: force, relative error, distances in the data.

    Parameters
    ----------
    clean : mapping of law to Curves
    seen : mapping of law to (M,) float64 [length]
    distances : (R,) float64 [length]
    noisy : mapping of law to Curves, optional
        The same learned from noisy positions.
    """
    theme = THEMES["light"]
    figure = blank_figure(theme, (max(3.0 * len(clean), 5.0) + 0.6, 7.4), dpi=120.0)
    grid = figure.subplots(3, len(clean), squeeze=False, sharex=True, height_ratios=(3, 2, 1.2))
    for column, (name, (true, learned, error)) in enumerate(clean.items()):
        force, below, histogram = grid[:, column]
        _force(force, distances, true, theme.truth, "-", "true")
        _force(force, distances, learned, theme.forecast, "--", "learned")
        below.plot(distances, error, color=theme.forecast)
        if noisy and name in noisy:
            _force(force, distances, noisy[name][1], theme.rollout, ":", "learned, 1 % noise")
            below.plot(distances, noisy[name][2], color=theme.rollout, linestyle=":")
        below.axhline(0.02, color=theme.muted, linewidth=0.8)
        below.axhline(0.1, color=theme.muted, linewidth=0.8)
        below.set(yscale="log", ylim=(1e-4, 2.0))
        edges = np.geomspace(*SHOWN, 49)
        histogram.hist(seen[name], edges, color=theme.muted)
        histogram.set(xscale="log", xlim=SHOWN, xlabel="pair distance r")
        force.set_yscale("log")
        force.set_title(name, color=theme.text, fontsize=11, loc="left")
        for axes in (force, below, histogram):
            styled(axes, theme)
            axes.axvspan(SHOWN[0], distances[0], color=theme.line, alpha=0.35, linewidth=0)
            axes.axvspan(distances[-1], SHOWN[1], color=theme.line, alpha=0.35, linewidth=0)
    for axes, label in zip(
        grid[:, 0], ("|pair force|", "largest relative error", "pairs in the data"), strict=True
    ):
        axes.set_ylabel(label, color=theme.muted, fontsize=9)
    grid[0, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure


def _force(axes: "Axes", r: FloatArray, values: FloatArray, colour: str, dash: str, label: str) -> None:
    """|values|; a wrong sign is no force on this scale, so what changes sign breaks off."""
    main = np.sign(np.median(values))
    axes.plot(r, np.where(values * main > 0, np.abs(values), np.nan), dash, color=colour, label=label)
