"""A finished export in a few lines, for the terminal."""

from pathlib import Path

import numpy as np

from surrogate.comparison.comparison import Comparison


def summary_text(comparison: Comparison, folder: Path) -> str:
    """The comparison in a few lines, and where to look."""
    metrics = comparison.metrics()
    sliding, chained = np.array(metrics["position_rmse"]), metrics.get("rollout_position_rmse")
    n_frames, n, d = comparison.truth.positions.shape
    lines = [
        f"{comparison.model_name} on {comparison.scenario_name}: n = {d}, N = {n}, {n_frames} frames"
        + (f", rotation {comparison.details['turns']}" if comparison.details.get("turns") else ""),
        f"  forecast one horizon ({comparison.horizon:g}) ahead   RMSE mean {sliding.mean():.4g}, "
        f"median {np.median(sliding):.4g}, largest {sliding.max():.4g}",
    ]
    if chained:
        lines.append(f"  chained roll-out              RMSE at the end {chained[-1]:.4g}")
    if comparison.details.get("rollout_note"):
        lines.append(f"  {comparison.details['rollout_note']}")
    lines.append(f"  equivariance error            {metrics['equivariance_error']:.2g}")
    if comparison.outside_training:
        lines.append("  outside training              " + "; ".join(comparison.outside_training))
    found = [
        folder / name for name in ("report.html", "comparison.mp4", "comparison.png") if (folder / name).exists()
    ]
    lines.append("  look at                       " + ", ".join(map(str, found or [folder])))
    return "\n".join(lines) + "\n"
