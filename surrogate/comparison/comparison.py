"""A rollout comparison: the truth and the forecast on the same frames, with their numbers. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.times import same_spacing
from physics.types import FloatArray, Trajectory
from surrogate.comparison.box import PeriodicBox

ROLLOUT = "chained roll-out"
"""How `left_out` names it."""


def drift(values: FloatArray, start: FloatArray, scale: float = 1.0) -> FloatArray:
    """|value - start| / |start| of each frame, (n_frames,), or the plain difference where start is nearly zero.

    Parameters
    ----------
    scale : float
        How large the parts are that `start` is the sum of.
    """
    flat = values.reshape(len(values), -1)
    away = np.linalg.norm(flat - start.ravel(), axis=1)
    size = float(np.linalg.norm(start))
    return np.asarray(away / size if size > 1e-9 * scale else away)


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
        What the sidecar files add: versions, seed, checkpoint hash, recipe; labels of the data's `units`.
    notes : tuple of str
        What was filled in, guessed, chosen or changed, a phrase each.
    left_out : tuple of str
        What was not made of a large comparison, a phrase each.
    box : PeriodicBox or None
        Truth and forecasts run on past its walls; pictures draw them in it.
    energies : bool
        False where they are left out.
    frames : (n_frames,) int64 or None
        Which frames of the truth that it was made from these are; None where that is not known.
    forecasts_left : int
        How many frames of a comparison in the making have no forecast yet.
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
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    box: PeriodicBox | None = None
    energies: bool = True
    frames: NDArray[np.int64] | None = None
    forecasts_left: int = 0
    energy_shares: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def has_energies(self) -> bool:
        """Whether energies mean something and are made."""
        return self.law_known and self.energies

    @cached_property
    def even(self) -> bool:
        """Whether its frames are equally spaced."""
        times = self.truth.times
        return same_spacing(times if times[-1] >= times[0] else -times)

    def shares_of(self, trajectory: Trajectory) -> FloatArray:
        """What each particle has of the energy of a trajectory, (n_frames, n_particles); computed if need be."""
        for source, shares in self.energy_shares.items():
            if getattr(self, source) is trajectory:
                return shares
        from physics.observables import particle_energies  # Numba: not for those who only draw

        return particle_energies(self.unturned(trajectory))

    def drawn_positions(self, trajectory: Trajectory) -> FloatArray:
        """Where a trajectory is drawn, in the periodic box where there is one: (n_frames, n_particles, n_dims)."""
        return trajectory.positions if self.box is None else self.box.wrapped(trajectory.positions)

    def unturned(self, trajectory: Trajectory) -> Trajectory:
        """A trajectory as the engine takes it: its walls along the axes, where there is a box."""
        if self.box is None or not trajectory.system.boundary.repeats:
            return trajectory
        return trajectory.transformed(self.box.axes)

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
        if not self.has_energies:
            return None
        energies = self.shares_of(trajectory).sum(axis=1)
        return drift(energies, self._first_energy(), self._energy_scale())

    def momentum_drift(self, trajectory: Trajectory) -> FloatArray:
        """Change of the total momentum against the truth's first frame, relative to it, (n_frames,)."""
        from physics.observables import momentum  # Numba: as above

        start = momentum(self.truth)[0]
        return drift(momentum(trajectory), start, self._momentum_scale())

    def _energy_scale(self) -> float:
        """Kinetic energy of the truth's first frame; 1 where all is at rest [energy]."""
        m, v = self.truth.system.masses, self.truth.velocities[0]
        return float(0.5 * (m[:, None] * v**2).sum()) or 1.0

    def _momentum_scale(self) -> float:
        """Sum of m |v| of the truth's first frame; 1 where all is at rest [mass length/time]."""
        m, v = self.truth.system.masses, self.truth.velocities[0]
        return float((m * np.linalg.norm(v, axis=1)).sum()) or 1.0

    def _first_energy(self) -> FloatArray:
        """Of the truth's first frame, (1,)."""
        if "truth" in self.energy_shares:
            return np.asarray(self.energy_shares["truth"][:1].sum(axis=1))
        from physics.observables import particle_energies, single_frame  # Numba: as above

        truth = self.truth
        alone = single_frame(truth.system, truth.state(0), truth.velocity_offset)
        return np.asarray(particle_energies(self.unturned(alone)).sum(axis=1))

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: plain numbers and lists, None where something is unknown or left out."""
        from physics.observables import momentum  # Numba: not for those who only draw

        result: dict[str, Any] = {
            "times": self.truth.times.tolist(),
            "position_rmse": self.position_rmse().tolist(),
            "energy_truth": self._energy_list(self.truth),
            "energy_forecast": self._energy_list(self.forecast),
            "momentum_truth": momentum(self.truth).tolist(),
            "momentum_forecast": momentum(self.forecast).tolist(),
            "equivariance_error": self.equivariance_error,
            "model": self.model_name,
            "scenario": self.scenario_name,
            "horizon": self.horizon,
            "outside_training": list(self.outside_training),
            "notes": list(self.notes),
            "left_out": list(self.left_out),
            "units": dict(self.details.get("units", {})),
            "rotation": self.rotation.tolist(),
            "recipe": dict(self.details.get("recipe", {})),
            "command": self.command,
        }
        if self.rollout is not None:
            result["rollout_position_rmse"] = self.position_rmse(self.rollout).tolist()
            result["energy_rollout"] = self._energy_list(self.rollout)
        elif ROLLOUT in self.left_out:
            result |= {"rollout_position_rmse": None, "energy_rollout": None}
        return result

    def _energy_list(self, trajectory: Trajectory) -> list[float] | None:
        values = self.total_energy(trajectory)
        return None if values is None else [float(value) for value in values]

    def total_energy(self, trajectory: Trajectory) -> FloatArray | None:
        """Kinetic plus potential energy of each frame, (n_frames,) [energy]; None where there are no energies."""
        if not self.has_energies:
            return None
        from physics.observables import total_energy  # Numba: as above

        return total_energy(self.unturned(trajectory))


def with_energy_shares(comparison: Comparison) -> Comparison:
    """The comparison with the energies of all its trajectories; as it is where the law is unknown."""
    if not comparison.has_energies:
        return comparison
    sources = ("truth", "forecast", "rollout")
    trajectories = {source: getattr(comparison, source) for source in sources}
    shares = {source: comparison.shares_of(made) for source, made in trajectories.items() if made is not None}
    return replace(comparison, energy_shares=shares)
