"""Figures of a comparison's numbers over time, on Agg without global state; matplotlib is loaded when used."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from physics.observables import momentum
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import (
    Source,
    energy_unit,
    in_brackets,
    momentum_unit,
    remarks,
    shortened,
    source_name,
    sources,
    unit_of,
)
from surrogate.render.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES: dict[Source, Any] = {"truth": "-", "forecast": "-", "rollout": (0, (4.5, 1.6))}
"""Curves differ in dash as well as in colour."""

LABEL_GAP = 13.0
"""Distance between two labels at the ends of curves [point]."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a figure.

    Attributes
    ----------
    values : (n_frames,) float64
    """

    source: Source
    label: str
    values: FloatArray


def error_curves(comparison: Comparison) -> list[Curve]:
    """Position RMSE over time of the forecast and, if there is one, the chained roll-out [length]."""
    return _curves(comparison, comparison.position_rmse)[1:]


def energy_curves(comparison: Comparison) -> list[Curve]:
    """Total energy over time of everything there is [energy]."""
    return _curves(comparison, lambda trajectory: np.asarray(comparison.total_energy(trajectory)))


def momentum_curves(comparison: Comparison) -> list[Curve]:
    """Norm of the total momentum over time of everything there is [mass length/time]."""
    return _curves(comparison, lambda trajectory: np.linalg.norm(momentum(trajectory), axis=1))


def _curves(comparison: Comparison, quantity: Callable[[Trajectory], FloatArray]) -> list[Curve]:
    """A quantity (n_frames,) of everything there is, the truth first."""
    return [
        Curve(source, source_name(comparison, source), quantity(getattr(comparison, source)))
        for source in sources(comparison)
    ]


def errors_figure(comparison: Comparison, theme: Theme) -> "Figure":
    """Position error over time, logarithmic."""
    figure = blank_figure(theme, (8.0, 5.2))
    axes = figure.add_axes((0.09, 0.11, 0.71, 0.73))
    styled(axes, theme)
    draw_errors(axes, comparison, theme)
    axes.set_xlabel(in_brackets("time", unit_of(comparison, "time")), color=theme.muted)
    title = in_brackets("Position error", unit_of(comparison, "length"))
    heading(axes, title, f"RMSE over particles and coordinates: {caption(comparison)}", theme)
    end_labels(axes, comparison.truth.times, error_curves(comparison), theme)
    remark(figure, comparison, theme)
    return figure


def conservation_figure(comparison: Comparison, theme: Theme) -> "Figure":
    """Energy (where the law is known) and momentum over time."""
    energy = comparison.has_energies
    clamped = comparison.law_known and comparison.truth.system.law == "reference"
    figure = blank_figure(theme, (8.0, 7.0 if energy else 3.9))
    boxes = [(0.1, 0.575, 0.70, 0.31), (0.1, 0.085, 0.70, 0.31)] if energy else [(0.1, 0.14, 0.70, 0.62)]
    if energy:
        note = "clamped: not conserved" if clamped else "kinetic plus potential; the law conserves it"
        note = "kinetic plus potential; drag takes it away" if comparison.truth.system.fields.drag else note
        title = in_brackets("Total energy", energy_unit(comparison))
        _quantity(figure, boxes[0], comparison, energy_curves(comparison), (title, note), theme)
    law = "pair forces conserve it" + (", the clamp need not" if clamped else "")
    if comparison.truth.system.fields.any:
        law += f"; {' and '.join(comparison.truth.system.fields.names)} need not"
    note = "norm of the sum of m v" + (f"; {law}" if comparison.law_known else "")
    title = in_brackets("Momentum", momentum_unit(comparison))
    _quantity(figure, boxes[-1], comparison, momentum_curves(comparison), (title, note), theme)
    remark(figure, comparison, theme)
    return figure


def _quantity(
    figure: "Figure",
    box: tuple[float, float, float, float],
    comparison: Comparison,
    curves: list[Curve],
    words: tuple[str, str],
    theme: Theme,
) -> None:
    axes = figure.add_axes(box)
    styled(axes, theme)
    times = comparison.truth.times
    for curve in curves:
        draw_curve(axes, times, curve, theme, width=2.4 if curve.source == "truth" else 1.6)
    axes.set_ylim(robust_range(curves))
    axes.set_xlim(times.min(), times.max() if len(times) > 1 else times.min() + 1.0)
    axes.set_xlabel(in_brackets("time", unit_of(comparison, "time")), color=theme.muted)
    axes.yaxis.set_offset_position("right")  # a common factor of the numbers stands clear of the note
    heading(axes, *words, theme)
    end_labels(axes, times, curves, theme)


def robust_range(curves: list[Curve]) -> tuple[float, float]:
    """Limits that hold the truth and 96 % of the rest: one close encounter must not flatten everything."""
    values = np.concatenate([curve.values for curve in curves])
    truth = next((curve.values for curve in curves if curve.source == "truth"), values)
    low = min(float(np.percentile(values, 2.0)), float(truth.min()))
    high = max(float(np.percentile(values, 98.0)), float(truth.max()))
    pad = 0.12 * (high - low) or 0.1 * abs(high) or 1e-4
    return low - pad, high + pad


def caption(comparison: Comparison) -> str:
    """Model and system in a few words."""
    truth = comparison.truth
    words = shortened(f"{comparison.model_name} on {comparison.scenario_name}", 56)
    return f"{words}, n = {truth.n_dims}, N = {truth.system.n_particles}"


def blank_figure(theme: Theme, size: tuple[float, float], dpi: float = 100.0) -> "Figure":
    """An empty figure of the given (width, height) [inch] with an Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, facecolor=theme.background)
    FigureCanvasAgg(figure)
    return figure


def styled(axes: "Axes", theme: Theme) -> None:
    """Quiet axes: hairline grid, no box, muted numbers."""
    axes.set_facecolor("none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    axes.tick_params(colors=theme.muted, labelsize=9, length=0, which="both", pad=5)
    axes.grid(True, axis="y", color=theme.line, linewidth=0.8)
    axes.set_axisbelow(True)


def heading(axes: "Axes", title: str, note: str, theme: Theme) -> None:
    """Title and note above the axes, flush left."""
    at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(title, (0, 1), (0, 27), color=theme.text, fontsize=13, fontweight="bold", **at)
    axes.annotate(note, (0, 1), (0, 11), color=theme.muted, fontsize=9, **at)


def remark(figure: "Figure", comparison: Comparison, theme: Theme) -> None:
    """What was filled in, chosen and left out, small at the foot of a figure."""
    text = shortened(remarks(comparison), 150)
    figure.text(0.012, 0.012, text, color=theme.muted, fontsize=7.5)


def draw_curve(axes: "Axes", times: FloatArray, curve: Curve, theme: Theme, width: float = 2.0) -> None:
    """One curve in its source's colour and dash; a single frame is a dot."""
    axes.plot(
        times,
        curve.values,
        color=getattr(theme, curve.source),
        linestyle=DASHES[curve.source],
        linewidth=width,
        marker="o" if len(times) == 1 else "",
        solid_capstyle="round",
    )


def draw_errors(axes: "Axes", comparison: Comparison, theme: Theme, width: float = 2.0) -> None:
    """The error curves on a logarithmic scale; frames without any error are left out."""
    from matplotlib.ticker import LogLocator, NullLocator

    times, curves = comparison.truth.times, error_curves(comparison)
    positive = np.concatenate([curve.values[curve.values > 0] for curve in curves])
    for curve in curves:
        seen = np.where(curve.values > 0, curve.values, np.nan)
        draw_curve(axes, times, Curve(curve.source, curve.label, seen), theme, width)
    axes.set_yscale("log")
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (1e-3, 1.0)
    low = max(low, 1e-8 * high)
    spread = max(high / low, 12.0) ** 0.5 * 1.25
    middle = (low * high) ** 0.5
    axes.set_ylim(middle / spread, middle * spread)
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(times.min(), times.max() if len(times) > 1 else times.min() + 1.0)


def end_labels(
    axes: "Axes", times: FloatArray, curves: list[Curve], theme: Theme, size: float = 9.5, gap: float = LABEL_GAP
) -> None:
    """The name of each curve at its right end, moved apart where they would overlap."""
    points_per_pixel = 72.0 / axes.figure.dpi
    low, high = axes.get_ylim()
    x_end = axes.get_xlim()[1]
    ends = []
    for curve in curves:
        level = float(np.clip(curve.values[-1], low, high))
        ends.append(float(axes.transData.transform((x_end, level))[1]) * points_per_pixel)
    places = spread_apart(ends, gap)
    for curve, end, place in zip(curves, ends, places, strict=True):
        level = float(np.clip(curve.values[-1], low, high))
        axes.annotate(
            curve.label,
            (x_end, level),
            (9, place - end),
            xycoords="data",
            textcoords="offset points",
            va="center",
            color=getattr(theme, curve.source),
            fontsize=size,
            fontweight="bold",
            annotation_clip=False,
        )


def spread_apart(places: list[float], gap: float) -> list[float]:
    """The places moved as little as needed so that neighbours are at least `gap` apart, order kept."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=np.float64)[order]
    for _ in range(64):
        lacking = gap - np.diff(moved)
        if not (lacking > 1e-6).any():
            break
        push = np.where(lacking > 0, lacking, 0.0) / 2.0
        moved[:-1] -= push
        moved[1:] += push
    result = np.empty_like(moved)
    result[order] = moved
    return [float(place) for place in result]


def png_bytes(figure: "Figure", dpi: float = 200.0) -> bytes:
    """The figure as a PNG file, at twice the screen's resolution by default."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor())
    return buffer.getvalue()


def pixels(figure: "Figure") -> NDArray[np.uint8]:
    """The figure as drawn, (height, width, 3) uint8."""
    canvas: Any = figure.canvas
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
