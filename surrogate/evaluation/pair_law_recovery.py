"""The pair force an integrator has learned, against the true one where the data's law is known.

Compared is the force on real pairs of the data, summed over the law's channels: channels can trade off, so a
single one means nothing. The histogram of distances says where the data could teach anything at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from physics.datasets.reading import available_splits, read_split
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.laws.names import is_law, law_claims, resolve_parameters
from physics.observables import accelerations
from physics.types import FloatArray, System
from surrogate.evaluation.evaluation_set import input_states, windows_at
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator

Curves = tuple[FloatArray | None, FloatArray, FloatArray | None]
"""True force, learned force, relative error, each (R,); the learned one alone where the law is unknown."""

NEAREST, FARTHEST, N_DISTANCES = 0.2, 5.0, 200
"""The range of distances that is compared [length], evenly in log r."""
SEEN_QUANTILES = (0.01, 0.99)
"""The range where few pairs are in the one above: of the distances in the data."""
LEAST_SEEN, LEAST_SEEN_OF_KNOWN = 0.5, 0.1
"""Few are less than this share of them; of a known law (free charges drift far apart)."""
MOST_SEEN = 2_000_000
"""Pair distances that are looked at: of frames spread evenly."""
N_PAIRS = 5
"""Pairs of the data compared: evenly from the strongest attraction to the strongest repulsion."""


def recovery_split(path: Path | str) -> DataSplit:
    """What a law is recovered from: the training split of a data set where it has one, else its first."""
    splits = available_splits(path)
    return read_split(path, "train" if "train" in splits else next(iter(splits), ""))


@dataclass(frozen=True)
class Recovery:
    """A pair force, learned and, where the law is known, true.

    Attributes
    ----------
    distances : (R,) float64 [length]
    learned : (P, R) float64 [force]
        Along r_ij, positive where repelling, for each of P pairs.
    true : (P, R) float64 or None [force]
    pairs : (P, 4) float64
        q_i, q_j, m_i, m_j of each pair.
    seen : (M,) float64 [length]
        Pair distances in the data.
    law : str or None
    couplings : tuple of str
        Channels of the learned law.
    """

    distances: FloatArray
    true: FloatArray | None
    learned: FloatArray
    pairs: FloatArray
    seen: FloatArray
    law: str | None
    couplings: tuple[str, ...]

    @property
    def errors(self) -> FloatArray | None:
        """Relative error of each pair at each distance, (P, R)."""
        if self.true is None:
            return None
        return np.asarray(np.abs(self.learned - self.true) / np.maximum(np.abs(self.true), 1e-300))

    def numbers(self) -> dict[str, Any]:
        """The learned force, and of its relative error the median and the largest over all pairs and distances."""
        nearest, farthest = float(self.distances[0]), float(self.distances[-1])
        found: dict[str, Any] = {
            "law": self.law,
            "couplings": ",".join(self.couplings),
            "nearest": nearest,
            "farthest": farthest,
            "pairs": self.pairs.tolist(),
            "share_of_seen_distances_in_range": float(np.mean((self.seen >= nearest) & (self.seen <= farthest))),
            "seen_nearest": float(self.seen.min()),
            "seen_farthest": float(self.seen.max()),
            "distances": self.distances.tolist(),
            "force": self.learned.tolist(),
        }
        if (errors := self.errors) is not None:
            worst = errors.max(axis=0)
            at = int(worst.argmax())
            found["error_median"] = float(np.median(errors))
            found["error_largest"] = float(worst[at])
            found["error_largest_at"] = float(self.distances[at])
        return found

    @property
    def strongest(self) -> int:
        """The pair with the largest force."""
        return int(np.abs(self.learned if self.true is None else self.true).max(axis=1).argmax())

    def curves(self) -> Curves:
        """What the figure draws: the strongest pair's force, the worst error of all pairs."""
        errors, strongest = self.errors, self.strongest
        true = None if self.true is None else self.true[strongest]
        return true, self.learned[strongest], None if errors is None else errors.max(axis=0)


def recovery(model: Forecaster, split: DataSplit) -> Recovery:
    """The pair force of `model`, beside that of the law that made `split` where it is known.

    Raises
    ------
    InputError
        Where the model has no pair law, or the data no pairs.
    """
    network = model.network(torch.float64)
    if not isinstance(network, Integrator):
        raise InputError(f"{model.name}: has no pair law to recover; expected a run of model 'integrator'")
    if others := [name for name in network.couplings if name not in ("constant", "charges", "masses")]:
        raise InputError(f"{model.name}: has a channel of {others[0]}, which no pair of charges and masses shows")
    if split.n_particles < 2:
        raise InputError(f"{split.source}: systems of one particle have no pairs")
    law = str(split.recipe.get("law")) if is_law(split.recipe.get("law")) else None
    seen = seen_distances(split)
    limits = (NEAREST, FARTHEST)
    if np.mean((seen >= NEAREST) & (seen <= FARTHEST)) < (LEAST_SEEN if law is None else LEAST_SEEN_OF_KNOWN):
        limits = tuple(np.quantile(seen, SEEN_QUANTILES))
    if not limits[0] > 0:
        raise InputError(f"{split.source}: particles on top of each other; no range of distances to show")
    distances = np.geomspace(*limits, N_DISTANCES)
    # what the law scales with counts even where the model ignores it
    pairs = typical_pairs(split, (*network.couplings, *(law_claims(law).couplings if law else ())))
    true = true_forces(split, pairs, distances, pull=network.pull == "none") if law else None
    learned = learned_forces(model, network, pairs, distances)
    return Recovery(distances, true, learned, pairs, seen, law, network.couplings)


def outside_of(model: Forecaster, split: DataSplit) -> list[str]:
    """What is said of data unlike those the model has learned its law from, at their first state."""
    w = windows_at(split, split.first_state)
    states = input_states(split, w)
    reasons = model.outside(split.n_dims, split.n_particles, split.recipe, states=states, units=split.units)
    return [f"outside training: {reason}" for reason in reasons if not reason.startswith("N =")]


def typical_pairs(split: DataSplit, couplings: Sequence[str]) -> FloatArray:
    """Charges and masses of some pairs of the data, (P, 4): evenly in what scales the force they feel."""
    first, second = np.triu_indices(split.n_particles, 1)
    q, m = (np.asarray(a, dtype=np.float64) for a in (split.charges, split.masses))
    everyone = np.stack([q[:, first], q[:, second], m[:, first], m[:, second]], axis=-1).reshape(-1, 4)
    by_charge = bool("charges" in couplings and q.any())
    strength = everyone[:, 0] * everyone[:, 1] if by_charge else everyone[:, 2] * everyone[:, 3]
    values, where = np.unique(strength, return_index=True)
    chosen = np.unique(np.linspace(0, len(values) - 1, N_PAIRS).round().astype(int))
    return np.asarray(everyone[where[chosen]])


def true_forces(split: DataSplit, pairs: FloatArray, distances: FloatArray, *, pull: bool) -> FloatArray:
    """The law's force on particle i of each pair alone, along r_ij: (P, R) [force].

    Strengths that the law divides by N are those of the data's N, not of a pair's 2; without `pull`, the pull
    to the centre is left out (the model has one of its own).
    """
    law = str(split.recipe["law"])
    parameters = resolve_parameters(law, split.recipe.get("parameters") or {})
    for name, value in parameters.items():
        plain = name.rpartition(".")[2]  # of a sum each has its law in front
        if plain in ("k", "kappa"):
            parameters[name] *= 2.0 / split.n_particles if plain == "k" or pull else 0.0
        elif value == "gauss":
            parameters[name] = float(split.n_dims - 1)
    x = np.zeros((len(distances), 2, 1))
    x[:, 0, 0] = distances
    forces = []
    for q_i, q_j, m_i, m_j in pairs:
        system = System([q_i, q_j], [m_i, m_j], law, parameters)
        forces.append(m_i * accelerations(system, x)[:, 0, 0])
    return np.array(forces)


@torch.no_grad()
def learned_forces(model: Forecaster, network: Integrator, pairs: FloatArray, distances: FloatArray) -> FloatArray:
    """The same of the learned law, in the data's own units: (P, R) [force]."""
    scales = model.scales
    radial = network.law.coefficients(torch.as_tensor(distances / scales.length)).numpy()
    radial = radial * (scales.mass / scales.time**2)
    radial = radial[: len(network.couplings)]  # what node features add vanishes with the step: it is no law
    factors = coupling_factors(pairs / [scales.charge, scales.charge, scales.mass, scales.mass], network.couplings)
    return np.asarray(np.einsum("pc,cr->pr", factors, radial) * distances)


def coupling_factors(pairs: FloatArray, couplings: Sequence[str]) -> FloatArray:
    """k_i k_j of pairs (P, 4) of q_i, q_j, m_i, m_j in each channel: (P, C)."""
    q_i, q_j, m_i, m_j = pairs.T
    known = {"constant": np.ones(len(pairs)), "charges": q_i * q_j, "masses": m_i * m_j}
    return np.stack([known[name] for name in couplings], axis=1)


def seen_distances(split: DataSplit) -> FloatArray:
    """Pair distances in the data, flat [length]: of every frame, or of frames spread evenly."""
    first, second = np.triu_indices(split.n_particles, 1)
    n_samples, n_frames = split.positions.shape[:2]
    step = -(-n_samples * n_frames * len(first) // MOST_SEEN)
    x = split.positions.reshape(-1, split.n_particles, split.n_dims)[::step]
    return np.concatenate(
        [np.linalg.norm(frame[first] - frame[second], axis=-1) for frame in x.astype(np.float64)]
    )
