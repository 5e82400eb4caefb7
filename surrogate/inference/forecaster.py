"""A trained model as users meet it: the border between their arrays and the networks.

Shapes, dtypes, horizons, training range and refusals are dealt with here and units in
:mod:`surrogate.inference.batched_forward`, so that a model is only `model(x, v, q, horizon, masses)`.
:func:`surrogate.load` makes them.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from physics.errors import InputError
from physics.types import FloatArray, System
from surrogate.inference.batched_forward import NOTHING, Given, Passed, Passes, State, has_values
from surrogate.inference.forecast import Cost, Forecast
from surrogate.inference.given_arrays import (
    Asked,
    asked_states,
    given_tensors,
    refuse_masses,
    system_fields,
    turned_given,
)
from surrogate.inference.training_range import (
    horizon_outside,
    masses_missing,
    not_finite,
    reasons_outside,
    states_outside,
    units_outside,
)
from surrogate.models.base import SurrogateModel
from surrogate.tasks.dynamics.ranges import States
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import FIELDS

UNIT_SCALES = Scales()
MASS_SLACK = 1e-6
"""Masses that differ by less, as a share, are equal."""


class Forecaster:
    """A trained model with its card, ready to forecast.

    Attributes
    ----------
    name, task : str
    card : mapping
        What it was trained on: law, n, N, horizon, measured error.
    seen : mapping or None
        Marks of the training samples: see :mod:`surrogate.tasks.dynamics.signatures`.
    horizons : "any" or tuple of float [time]
    dims, particles : "any" or tuple of int
        What the weights accept; the card says what they were trained on.
    uses_masses, gives_velocity, chooses_evaluations, takes_graphs : bool
    horizon : float [time]
        The one it forecasts, or the usual one of a model that takes any.
    usual_horizon : float [time]
        Of forecasts that name none.
    evaluations : int
        Message rounds in one forecast of `horizon`.
    tolerance : float or None [length]
        Where set, each sample chooses its own number of evaluations (see `with_tolerance`).
    cost : Cost
        Of the last forecast.
    digest : str
        SHA-256 of the checkpoint.
    scales : Scales
        The units the network was trained in.
    sees : tuple of str
        What a forecast depends on, of "positions", "velocities", "charges", "masses" and `takes`.
    takes : tuple of str
        Of "species", "edges", "uniform_field" and "magnetic_field" what it needs beside the state.
    bound : dict of str to array
        Those of one system, for forecasts that are given none: see `with_given`.
    """

    def __init__(
        self,
        model: SurrogateModel,
        *,
        name: str,
        card: Mapping[str, Any],
        horizon: float,
        scales: Scales = UNIT_SCALES,
        digest: str = "",
        device: str | torch.device = "cpu",
    ) -> None:
        self.name, self.digest, self.task = name, digest, "dynamics"
        self.card = {key: value for key, value in card.items() if key != "seen"}
        self.seen = card.get("seen")
        self.horizons: tuple[float, ...] | str = "any" if model.any_horizon else (horizon,)
        self.horizon = horizon
        self.usual_horizon = 1.0 if model.any_horizon else horizon
        self._measured_horizon = horizon
        self.sees, self.takes, self.bound = tuple(model.sees), model.takes, dict[str, FloatArray]()
        self.dims: tuple[int, ...] | str = "any" if model.dims is None else (model.dims,)
        self.particles: tuple[int, ...] | str = "any"
        self.uses_masses = model.uses_masses
        self.gives_velocity = model.gives_velocity
        self.chooses_evaluations, self.takes_graphs = model.chooses_evaluations, model.takes_graphs
        per_unit = horizon / scales.time if model.any_horizon else 1
        self.evaluations = max(round(model.evaluations * per_unit), min(model.evaluations, 1))
        self.tolerance: float | None = None
        self.cost = Cost(float(self.evaluations), None)
        self.group = model.group
        self.scales = scales
        self.device = torch.device(device)
        self.passes = Passes(model, scales, self.device)

    def with_evaluations(self, evaluations: int) -> "Forecaster":
        """The same model, spending so many evaluations on each `horizon`.

        Raises
        ------
        InputError
            Where the model cannot choose, or for fewer than one.
        """
        if not self.chooses_evaluations:
            raise InputError(f"model {self.name!r} always uses {self.evaluations} evaluations and cannot choose")
        if evaluations != int(evaluations) or evaluations < 1:
            raise InputError(f"evaluations must be a whole number from 1; got {evaluations}")
        other = copy.copy(self)
        other.evaluations = evaluations
        return other

    def with_tolerance(self, tolerance: float) -> "Forecaster":
        """The same model, choosing for each sample how many evaluations it takes.

        They start at a quarter of `evaluations` and are doubled until that moves the positions by less than
        `tolerance` [length] (root mean square), at most 64 times the start.

        Raises
        ------
        InputError
            Where the model cannot choose, or for a tolerance that is not positive.
        """
        other = self.with_evaluations(self.evaluations)
        if not 0 < tolerance < math.inf:
            raise InputError(f"tolerance must be positive and finite; got {tolerance:g}")
        other.tolerance = tolerance
        return other

    def with_horizon(self, horizon: float) -> "Forecaster":
        """A model of any horizon with another usual one, at the same evaluations per unit of time."""
        self._refuse_horizon(horizon)
        other = copy.copy(self)
        other.evaluations = self.rounds(horizon)
        other.horizon = other.usual_horizon = horizon
        return other

    def with_given(self, **arrays: Any) -> "Forecaster":
        """The same model for one system: species (N,), edges (N, N), uniform_field (n,), magnetic_field (n, n).

        What the model does not take is left aside.
        """
        taken = {name: arrays[name] for name in self.takes if name in arrays}
        if not taken:
            return self  # whose `cost` its owner reads
        other = copy.copy(self)
        other.bound = self.bound | {name: np.asarray(a, dtype=np.float64) for name, a in taken.items()}
        return other

    def _beside(self, given: Mapping[str, Any] | None, x: Tensor) -> Given:
        """What the model takes beside states x: what is given, else what it is bound to."""
        return given_tensors(self.takes, given or self.bound, x, self.name)

    def of_system(self, system: System, n_dims: int) -> "Forecaster":
        """The same model, bound to the fields of a system where it takes fields and is bound to none."""
        return self if self.bound.keys() & FIELDS else self.with_given(**system_fields(system.fields, n_dims))

    def turned(self, matrix: FloatArray) -> "Forecaster":
        """The same model where every position x of its system became matrix @ x: bound fields turn along."""
        return self.with_given(**turned_given(self.bound, matrix)) if self.bound else self

    def rounds(self, horizon: float) -> int:
        """Evaluations of a forecast of so long [time]."""
        if not self.chooses_evaluations:
            return self.evaluations
        return max(round(self.evaluations * abs(horizon / self.horizon)), 1)

    def network(self, dtype: torch.dtype) -> SurrogateModel:
        """The network in float32 or float64 (converted once); forecasts follow what is done to it."""
        return self.passes.network(dtype)

    def forecast(
        self,
        positions: Any,
        velocities: Any,
        charges: Any,
        horizon: float | None = None,
        *,
        masses: Any = None,
        evaluations: int | None = None,
        tolerance: float | None = None,
        **given: Any,
    ) -> Forecast:
        """The state one horizon later.

        Parameters
        ----------
        positions, velocities : (samples, N, n) or (N, n) array or tensor [length], [length/time]
            float32 and float64 are computed as such, everything else becomes float64.
        charges : (samples, N) or (N,) [charge]
        horizon : float [time], optional
            By default the model's own; of a model that takes any, 1 unless bound by `with_horizon`.
        masses : like charges, optional [mass]
            By default all equal: the unit of mass the model was trained in, 1 but for own data with masses.
        evaluations : int, optional
            Message rounds, for models that choose.
        tolerance : float, optional [length]
            Let each sample choose its own number, starting at a quarter of `evaluations`: see `with_tolerance`.
        given : optional
            What a model `takes`: species (samples, N), edges (samples, N, N), uniform_field (samples, n),
            magnetic_field (samples, n, n); without the first axis for all samples. Of two fields one may be left
            out, which is then 0.

        Returns
        -------
        Forecast
            Same shape, kind, dtype and device as positions. Tensors stay differentiable.

        Raises
        ------
        InputError
            (a ValueError) for what does not fit, saying what the model does.
        """
        horizon = self.usual_horizon if horizon is None else horizon
        asked = asked_states(positions, velocities, charges, masses)
        beside = self.beside(asked, horizon, given)
        chosen = self if tolerance is None else self.with_tolerance(tolerance)
        rounds = self.rounds(horizon) if evaluations is None else self.with_evaluations(evaluations).evaluations
        passed = chosen.passed(asked.state, asked.x.dtype, horizon, rounds, beside)
        self.cost = chosen.cost
        return self.answered(asked, passed, horizon, beside)

    def beside(self, asked: Asked, horizon: float, given: Mapping[str, Any]) -> Given:
        """What the model takes beside states that it is asked for; what does not fit is refused."""
        self.refuse_unfit(asked.x.shape[2], asked.x.shape[1], horizon, asked.m)
        return self._beside(given, asked.x)

    def answered(self, asked: Asked, passed: Passed, horizon: float, beside: Given) -> Forecast:
        """What users get of the passes over their states."""
        outside, finite = self._remarks(asked.state, horizon, (passed.positions, passed.velocities), beside)
        results: list[Any] = []
        for value in (passed.positions, passed.velocities):
            if value is None:
                results.append(None)
                continue
            value = value[0] if asked.single else value
            results.append(value.to(asked.x.device) if asked.as_tensor else value.detach().cpu().numpy())
        spent: Any = passed.evaluations
        if has_values(spent):
            spent = int(spent[0]) if asked.single else spent.numpy()
        return Forecast(results[0], results[1], outside, spent, finite[0] if asked.single else finite)

    def _remarks(
        self, state: State, horizon: float, forecast: Sequence[Tensor | None], beside: Given = NOTHING
    ) -> tuple[tuple[str, ...], Any]:
        """What is said of a forecast, and of which samples all numbers are finite.

        Under `torch.func` there are no numbers to look at: nothing is said of them then.
        """
        states = None
        if all(t is None or has_values(t) for t in state):
            x, v, q = (t.detach().cpu().double().numpy() for t in state[:3])
            m = None if state[3] is None else state[3].detach().cpu().double().numpy()
            known = {name: t.detach().cpu().double().numpy() for name, t in beside.items() if has_values(t)}
            states = States(x, v, q, m, given=known if self.takes else None)
        outside = self.outside(state[0].shape[2], state[0].shape[1], states=states, horizon=horizon)
        if state[3] is None and self.uses_masses:
            outside += masses_missing(self.card, self.scales)
        given = [t.detach() for t in forecast if t is not None]
        finite = torch.stack([torch.isfinite(t).all(dim=2).all(dim=1) for t in given]).all(dim=0)
        if not has_values(finite):
            return outside, finite
        mask = finite.cpu().numpy()
        return outside + not_finite(mask), mask

    def forecast_in(
        self,
        x: FloatArray,
        v: FloatArray,
        q: FloatArray,
        dtype: torch.dtype,
        m: FloatArray | None = None,
        given: Mapping[str, FloatArray] | None = None,
    ) -> tuple[FloatArray, FloatArray | None]:
        """Forecasts of float64 states computed in `dtype`: centred before the cast, back in float64 after it.

        Parameters
        ----------
        x, v : (samples, N, n) float64
        q : (samples, N) float64
        m : (samples, N) float64, optional
            Used by models that use masses.
        given : mapping of str to (samples, ...) float64, optional
            What the model `takes`; by default what it is bound to.
        """
        with torch.no_grad():
            # torch.tensor copies: the arrays of a Trajectory are read-only
            x_in, v_in, q_in = (torch.tensor(np.asarray(array), device=self.device) for array in (x, v, q))
            masses = None
            if m is not None and self.uses_masses:
                masses = torch.tensor(np.asarray(m), device=self.device)
                refuse_masses(masses)
            beside = self._beside(given, x_in)
            passed = self.passed((x_in, v_in, q_in, masses), dtype, self.horizon, self.evaluations, beside)
        v_hat = passed.velocities
        return passed.positions.cpu().numpy(), None if v_hat is None else v_hat.cpu().numpy()

    def positions_after(
        self, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray, *, double: bool
    ) -> FloatArray:
        """Positions one horizon later, as `forecast_in`, for those who know no torch: in float32 or in float64."""
        return self.forecast_in(x, v, q, torch.float64 if double else torch.float32, m)[0]

    def passed(self, state: State, dtype: torch.dtype, horizon: float, evaluations: int, beside: Given) -> Passed:
        """The passes over a state; `cost` is set."""
        passed = self.passes.run(state, dtype, horizon, evaluations, self.tolerance, beside)
        self.cost = Cost(float(passed.evaluations.double().mean()), passed.force_evaluations)
        return passed

    def _refuse_horizon(self, horizon: float) -> None:
        fixed = self.horizons != "any"
        if not fixed and (not math.isfinite(horizon) or horizon == 0):
            raise InputError(f"horizon must be finite and not 0; got {horizon:g}")
        if not math.isfinite(horizon) or (fixed and abs(horizon - self.horizon) > 1e-6 * self.horizon):
            raise InputError(f"model {self.name!r} forecasts a horizon of {self.horizon:g} only; got {horizon:g}")

    def refuse_unfit(self, n_dims: int, n_particles: int, horizon: float, masses: Tensor | None = None) -> None:
        """Raise InputError for what the model does not do."""
        self._refuse_horizon(horizon)
        if self.dims != "any" and n_dims not in self.dims:
            raise InputError(f"model {self.name!r} runs in n = {self.dims[0]} only; got n = {n_dims}")
        if n_particles < 2:
            raise InputError(f"model {self.name!r} needs at least 2 particles; got N = {n_particles}")
        unit = self.scales.mass
        if masses is not None and not self.uses_masses and bool((masses - unit).abs().gt(MASS_SLACK * unit).any()):
            same = "unit masses" if unit == 1 else f"equal masses of {unit:g}"
            raise InputError(f"model {self.name!r} was made for {same} and takes no others")
        if masses is not None:
            refuse_masses(masses)

    def outside(
        self,
        n_dims: int,
        n_particles: int,
        law: Mapping[str, Any] | None = None,
        times: tuple[float, float] | None = None,
        *,
        states: States | None = None,
        horizon: float | None = None,
        units: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[str, ...]:
        """Why a request lies outside the training range; empty inside.

        Parameters
        ----------
        n_dims, n_particles, law, times
            See :func:`reasons_outside`.
        states : States, optional
            Input states: charges, masses, distances, speeds, box are compared: see :func:`states_outside`.
        horizon : float, optional [time]
            Of the forecast; by default the one that is usual for this model.
        units : mapping of str to str
            Labels of the data's own units: nothing is converted, so others than those of the training are named.
        """
        reasons = reasons_outside(self.card, n_dims, n_particles, law, times) + units_outside(self.card, units)
        if states is not None:
            reasons += states_outside(self.card, states, self.scales, self.sees)
        asked = abs(self.horizon if horizon is None else horizon)
        return reasons + horizon_outside(asked, self._measured_horizon, self.scales)

    def outside_system(
        self,
        system: System,
        n_dims: int,
        times: tuple[float, float] | None = None,
        *,
        states: States | None = None,
    ) -> tuple[str, ...]:
        """As `outside`, for a System."""
        law = {"law": system.law, "parameters": dict(system.parameters)}
        reasons = self.outside(n_dims, system.n_particles, law, times, states=states)
        said = any(reason.startswith("masses") for reason in reasons)
        unit = self.scales.mass
        if not said and not self.uses_masses and (np.abs(system.masses - unit) > MASS_SLACK * unit).any():
            reasons += (f"masses other than {unit:g}",)
        compared = () if states is None or states.given is None else ("electric field", "magnetic field")
        if others := [name for name in system.fields.names if name not in compared]:
            reasons += (f"{', '.join(others)} (trained: none)",)
        return reasons
