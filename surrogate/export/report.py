"""report.html: the whole comparison in one file that opens without a network, video and figures included."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from physics.files import atomic_write
from surrogate.comparison.comparison import Comparison
from surrogate.export import still, video
from surrogate.export.base import ExportJob
from surrogate.export.metrics import installed_versions, summary
from surrogate.export.page import data_uri, definitions, document, section, table, tiles
from surrogate.export.page import escaped as e
from surrogate.render.captions import (
    pane_title,
    remarks,
    rotation_text,
    short_number,
    source_name,
    sources,
    unit_of,
    with_unit,
)
from surrogate.render.theme import DARK, LIGHT

VIDEO_LIMIT = 8 * 1024 * 1024
"""A larger video stays beside the report and is linked (base64 adds a third)."""


def export(job: ExportJob) -> list[Path]:
    """Write report.html, with the comparison.mp4 and comparison.png of the folder or, lacking those, its own."""
    job.step(0.0)
    with tempfile.TemporaryDirectory() as temporary:
        movie, picture = job.folder / "comparison.mp4", job.folder / "comparison.png"
        if not movie.exists():
            movie = Path(temporary) / movie.name
            video.write_video(movie, job.portion(0.0, 0.7))
        poster = picture.read_bytes() if picture.exists() else still.still_png(job.comparison, options=job.options)
        job.step(0.8)
        figures = {theme.name: still.figure_files(job.comparison, theme) for theme in (LIGHT, DARK)}
        job.step(0.9)
        large = movie.stat().st_size > VIDEO_LIMIT
        source = movie.name if large else data_uri(movie.read_bytes(), "video/mp4")
        beside = [job.folder / movie.name] if large and movie.parent != job.folder else []
        for copy in beside:
            atomic_write(copy, movie.read_bytes())
    text = page(job.comparison, source, data_uri(poster, "image/png"), figures)
    path = job.folder / "report.html"
    atomic_write(path, text.encode())
    job.finish()
    return [*beside, path]


def page(comparison: Comparison, movie: str, poster: str, figures: dict[str, dict[str, bytes]]) -> str:
    """The report as HTML.

    Parameters
    ----------
    movie, poster : str
        What the video and its first picture are read from: data URIs, or a file beside the report.
    figures : dict
        Figures as PNG files, by theme and name.
    """
    title = f"{comparison.model_name} on {comparison.scenario_name}"
    parts = [_header(comparison, title)]
    if comparison.outside_training:
        reasons = "; ".join(comparison.outside_training)
        parts.append(f'<p class="warning" role="note"><strong>Outside training.</strong> {e(reasons)}.</p>')
    if said := remarks(comparison):
        parts.append(f'<p class="remark" role="note"><strong>Of these data.</strong> {e(said)}.</p>')
    parts.append(tiles(_headline_numbers(comparison)))
    parts.append(
        f'<figure class="video"><video controls loop muted playsinline preload="metadata" poster="{poster}" '
        f'src="{e(movie)}"></video><figcaption>{e(_video_caption(comparison))}</figcaption></figure>'
    )
    parts.append(section("How to read it", _notes(comparison)))
    parts.append(section("Numbers", _numbers(comparison)))
    words = {"errors.png": "Position error over time", "conservation.png": "Conserved quantities over time"}
    pictures = ""
    for name, alt in words.items():
        light, dark = (data_uri(figures[theme][name], "image/png") for theme in ("light", "dark"))
        pictures += f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        pictures += f'<img alt="{e(alt)}" src="{light}"></picture>'
    parts.append(section("Over time", f'<div class="figures">{pictures}</div>'))
    parts.append(section("World rotation", _rotation(comparison)))
    parts.append(section("Make it again", _again(comparison)))
    parts += _appendix(comparison)
    return document(title, "\n".join(parts))


def _header(comparison: Comparison, title: str) -> str:
    truth = comparison.truth
    law = f"under the {truth.system.law} law" if comparison.law_known else "of an unknown law"
    law += " in a periodic box" if comparison.box is not None else ""
    law += f" with {' and '.join(truth.system.fields.names)}" if truth.system.fields.any else ""
    kind = "charged particles" if truth.system.charges.any() else "particles"
    first, last = (short_number(float(truth.times[frame])) for frame in (0, -1))
    lead = (
        f"What the learned surrogate {comparison.model_name} predicts for {truth.system.n_particles} {kind} in "
        f"{truth.n_dims} dimensions {law}, beside the ground truth on the same {truth.n_frames} frames, "
        f"t = {first} to {with_unit(last, comparison, 'time')}."
    )
    eyebrow = '<p class="eyebrow">Isotwin comparison</p>'
    return f'<header>{eyebrow}<h1>{e(title)}</h1><p class="lead">{e(lead)}</p></header>'


def _headline_numbers(comparison: Comparison) -> list[tuple[str, str, str]]:
    numbers = summary(comparison)
    forecast = numbers["forecast"]

    def length(value: float) -> str:
        return with_unit(short_number(value), comparison, "length")

    cards = [
        ("Mean RMSE", length(forecast["rmse_mean"]), source_name(comparison, "forecast")),
        ("RMSE at the end", length(forecast["rmse_end"]), source_name(comparison, "forecast")),
    ]
    if "rollout" in numbers:
        cards.append(("RMSE at the end", length(numbers["rollout"]["rmse_end"]), "chained roll-out"))
    error = comparison.equivariance_error
    known = error is not None and np.isfinite(error)
    cards.append(("Equivariance error", short_number(float(error or 0.0)) if known else "unknown", "of the model"))
    horizon = "any"
    if comparison.horizon is not None:
        horizon = with_unit(short_number(comparison.horizon), comparison, "time")
    cards.append(("Horizon", horizon, "time a forecast spans"))
    return cards


def _video_caption(comparison: Comparison) -> str:
    parts = [": ".join(pane_title(comparison, source)) for source in sources(comparison)]
    rotation = rotation_text(comparison)
    return ". ".join([*parts, "Rings: where the truth is", *([rotation.capitalize()] if rotation else [])]) + "."


def _notes(comparison: Comparison) -> str:
    notes = {}
    if comparison.horizon is None:
        notes["Forecast"] = "Every frame is predicted from the first state in one step."
    else:
        span = with_unit(short_number(comparison.horizon), comparison, "time")
        span = span if comparison.even else f"about {span}"
        notes["Sliding forecast"] = (
            f"Each frame is predicted from the true state {span} earlier. Errors do not add up: the curve shows "
            "how good one forecast is from each starting point."
        )
    if comparison.rollout is not None:
        notes["Chained roll-out"] = "The model is fed with its own forecasts. Errors add up" + (
            ", and where the motion is chaotic even a very good model leaves the truth after a while."
            if comparison.law_known
            else "."
        )
    notes["Equivariance error"] = (
        "How much turning the world changes the forecast beyond turning it: the median of "
        "|f(Rx, Rv) - R f(x, v)| / |f - centroid of f|. A model with the symmetry built in stays near round-off."
    )
    if comparison.law_known and comparison.truth.system.law == "reference":
        notes["Clamped law"] = (
            "This law cuts off large forces per coordinate, so it neither conserves energy nor is the same in "
            "every direction; energies are labelled so."
        )
    if not comparison.law_known:
        notes["Energy"] = "The law behind this data is not known, so no energies are shown."
    elif not comparison.energies:
        notes["Energy"] = "Energies of so many particles are left out; --in-full makes them."
    if comparison.details.get("gives_velocity") is False:
        where = "energies and momenta" if comparison.has_energies else "momenta"
        notes["Velocities"] = (
            "This model gives no velocities; the mean velocity over a forecast stands in for them, in "
            f"{where} too."
        )
    return "<dl>" + "".join(f"<dt>{e(name)}</dt><dd>{e(text)}</dd>" for name, text in notes.items()) + "</dl>"


def _numbers(comparison: Comparison) -> str:
    numbers = summary(comparison)
    shown = sources(comparison)
    rows = [
        ("Position RMSE, mean over frames", "rmse_mean"),
        ("Position RMSE, median over frames", "rmse_median"),
        ("Position RMSE, last frame", "rmse_end"),
    ]
    if comparison.has_energies:
        clamped = " (clamped: not conserved)" if comparison.truth.system.law == "reference" else ""
        rows.append((f"Energy drift, median{clamped}", "energy_drift"))
    rows.append(("Momentum drift, median", "momentum_drift"))
    body = []
    for label, key in rows:
        cells = [
            "–" if source == "truth" and key.startswith("rmse") else short_number(numbers[source][key])
            for source in shown
        ]
        body.append([label, *cells])
    note = "Drift: change against the truth's first frame, relative to it. Lengths in "
    note += unit_of(comparison, "length") or "the units of the data"
    note += "; positions run on past the walls of the box." if comparison.box is not None else "."
    return (
        table(["", *(source_name(comparison, source) for source in shown)], body)
        + f'<p class="note">{e(note)}</p>'
    )


def _rotation(comparison: Comparison) -> str:
    matrix = np.asarray(comparison.rotation, dtype=np.float64)
    if not rotation_text(comparison):
        return "<p>None: the world stands as the scenario or the data set has it.</p>"
    turns = comparison.details.get("turns", "")
    asked = f"<p>Applied left to right, about the origin: <strong>{e(turns)}</strong></p>" if turns else ""
    rows = "".join("<tr>" + "".join(f"<td>{value:.4f}</td>" for value in row) + "</tr>" for row in matrix)
    determinant = float(np.linalg.det(matrix))
    deviation = float(np.abs(matrix.T @ matrix - np.eye(len(matrix))).max())
    note = f"R, with det R = {determinant:+.0f} and largest entry of |RᵀR - 1| = {deviation:.1e}; x becomes R x."
    return f'{asked}<div class="scroll"><table class="matrix">{rows}</table></div><p class="note">{e(note)}</p>'


def _again(comparison: Comparison) -> str:
    if not comparison.command:
        return "<p>This comparison was not made by a command.</p>"
    return f"<pre><code>{e(comparison.command)}</code></pre>"


def _appendix(comparison: Comparison) -> list[str]:
    details: dict[str, Any] = dict(comparison.details)
    details.pop("turns", None)
    versions = {**installed_versions(), **details.pop("versions", {})}
    named = [("Recipe", details.pop("recipe", None)), ("Model card", details.pop("card", None))]
    named += [("Details", details), ("Versions", versions)]
    return [
        f"<details><summary>{e(name)}</summary>{definitions(content)}</details>"
        for name, content in named
        if content
    ]
