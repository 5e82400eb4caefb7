"""metrics.json and comparison.json: the numbers, and all it takes to make the comparison again."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from physics import __version__
from physics.errors import InputError
from physics.files import bounded_text, plain, write_json
from physics.scenario_files import fields_tree
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import Source, sources, with_unit

PACKAGES = ("numpy", "numba", "torch", "pyvista", "matplotlib", "imageio-ffmpeg")


def write_metrics(comparison: Comparison, folder: Path) -> Path:
    """Write metrics.json; what is not finite becomes null."""
    return write_json(folder / "metrics.json", comparison.metrics())


def write_sidecar(comparison: Comparison, folder: Path, files: list[str]) -> Path:
    """Write comparison.json: see :func:`sidecar`; `files` are the names of what was exported with it."""
    return write_json(folder / "comparison.json", {**sidecar(comparison), "files": files})


def earlier_files(comparison: Comparison, folder: Path) -> tuple[list[str], list[str]]:
    """Names of files an earlier export left in the folder, by its comparison.json: (to keep, to remove).

    Formats added to the same comparison leave the others in place; mixing two comparisons would mislead.
    """
    try:
        earlier = json.loads(bounded_text(folder / "comparison.json", 10_000_000))
        names = [name for name in earlier["files"] if isinstance(name, str)]
    except (InputError, ValueError, KeyError, TypeError):
        return [], []
    inside = folder.resolve()
    files = [name for name in names if (folder / name).is_file()]
    files = [name for name in files if (folder / name).resolve().is_relative_to(inside)]
    now = sidecar(comparison)
    same = all(earlier.get(key) == value for key, value in now.items() if key not in ("command", "versions"))
    return (files, []) if same else ([], files)


def sidecar(comparison: Comparison) -> dict[str, Any]:
    """What it takes to make the comparison again: command, model, system, rotation, versions, details."""
    truth = comparison.truth
    details = dict(comparison.details)
    versions = {**installed_versions(), **details.pop("versions", {})}
    result: dict[str, Any] = plain(
        {
            "format": 1,
            "command": comparison.command,
            "model": comparison.model_name,
            "scenario": comparison.scenario_name,
            "horizon": comparison.horizon,
            "n_dims": truth.n_dims,
            "n_particles": truth.system.n_particles,
            "n_frames": truth.n_frames,
            "law": truth.system.law if comparison.law_known else None,
            "parameters": truth.system.parameters if comparison.law_known else None,
            "fields": fields_tree(truth.system.fields),
            "box": None if comparison.box is None else comparison.box.lengths,
            "velocity_offset": truth.velocity_offset,
            "turns": details.pop("turns", ""),
            "rotation": comparison.rotation,
            "equivariance_error": comparison.equivariance_error,
            "outside_training": comparison.outside_training,
            "notes": comparison.notes,
            "units": details.pop("units", {}),
            "left_out": comparison.left_out,
            "versions": versions,
            "details": details,
        }
    )
    return result


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages a picture or a forecast depends on, without importing them."""
    found = {"isotwin": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def summary(comparison: Comparison) -> dict[Source, dict[str, float]]:
    """Headline numbers of each source.

    Returns
    -------
    dict
        By source: `rmse_mean`, `rmse_median`, `rmse_end` (0 for the truth) [length]; `energy_drift` (only if the
        law is known) and `momentum_drift`: medians over the frames of the change against the truth's first
        frame, relative to it.
    """
    result: dict[Source, dict[str, float]] = {}
    for source in sources(comparison):
        trajectory = getattr(comparison, source)
        rmse = comparison.position_rmse(trajectory)
        numbers = {
            "rmse_mean": float(rmse.mean()),
            "rmse_median": float(np.median(rmse)),
            "rmse_end": float(rmse[-1]),
            "momentum_drift": float(np.median(comparison.momentum_drift(trajectory))),
        }
        energy_drift = comparison.energy_drift(trajectory)
        if energy_drift is not None:
            numbers["energy_drift"] = float(np.median(energy_drift))
        result[source] = numbers
    return result


def summary_text(comparison: Comparison, folder: Path) -> str:
    """The comparison in a few lines, and where to look."""
    metrics = comparison.metrics()
    sliding, chained = np.array(metrics["position_rmse"]), metrics.get("rollout_position_rmse")
    n_frames, n, d = comparison.truth.positions.shape
    lines = [
        f"{comparison.model_name} on {comparison.scenario_name}: n = {d}, N = {n}, {n_frames} "
        + ("frames" if n_frames > 1 else "frame")
        + (f", rotation {comparison.details['turns']}" if comparison.details.get("turns") else ""),
        f"  forecast one horizon ({comparison.horizon:g}) ahead   RMSE mean {sliding.mean():.4g}, "
        f"median {np.median(sliding):.4g}, largest {with_unit(f'{sliding.max():.4g}', comparison, 'length')}",
    ]
    if chained:
        lines.append(
            "  chained roll-out              RMSE at the end "
            + with_unit(f"{chained[-1]:.4g}", comparison, "length")
        )
    if comparison.details.get("rollout_note"):
        lines.append(f"  {comparison.details['rollout_note']}")
    if metrics["equivariance_error"] is not None:
        lines.append(f"  equivariance error            {metrics['equivariance_error']:.2g}")
    said = {
        "outside training": comparison.outside_training,
        "notes": comparison.notes,
        "left out": (*comparison.left_out, "--in-full makes all of it") if comparison.left_out else (),
    }
    lines += [f"  {name:<30}" + "; ".join(texts) for name, texts in said.items() if texts]
    found = [
        folder / name for name in ("report.html", "comparison.mp4", "comparison.png") if (folder / name).exists()
    ]
    lines.append("  look at                       " + ", ".join(map(str, found or [folder])))
    return "\n".join(lines) + "\n"
