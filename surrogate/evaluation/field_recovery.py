"""The uniform fields an integrator has learned, in the units of its data."""

from typing import Any

import torch

from physics.errors import InputError
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
