"""The uniform fields an integrator has learned, in its data's units, and what the data's momentum says of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator


@torch.no_grad()
def learned_fields(model: Forecaster) -> dict[str, Any]:
    """What acts on a particle of mass m and charge q by itself, in the data's own units; empty where nothing does.

    Returns
    -------
    dict
        uniform: g (n,), a force m g [length/time^2]. electric: E (n,), a force q E. magnetic: B (n, n), a force
        q B v. drag: gamma [1/time], a force -m gamma v. trap: kappa [1/time^2], a force -m kappa (x - x_com).
        Of a given uniform field u, uniform_strength: {"per_mass": a, "per_charge": b}, a force (a m + b q) u; of a
        given B, magnetic_strength: c, a force c q B v.

    Raises
    ------
    InputError
        Where the model is no integrator.
    """
    network = model.network(torch.float64)
    if not isinstance(network, Integrator):
        raise InputError(f"{model.name}: has no fields to recover; expected a run of model 'integrator'")
    scales, found = model.scales, dict[str, Any]()
    acceleration, per_charge = scales.unit_of("uniform_field"), scales.mass / scales.charge
    if (fields := network.fields) is not None:
        value = {name: v.double() for name, v in fields.values.items()}
        if "uniform" in value:
            found["uniform"] = (acceleration * value["uniform"]).tolist()
        if "electric" in value:
            found["electric"] = (acceleration * per_charge * value["electric"]).tolist()
        if "magnetic" in value:
            found["magnetic"] = (scales.unit_of("magnetic_field") * fields.magnetic()).tolist()
        if "given-uniform" in value:
            by_mass, by_charge = value["given-uniform"].tolist()
            found["uniform_strength"] = {"per_mass": by_mass, "per_charge": per_charge * by_charge}
        if "given-magnetic" in value:
            found["magnetic_strength"] = float(value["given-magnetic"])
    if not network.conserve:
        found["drag"] = float(network.drag) / scales.time
    if network.pull != "none":
        found["trap"] = float(network.log_kappa.double().exp()) / scales.time**2
    return found


TRIMMED = 6.0
"""Windows whose momentum is off by more robust standard deviations count no more: a clamp acted in them."""
TRIMMINGS = 5


def momentum_balance(split: DataSplit, terms: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Fields from the total momentum of the data, which no pair force changes, with standard errors.

    Between frames, sum_i m_i v_i changes by M g dt + Q E dt + B d(sum_i q_i x_i): linear in the fields, whatever
    the pair law. Least squares over all frames, without windows that are far off.

    Parameters
    ----------
    split : DataSplit
    terms : sequence of str
        Of "uniform", "electric", "magnetic" those that may act.

    Returns
    -------
    dict
        For each term "value" and "error", as :func:`learned_fields` has them; errors of one standard deviation,
        from the scatter between trajectories. Empty where the data cannot tell the terms apart.
    """
    x, v = (np.asarray(a[:, split.first_state :], dtype=np.float64) for a in (split.positions, split.velocities))
    m, q = (np.asarray(a, dtype=np.float64)[:, None, :, None] for a in (split.masses, split.charges))
    n, dt = split.n_dims, np.diff(split.times[split.first_state :])
    change, moved = np.diff((m * v).sum(2), axis=1), np.diff((q * x).sum(2), axis=1)
    unit = np.eye(n)
    first, second = np.triu_indices(n, 1)
    planes = unit[:, None, first] * unit[None, :, second] - unit[:, None, second] * unit[None, :, first]
    columns = {
        "uniform": np.einsum("s,f,ab->sfab", m.sum(2).ravel(), dt, unit),
        "electric": np.einsum("s,f,ab->sfab", q.sum(2).ravel(), dt, unit),
        "magnetic": np.einsum("abk,sfb->sfak", planes, moved),
    }
    asked = [term for term in columns if term in terms]
    if not asked or not len(dt):
        return {}
    design = np.concatenate([columns[term] for term in asked], axis=-1)
    found = _robust_fit(design, change)
    if found is None:
        return {}
    made, at = dict[str, dict[str, Any]](), 0
    for term in asked:
        count = columns[term].shape[-1]
        value, error = (part[at : at + count] for part in found)
        at += count
        if term == "magnetic":
            value, error = planes @ value, np.abs(planes) @ error
        made[term] = {"value": value.tolist(), "error": error.tolist()}
    return made


def _robust_fit(design: FloatArray, change: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Parameters and errors from (samples, windows, n, k) and (samples, windows, n); None if undetermined."""
    kept = np.ones(change.shape[:2], dtype=np.bool_)
    for _ in range(TRIMMINGS):
        a, b = design[kept].reshape(-1, design.shape[-1]), change[kept].ravel()
        size = np.linalg.norm(a, axis=0)
        if not size.all() or np.linalg.matrix_rank(a / size, tol=1e-8 * np.sqrt(len(a))) < a.shape[1]:
            return None
        value = np.linalg.lstsq(a / size, b, rcond=None)[0] / size
        left = np.linalg.norm(change - design @ value, axis=-1)
        kept = left <= TRIMMED * max(float(np.median(left)), 1e-12 * float(np.abs(change).max()))
    rest = np.where(kept[..., None], change - design @ value, 0.0)
    bread = np.linalg.inv(np.einsum("sfak,sfal->kl", design * kept[..., None, None], design))
    scores = np.einsum("sfak,sfa->sk", design, rest)
    return value, np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread))
