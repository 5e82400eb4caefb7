"""Forecasts of many systems of any sizes in one call: nothing is padded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from physics.errors import InputError
from surrogate.inference.batched_forward import BATCH_EDGES, Given, Passed
from surrogate.inference.forecast import Forecast
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.given_arrays import Asked, asked_states
from surrogate.inference.outside_model import OutsideForecaster
from surrogate.models.graph_model import GraphModel


def forecast_many(
    model: Forecaster, systems: Sequence[Mapping[str, Any]], horizon: float | None = None
) -> list[Forecast]:
    """The state of each system one horizon later.

    Systems of different sizes are one graph where the model takes graphs; where it does not, or kernels for all
    pairs are faster, those of one size are a batch.

    Parameters
    ----------
    model : Forecaster
    systems : sequence of mappings
        Of each the arguments of :meth:`Forecaster.forecast` for one system: positions and velocities (N, n),
        charges (N,), and what else the model takes: masses (N,), edges (N, N), box (n,). All of one n.
    horizon : float [time], optional

    Returns
    -------
    list of Forecast
        In the order of the systems, each of the kind and dtype of its positions.

    Raises
    ------
    InputError
        For what does not fit, naming the system.
    """
    horizon = model.usual_horizon if horizon is None else horizon
    if isinstance(model, OutsideForecaster):
        return [model.forecast(horizon=horizon, **system) for system in systems]
    asked, beside = [], []
    for number, system in enumerate(systems):
        try:
            one, given = _asked(system)
            beside.append(model.beside(one, horizon, given))
        except InputError as error:
            raise InputError(f"system {number}: {error}") from None
        asked.append(one)
    if len(dims := {one.x.shape[2] for one in asked}) > 1:
        raise InputError(f"systems must have the same n; got {', '.join(map(str, sorted(dims)))}")
    found: dict[int, Passed] = {}
    for part in _parts(model, asked):
        passed = _passed(model, [asked[k] for k in part], [beside[k] for k in part], horizon)
        found.update(zip(part, passed, strict=True))
    return [model.answered(one, found[k], horizon, beside[k]) for k, one in enumerate(asked)]


def _asked(system: Mapping[str, Any]) -> tuple[Asked, Mapping[str, Any]]:
    """The state of one system, and what else is given."""
    state = {name: system[name] for name in ("positions", "velocities", "charges", "masses") if name in system}
    if missing := [name for name in ("positions", "velocities", "charges") if name not in state]:
        raise InputError(f"no {' and no '.join(missing)}")
    one = asked_states(**state)
    if not one.single:
        raise InputError(f"positions must be (N, n); got shape {tuple(one.x.shape)}")
    return one, {name: value for name, value in system.items() if name not in state}


def _parts(model: Forecaster, asked: Sequence[Asked]) -> Iterator[list[int]]:
    """Which systems are computed at once: as many as are few enough for one graph, or those of one size."""
    alike: dict[tuple[int, bool, torch.dtype], list[int]] = {}
    for k, one in enumerate(asked):
        as_graph = model.takes_graphs and model.passes.accelerated(one.x.dtype).differentiable
        size = 0 if as_graph else one.x.shape[1]
        alike.setdefault((size, one.m is None, one.x.dtype), []).append(k)
    for (size, *_), part in alike.items():
        some, edges = list[int](), 0
        for k in part:
            more = asked[k].x.shape[1] * (asked[k].x.shape[1] - 1)
            if some and not size and edges + more > BATCH_EDGES:
                yield some
                some, edges = [], 0
            some.append(k)
            edges += more
        yield some


def _passed(
    model: Forecaster, asked: Sequence[Asked], beside: Sequence[Given], horizon: float
) -> Sequence[Passed]:
    """The passes over some systems, which are of one size or are taken as a graph."""
    if len({one.x.shape[1] for one in asked}) > 1:
        return _together(model, asked, beside, horizon)
    x, v, q = (torch.cat(column) for column in zip(*((one.x, one.v, one.q) for one in asked), strict=True))
    masses = [one.m for one in asked if one.m is not None]
    given = {name: torch.cat([one[name] for one in beside]) for name in beside[0]}
    state = (x, v, q, torch.cat(masses) if masses else None)
    whole = model.passed(state, x.dtype, horizon, model.rounds(horizon), given)
    return [_sample(whole, k) for k in range(len(asked))]


def _together(
    model: Forecaster, asked: Sequence[Asked], beside: Sequence[Given], horizon: float
) -> Sequence[Passed]:
    """The passes over systems of any sizes as one graph, by a model that takes graphs."""
    passes, dtype = model.passes, asked[0].x.dtype
    network = passes.network(dtype)
    assert isinstance(network, GraphModel)
    inner = [passes.inner(one.state, dtype, given) for one, given in zip(asked, beside, strict=True)]
    x, v, q = (torch.cat(column, dim=1)[0] for column in zip(*(one.state[:3] for one in inner), strict=True))
    masses = [one.state[3][0] for one in inner if one.state[3] is not None]
    sizes = [one.state[0].shape[1] for one in inner]
    box, edges = ([one.beside[name][0] for one in inner if name in one.beside] for name in ("box", "edges"))
    graph = network.graph_of(x, sizes, box=torch.stack(box) if box else None, edges=edges or None)
    m = torch.cat(masses) if masses else None
    x_hat, v_hat = network(x, v, q, horizon / passes.scales.time, m, graph)
    moving = [None] * len(sizes) if v_hat is None else [part[None] for part in v_hat.split(sizes)]
    spent = torch.tensor([model.rounds(horizon)])
    return [
        Passed(*passes.outer(part[None], moved, one.centre, like.x), spent, None)
        for part, moved, one, like in zip(x_hat.split(sizes), moving, inner, asked, strict=True)
    ]


def _sample(passed: Passed, k: int) -> Passed:
    """What a pass over a batch gave for one of its samples."""
    moving = None if passed.velocities is None else passed.velocities[k : k + 1]
    return replace(
        passed, positions=passed.positions[k : k + 1], velocities=moving, evaluations=passed.evaluations[k : k + 1]
    )
