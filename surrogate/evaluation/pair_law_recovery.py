"""The pair force an integrator has learned, against the true one.

Compared is the force on real pairs of the data, summed over the law's channels: channels can trade off, so a
single one means nothing. The histogram of distances says where the data could teach anything at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.laws import LAWS
from physics.laws.names import is_law, law_claims, resolve_parameters
from physics.observables import accelerations
from physics.types import FloatArray, System
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator

Curves = tuple[FloatArray, FloatArray, FloatArray]
"""True force, learned force, relative error, each (R,)."""

NEAREST, FARTHEST, N_DISTANCES = 0.2, 5.0, 200
"""The range of distances that is compared [length], evenly in log r."""
N_PAIRS = 5
"""Pairs of the data compared: evenly from the strongest attraction to the strongest repulsion."""


@dataclass(frozen=True)
class Recovery:
    """A pair force, true and learned.

    Attributes
    ----------
    distances : (R,) float64 [length]
    true, learned : (P, R) float64 [force]
        Along r_ij, positive where repelling, for each of P pairs.
    pairs : (P, 4) float64
        q_i, q_j, m_i, m_j of each pair.
    seen : (M,) float64 [length]
        Pair distances in the data.
    law : str
    couplings : tuple of str
        Channels of the learned law.
    """

    distances: FloatArray
    true: FloatArray
    learned: FloatArray
    pairs: FloatArray
    seen: FloatArray
    law: str
    couplings: tuple[str, ...]

    @property
    def errors(self) -> FloatArray:
        """Relative error of each pair at each distance, (P, R)."""
        return np.asarray(np.abs(self.learned - self.true) / np.maximum(np.abs(self.true), 1e-300))

    def numbers(self) -> dict[str, Any]:
        """Median and largest relative error over all pairs and distances, and where it is."""
        worst = self.errors.max(axis=0)
        at = int(worst.argmax())
        within = np.mean((self.seen >= NEAREST) & (self.seen <= FARTHEST))
        return {
            "law": self.law,
            "couplings": ",".join(self.couplings),
            "nearest": float(self.distances[0]),
            "farthest": float(self.distances[-1]),
            "error_median": float(np.median(self.errors)),
            "error_largest": float(worst[at]),
            "error_largest_at": float(self.distances[at]),
            "pairs": self.pairs.tolist(),
            "share_of_seen_distances_in_range": float(within),
            "seen_nearest": float(self.seen.min()),
            "seen_farthest": float(self.seen.max()),
        }

    def curves(self) -> Curves:
        """What the figure draws: the strongest pair's force, the worst error of all pairs."""
        strongest = int(np.abs(self.true).max(axis=1).argmax())
        return self.true[strongest], self.learned[strongest], self.errors.max(axis=0)


def recovery(model: Forecaster, split: DataSplit) -> Recovery:
    """Compare the pair force of `model` with that of the law that made `split`.

    Raises
    ------
    InputError
        Where the model has no pair law, or the data no known law.
    """
    network = model.network(torch.float64)
    if not isinstance(network, Integrator):
        raise InputError(f"{model.name}: has no pair law to recover; expected a run of model 'integrator'")
    law = str(split.recipe.get("law"))
    if not is_law(law):
        raise InputError(f"{split.source}: says no law to compare with (recipe.law); known: {', '.join(LAWS)}")
    if split.n_particles < 2:
        raise InputError(f"{split.source}: systems of one particle have no pairs")
    distances = np.geomspace(NEAREST, FARTHEST, N_DISTANCES)
    # what the law scales with counts even where the model ignores it
    pairs = typical_pairs(split, (*network.couplings, *law_claims(law).couplings))
    true = true_forces(split, pairs, distances, pull=network.pull == "none")
    learned = learned_forces(model, network, pairs, distances)
    return Recovery(distances, true, learned, pairs, seen_distances(split), law, network.couplings)


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
    radial = network.law.coefficients(torch.as_tensor(distances / scales.length)).numpy() / scales.time**2
    radial = radial[: len(network.couplings)]  # what node features add vanishes with the step: it is no law
    q_i, q_j, m_i, m_j = pairs.T
    factors = {"constant": np.ones(len(pairs)), "charges": q_i * q_j, "masses": m_i * m_j}
    channels = np.stack([factors[name] for name in network.couplings])
    return np.asarray(np.einsum("cp,cr->pr", channels, radial) * distances)


def seen_distances(split: DataSplit) -> FloatArray:
    """Pair distances in every frame of the data, flat [length]."""
    first, second = np.triu_indices(split.n_particles, 1)
    x = np.asarray(split.positions, dtype=np.float64)
    return np.asarray(np.linalg.norm(x[:, :, first] - x[:, :, second], axis=-1).ravel())
