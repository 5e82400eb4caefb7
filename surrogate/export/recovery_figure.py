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

MARGIN = 4.0
"""How much farther, to either side, the histogram of distances goes than the comparison: the edges of the data."""


def recovery_figure(
    clean: Mapping[str, Curves],
    seen: Mapping[str, FloatArray],
    distances: FloatArray,
    noisy: Mapping[str, Curves] | None = None,
    units: Mapping[str, str] | None = None,
    formulas: Mapping[str, FloatArray] | None = None,
) -> "Figure":
    """One column a law; rows: force, relative error (where the true law is known), distances in the data.

    Parameters
    ----------
    clean : mapping of law to Curves
    seen : mapping of law to (M,) float64 [length]
    distances : (R,) float64 [length]
    noisy : mapping of law to Curves, optional
        The same learned from noisy positions.
    units : mapping of str to str, optional
        Labels of the data's units.
    formulas : mapping of law to (R,) float64, optional
        Forces of the laws' formulas.
    """
    theme = THEMES["light"]
    judged = any(true is not None for true, _, _ in clean.values())
    shown = (distances[0] / MARGIN, distances[-1] * MARGIN)
    labels = ("|pair force|", "largest relative error", "pairs in the data")
    figure = blank_figure(theme, (max(3.0 * len(clean), 5.0) + 0.6, 7.4 if judged else 5.6), dpi=120.0)
    heights = (3, 2, 1.2) if judged else (3, 1.2)
    grid = figure.subplots(len(heights), len(clean), squeeze=False, sharex=True, height_ratios=heights)
    for column, (name, (true, learned, error)) in enumerate(clean.items()):
        force, *between, histogram = grid[:, column]
        if true is not None:
            _force(force, distances, true, theme.truth, "-", "true")
            _force(force, distances, learned, theme.forecast, "--", "learned")
        else:
            _force(force, distances, np.maximum(learned, 0), theme.forecast, "-", "learned, repelling")
            _force(force, distances, np.minimum(learned, 0), theme.rollout, "--", "learned, attracting")
        if noisy and name in noisy:
            _force(force, distances, noisy[name][1], theme.rollout, ":", "learned, 1 % noise")
        if formulas and name in formulas:
            _force(force, distances, formulas[name], theme.text, ":", "formula")
        for below in between:
            below.plot(distances, error, color=theme.forecast)
            if noisy and name in noisy:
                below.plot(distances, noisy[name][2], color=theme.rollout, linestyle=":")
            for level in (0.02, 0.1):
                below.axhline(level, color=theme.muted, linewidth=0.8)
            below.set(yscale="log", ylim=(1e-4, 2.0))
        histogram.hist(seen[name], np.geomspace(*shown, 49), color=theme.muted)
        length = (units or {}).get("length")
        histogram.set(
            xscale="log", xlim=shown, xlabel=f"pair distance r [{length}]" if length else "pair distance r"
        )
        force.set_yscale("log")
        force.set_title(name, color=theme.text, fontsize=11, loc="left")
        for axes in (force, *between, histogram):
            styled(axes, theme)
            axes.axvspan(shown[0], distances[0], color=theme.line, alpha=0.35, linewidth=0)
            axes.axvspan(distances[-1], shown[1], color=theme.line, alpha=0.35, linewidth=0)
    for axes, label in zip(grid[:, 0], labels if judged else labels[::2], strict=True):
        axes.set_ylabel(label, color=theme.muted, fontsize=9)
    grid[0, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure


def _force(axes: "Axes", r: FloatArray, values: FloatArray, colour: str, dash: str, label: str) -> None:
    """|values|; a wrong sign is no force on this scale, so what changes sign breaks off."""
    main = np.sign(np.median(values[values != 0])) if values.any() else 0.0
    if not main:
        return
    axes.plot(r, np.where(values * main > 0, np.abs(values), np.nan), dash, color=colour, label=label)
