"""A rollout comparison: the truth and the forecast on the same frames, with their numbers. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from physics.types import FloatArray, Trajectory


def drift(values: FloatArray, start: FloatArray) -> FloatArray:
    """|value - start| / |start| of each frame, or the plain difference where start is nearly zero, (n_frames,)."""
    flat = values.reshape(len(values), -1)
    away = np.linalg.norm(flat - start.ravel(), axis=1)
    size = float(np.linalg.norm(start))
    return np.asarray(away / size if size > 1e-9 else away)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Truth and forecast side by side, under one world rotation.

    Attributes
    ----------
    truth : Trajectory
        (n_frames, n_particles, n_dims), already rotated.
    forecast : Trajectory
        On the same times. For a model of fixed horizon H the sliding forecast: every frame is predicted from
        the truth H earlier. Else the forecast of every frame from the first state.
    rollout : Trajectory or None
        On the same times: the model fed with its own forecasts (chained); None where that is `forecast`.
    rotation : (n_dims, n_dims) float64
        The world rotation that was applied, an element of O(n).
    equivariance_error : float
        Median over the transform(s) and samples, of the model only.
    model_name, scenario_name : str
    horizon : float or None
        The model's fixed horizon; None if any.
    outside_training : tuple of str
        Why this is outside the model's training range; empty if inside.
    law_known : bool
        False for data without a known law: then energies mean nothing.
    command : str
        The command line that makes this comparison again.
    details : mapping
        What the sidecar files add: versions, seed, checkpoint hash, recipe, notes.
    energy_shares : mapping of str to (n_frames, n_particles) float64
        Of "truth", "forecast", "rollout": every particle's energy and half of that of its pairs, as far as it
        was computed already, so that a window need not do it (:func:`with_energy_shares`).
    """

    truth: Trajectory
    forecast: Trajectory
    rollout: Trajectory | None
    rotation: FloatArray
    equivariance_error: float | None
    model_name: str
    scenario_name: str
    horizon: float | None = None
    outside_training: tuple[str, ...] = ()
    law_known: bool = True
    command: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    energy_shares: Mapping[str, FloatArray] = field(default_factory=dict)

    def shares_of(self, trajectory: Trajectory) -> FloatArray:
        """What each particle has of the energy of a trajectory, (n_frames, n_particles); computed if need be."""
        for source, shares in self.energy_shares.items():
            if getattr(self, source) is trajectory:
                return shares
        from physics.observables import particle_energies  # Numba: not for those who only draw

        return particle_energies(trajectory)

    def position_rmse(self, trajectory: Trajectory | None = None) -> FloatArray:
        """Root of the mean over particles and coordinates of the squared error, (n_frames,)."""
        other = self.forecast if trajectory is None else trajectory
        return np.asarray(np.sqrt(np.mean((other.positions - self.truth.positions) ** 2, axis=(1, 2))))

    def particle_errors(self, trajectory: Trajectory | None = None) -> FloatArray:
        """Distance between forecast and truth of every particle, (n_frames, n_particles)."""
        other = self.forecast if trajectory is None else trajectory
        return np.asarray(np.linalg.norm(other.positions - self.truth.positions, axis=-1))

    def energy_drift(self, trajectory: Trajectory) -> FloatArray | None:
        """Change of the total energy against the truth's first frame, relative to it, (n_frames,).

        None where the law is unknown.
        """
        if not self.law_known:
            return None
        energies = self.shares_of(trajectory).sum(axis=1)
        return drift(energies, self._first_energy())

    def _first_energy(self) -> FloatArray:
        """Of the truth's first frame, (1,)."""
        if "truth" in self.energy_shares:
            return np.asarray(self.energy_shares["truth"][:1].sum(axis=1))
        from physics.observables import particle_energies, single_frame  # Numba: as above

        truth = self.truth
        alone = single_frame(truth.system, truth.state(0), truth.velocity_offset)
        return np.asarray(particle_energies(alone).sum(axis=1))

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: plain numbers and lists, None where something is unknown."""
        from physics.observables import momentum, total_energy  # Numba: not for those who only draw

        result: dict[str, Any] = {
            "times": self.truth.times.tolist(),
            "position_rmse": self.position_rmse().tolist(),
            "energy_truth": total_energy(self.truth).tolist() if self.law_known else None,
            "energy_forecast": total_energy(self.forecast).tolist() if self.law_known else None,
            "momentum_truth": momentum(self.truth).tolist(),
            "momentum_forecast": momentum(self.forecast).tolist(),
            "equivariance_error": self.equivariance_error,
            "model": self.model_name,
            "scenario": self.scenario_name,
            "horizon": self.horizon,
            "outside_training": list(self.outside_training),
            "rotation": self.rotation.tolist(),
            "recipe": dict(self.details.get("recipe", {})),
            "command": self.command,
        }
        if self.rollout is not None:
            result["rollout_position_rmse"] = self.position_rmse(self.rollout).tolist()
            result["energy_rollout"] = total_energy(self.rollout).tolist() if self.law_known else None
        return result


def with_energy_shares(comparison: Comparison) -> Comparison:
    """The comparison with the energies of all its trajectories; as it is where the law is unknown."""
    if not comparison.law_known:
        return comparison
    sources = ("truth", "forecast", "rollout")
    trajectories = {source: getattr(comparison, source) for source in sources}
    shares = {source: comparison.shares_of(made) for source, made in trajectories.items() if made is not None}
    return replace(comparison, energy_shares=shares)
