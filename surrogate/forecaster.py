"""`load()` a trained model and `forecast()` with it: the border between users' arrays and the networks.

Shapes, dtypes, units, centring, training range and refusals are dealt with here, so that a model is only
`model(x, v, q, horizon, masses)`.
"""

import copy
import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physics.errors import InputError, unknown_name
from physics.types import System
from surrogate.checkpoint import ModelError, read_checkpoint
from surrogate.config import built_model, config_from_tree
from surrogate.data import Scales
from surrogate.doubling import until_agreed
from surrogate.models import SurrogateModel
from surrogate.zoo import shipped_models

FloatArray = NDArray[np.float64]
UNIT_SCALES = Scales()
TIME_SLACK = 0.5
"""How far from the trained times an input may lie before it is flagged [time]."""
BATCH_EDGES = 400_000
"""Directed edges per forward pass: bounds the memory of large requests."""
ModelState = tuple[Tensor, Tensor, Tensor, Tensor | None]
"""Positions, velocities, charges and masses (or None) as a network takes them."""
FIRST_SHARE = 4
"""With a tolerance, the first forecast takes the usual number of evaluations divided by this."""


@dataclass(frozen=True)
class Forecast:
    """What `forecast` returns.

    Attributes
    ----------
    positions : array or tensor like the input
    velocities : array or tensor like the input, or None where the model gives none
    outside_training : tuple of str
        Why this lies outside the model's training range; empty inside.
    evaluations : (samples,) int64 array, an int for a single system, or None where unknown
        Spent on each sample; those of discarded forecasts included where a tolerance was given.
    """

    positions: Any
    velocities: Any
    outside_training: tuple[str, ...] = ()
    evaluations: Any = None


@dataclass(frozen=True)
class Cost:
    """What the last forecast took, mean over its samples.

    Attributes
    ----------
    evaluations : float
    law_calls : float or None
        Per pair, of models that sub-step close pairs.
    """

    evaluations: float
    law_calls: float | None


class Forecaster:
    """A trained model with its card, ready to forecast.

    Parameters
    ----------
    frozen : bool
        Nobody else holds the model, so it may be asked for what is faster as long as its weights stay
        (`SurrogateModel.frozen`): until `network` hands it out.

    Attributes
    ----------
    name : str
    card : mapping
        What it was trained on: law, n, N, horizon, measured error.
    horizons : "any" or tuple of float [time]
    dims, particles : "any" or tuple of int
        What the weights accept; the card says what they were trained on.
    uses_masses, gives_velocity, chooses_evaluations : bool
    horizon : float [time]
        The one it forecasts, or the usual one of a model that takes any.
    evaluations : int
        Message rounds in one forecast of `horizon`.
    tolerance : float or None [length]
        Where set, each sample chooses its own number of evaluations (see `with_tolerance`).
    cost : Cost
        Of the last forecast.
    digest : str
        SHA-256 of the checkpoint.
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
        frozen: bool = False,
    ) -> None:
        self.name, self.card, self.digest = name, dict(card), digest
        self.horizons: tuple[float, ...] | str = "any" if model.any_horizon else (horizon,)
        self.horizon = horizon
        self.dims: tuple[int, ...] | str = "any" if model.dims is None else (model.dims,)
        self.particles: tuple[int, ...] | str = "any"
        self.uses_masses = model.uses_masses
        self.gives_velocity = model.gives_velocity
        self.chooses_evaluations = model.chooses_evaluations
        self.evaluations = model.evaluations
        if model.any_horizon:
            self.evaluations = max(round(model.evaluations * horizon / scales.time), 1)
        self.tolerance: float | None = None
        self.cost = Cost(float(self.evaluations), None)
        self.group = model.group
        self._scales = scales
        self.device = torch.device(device)
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self._models = {torch.float32: model.to(self.device).eval()}
        self._frozen = {torch.float32: model.frozen()} if frozen else {}

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
        other.evaluations = self._rounds(horizon)
        other.horizon = horizon
        return other

    def _rounds(self, horizon: float) -> int:
        return max(round(self.evaluations * abs(horizon / self.horizon)), 1)

    def network(self, dtype: torch.dtype) -> SurrogateModel:
        """The network in float32 or float64 (converted once); forecasts follow what is done to it."""
        self._frozen.pop(dtype, None)
        return self._network(dtype)

    def _network(self, dtype: torch.dtype) -> SurrogateModel:
        if dtype not in self._models:
            self._models[dtype] = copy.deepcopy(self._models[torch.float32]).to(dtype)
        return self._models[dtype]

    def forecast(
        self,
        positions: Any,
        velocities: Any,
        charges: Any,
        horizon: float = 1.0,
        *,
        masses: Any = None,
        evaluations: int | None = None,
        tolerance: float | None = None,
    ) -> Forecast:
        """The state one horizon later.

        Parameters
        ----------
        positions, velocities : (samples, N, n) or (N, n) array or tensor [length], [length/time]
            float32 and float64 are computed as such, everything else becomes float64.
        charges : (samples, N) or (N,) [charge]
        horizon : float [time]
        masses : like charges, optional [mass]
        evaluations : int, optional
            Message rounds, for models that choose.
        tolerance : float, optional [length]
            Let each sample choose its own number, starting at a quarter of `evaluations`: see `with_tolerance`.

        Returns
        -------
        Forecast
            Same shape, kind, dtype and device as positions. Tensors stay differentiable.

        Raises
        ------
        InputError
            (a ValueError) for what does not fit, saying what the model does.
        """
        as_tensor = isinstance(positions, Tensor)
        x = self._checked("positions", positions)
        single = x.ndim == 2
        if x.ndim not in (2, 3):
            raise InputError(f"positions must be (samples, N, n) or (N, n); got shape {tuple(x.shape)}")
        v = self._checked("velocities", velocities).to(x)
        if v.shape != x.shape:
            raise InputError(f"velocities must be {tuple(x.shape)} as positions; got shape {tuple(v.shape)}")
        x, v = (x[None], v[None]) if single else (x, v)
        q = self._per_particle("charges", charges, x)
        m = None if masses is None else self._per_particle("masses", masses, x)
        self.refuse_unfit(x.shape[2], x.shape[1], horizon, m)
        device = x.device
        chosen = self if tolerance is None else self.with_tolerance(tolerance)
        rounds = self._rounds(horizon) if evaluations is None else self.with_evaluations(evaluations).evaluations
        out_x, out_v, spent = chosen._run(x, v, q, x.dtype, horizon, m, rounds)
        self.cost = chosen.cost
        outside = self.outside(x.shape[2], x.shape[1])
        if abs(horizon) > self.horizon * (1 + 1e-6):
            outside += (f"horizon {horizon:g} (measured: up to {self.horizon:g})",)
        results: list[Any] = []
        for value in (out_x, out_v):
            if value is None:
                results.append(None)
                continue
            value = value[0] if single else value
            results.append(value.to(device) if as_tensor else value.detach().cpu().numpy())
        return Forecast(results[0], results[1], outside, int(spent[0]) if single else spent.numpy())

    def forecast_in(
        self, x: FloatArray, v: FloatArray, q: FloatArray, dtype: torch.dtype, m: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Forecasts of float64 states computed in `dtype`: centred before the cast, back in float64 after it.

        Parameters
        ----------
        x, v : (samples, N, n) float64
        q : (samples, N) float64
        m : (samples, N) float64, optional
            Used by models that use masses.
        """
        with torch.no_grad():
            # torch.tensor copies: the arrays of a Trajectory are read-only
            tensors = [torch.tensor(np.asarray(array), device=self.device) for array in (x, v, q)]
            masses = None
            if m is not None and self.uses_masses:
                masses = torch.tensor(np.asarray(m), device=self.device)
            out_x, out_v, _ = self._run(
                tensors[0], tensors[1], tensors[2], dtype, self.horizon, masses, self.evaluations
            )
        return out_x.cpu().numpy(), None if out_v is None else out_v.cpu().numpy()

    def positions_after(
        self, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray, *, double: bool
    ) -> FloatArray:
        """Positions one horizon later, as `forecast_in`, for those who know no torch: in float32 or in float64."""
        return self.forecast_in(x, v, q, torch.float64 if double else torch.float32, m)[0]

    def _run(
        self,
        x: Tensor,
        v: Tensor,
        q: Tensor,
        dtype: torch.dtype,
        horizon: float,
        masses: Tensor | None,
        evaluations: int,
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Positions, velocities and the evaluations of each sample; `cost` is set."""
        model = self._network(dtype)
        length, time = self._scales.length, self._scales.time
        # With centring the network sees and returns displacements from the centroid.
        centre = x.mean(dim=1, keepdim=True) if model.centres else torch.zeros_like(x[:, :1])
        inner = ((x - centre) / length).to(self.device, dtype)
        speed = (v * (time / length)).to(self.device, dtype)
        charge = q.to(self.device, dtype)
        mass = None if masses is None else masses.to(self.device, dtype)
        share = max(BATCH_EDGES // max(x.shape[1] * (x.shape[1] - 1), 1), 1)
        positions, velocities, spent, calls = [], [], [], 0.0
        for first in range(0, len(x), share):
            part = slice(first, first + share)
            state = (inner[part], speed[part], charge[part], None if mass is None else mass[part])
            if self.tolerance is None:
                x_hat, v_hat, per_pair = self._pass(model, state, horizon / time, evaluations)
                taken = torch.full((len(x_hat),), evaluations)
            else:
                forecasts = partial(self._pass_of_rows, model, state, horizon / time)
                start = max(evaluations // FIRST_SHARE, 1)
                x_hat, v_hat, taken, per_pair = until_agreed(
                    forecasts, len(state[0]), start, self.tolerance / length
                )
            positions.append(x_hat)
            velocities.append(v_hat)
            spent.append(taken)
            calls += per_pair * len(x_hat)
        evaluations_spent = torch.cat(spent)
        self.cost = Cost(
            float(evaluations_spent.double().mean()), calls / len(x) if hasattr(model, "law_calls") else None
        )
        out_x = torch.cat(positions).to(x) * length + centre
        given = [v_hat for v_hat in velocities if v_hat is not None]
        return out_x, torch.cat(given).to(x) * (length / time) if given else None, evaluations_spent

    def _pass(
        self, model: SurrogateModel, state: ModelState, horizon: float, evaluations: int
    ) -> tuple[Tensor, Tensor | None, float]:
        chosen = {"evaluations": evaluations} if self.chooses_evaluations else {}
        x, v, q, m = state
        x_hat, v_hat = self._frozen.get(x.dtype, model)(x, v, q, horizon, m, **chosen)
        return x_hat, v_hat, float(getattr(model, "law_calls", 0.0))

    def _pass_of_rows(
        self, model: SurrogateModel, state: ModelState, horizon: float, rows: Tensor, evaluations: int
    ) -> tuple[Tensor, Tensor | None, float]:
        x, v, q, m = state
        at = rows.to(x.device)
        return self._pass(model, (x[at], v[at], q[at], None if m is None else m[at]), horizon, evaluations)

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
        if masses is not None and not self.uses_masses and bool((masses != 1).any()):
            raise InputError(f"model {self.name!r} was made for unit masses and takes no others")
        if masses is not None and not bool((masses > 0).all()):
            raise InputError(f"masses must be positive; got {float(masses.min()):g}")

    def outside(
        self,
        n_dims: int,
        n_particles: int,
        law: Mapping[str, Any] | None = None,
        times: tuple[float, float] | None = None,
    ) -> tuple[str, ...]:
        """Why a request lies outside the training range; empty inside.

        Parameters
        ----------
        law : mapping, optional
            With `law` and `parameters`, as in a recipe; not checked when left out.
        times : (float, float), optional [time]
            Earliest and latest input state; not checked when left out.
        """
        reasons = []
        dims, particles = self.card.get("dims", []), self.card.get("particles", [])
        if dims and n_dims not in dims:
            reasons.append(f"n = {n_dims} (trained: {', '.join(map(str, dims))})")
        if particles and n_particles not in particles:
            reasons.append(f"N = {n_particles} (trained: {', '.join(map(str, particles))})")
        known = [entry for entry in self.card.get("laws", []) if entry.get("law")]
        if law and known and not any(_same_law(entry, law) for entry in known):
            names = ", ".join(sorted({str(entry.get("preset") or entry["law"]) for entry in known}))
            reasons.append(f"law {law.get('law')} (trained: {names})")
        window = self.card.get("input_times")
        if times and window and not (window[0] - TIME_SLACK <= times[0] and times[1] <= window[1] + TIME_SLACK):
            reasons.append(f"t = {_span(*times)} (trained: {_span(*window)})")
        return tuple(reasons)

    def outside_system(
        self, system: System, n_dims: int, times: tuple[float, float] | None = None
    ) -> tuple[str, ...]:
        """As `outside`, for a System."""
        reasons = self.outside(
            n_dims, system.n_particles, {"law": system.law, "parameters": dict(system.parameters)}, times
        )
        if not self.uses_masses and (system.masses != 1).any():
            reasons += ("masses other than 1",)
        if system.fields.any:  # no data set with fields is made or read: none was trained on
            reasons += (f"{', '.join(system.fields.names)} (trained: none)",)
        return reasons

    def _checked(self, name: str, values: Any) -> Tensor:
        if isinstance(values, Tensor):
            tensor = values
        else:
            try:
                array = np.array(values)
            except (TypeError, ValueError):
                array = np.array(None)
            if array.dtype.kind not in "fiub":
                raise InputError(f"{name} must be real numbers; got {type(values).__name__} of {array.dtype}")
            # astype also brings foreign byte orders and long doubles to what PyTorch takes
            single = array.dtype.kind == "f" and array.dtype.itemsize == 4
            tensor = torch.from_numpy(array.astype(np.float32 if single else np.float64))
        if tensor.dtype not in (torch.float32, torch.float64):
            if tensor.is_complex():
                raise InputError(f"{name} must be real numbers; got {tensor.dtype}")
            tensor = tensor.to(torch.float64)
        if tensor.numel() == 0:
            raise InputError(f"{name} must not be empty; got shape {tuple(tensor.shape)}")
        if not bool(torch.isfinite(tensor.detach()).all()):
            where = tuple(torch.nonzero(~torch.isfinite(tensor.detach()))[0].tolist())
            raise InputError(f"{name} must be finite; got {float(tensor[where])} at index {where}")
        return tensor

    def _per_particle(self, name: str, values: Any, x: Tensor) -> Tensor:
        tensor = self._checked(name, values).to(x)
        shape = (x.shape[0], x.shape[1])
        if tensor.shape == shape[1:]:
            tensor = tensor.expand(shape)
        if tensor.shape != shape:
            raise InputError(f"{name} must be {shape} or {shape[1:]}; got shape {tuple(tensor.shape)}")
        return tensor


def _span(first: float, last: float) -> str:
    return f"{first:.3g}" if last - first < 1e-9 else f"{first:.3g} to {last:.3g}"


def _same_law(entry: Mapping[str, Any], law: Mapping[str, Any]) -> bool:
    return bool(
        entry.get("law") == law.get("law") and (entry.get("parameters") or {}) == (law.get("parameters") or {})
    )


def _usable_card(card: Any) -> bool:
    """Whether what `outside` reads of a card has the right kinds."""

    def is_list(key: str, kind: type) -> bool:
        values = card.get(key, [])
        return isinstance(values, list) and all(isinstance(value, kind) for value in values)

    return isinstance(card, dict) and is_list("dims", int) and is_list("particles", int) and is_list("laws", dict)


def load(name: str | Path, device: str = "cpu", *, trust_code: bool = False) -> Forecaster:
    """A model by shipped name, run folder or checkpoint folder.

    Parameters
    ----------
    name : str or Path
        Also `package.module:callable` for an outside model, with `trust_code`.
    device : str

    Raises
    ------
    ModelError
        For an unknown or damaged model.
    """
    shipped = shipped_models()
    text = str(name)
    if text in shipped:
        return _from_checkpoint(shipped[text], text, device)
    path = Path(text)
    try:
        is_run, exists = (path / "best").is_dir(), path.exists()
    except OSError as error:  # a name longer than the file system takes
        raise ModelError(f"{text[:80]}: not a model ({error.strerror})") from None
    if is_run:
        return _from_checkpoint(path / "best", path.name, device)
    if exists:
        return _from_checkpoint(path, path.stem if path.is_file() else path.name, device)
    if ":" in text:
        return _outside_model(text, trust_code)
    raise ModelError(str(unknown_name("model", text, shipped)) + "; or give a run or checkpoint folder")


def _from_checkpoint(path: Path, name: str, device: str) -> Forecaster:
    checkpoint = read_checkpoint(path)
    info = checkpoint.info
    try:
        config = config_from_tree(info["config"], str(checkpoint.path))
        scales = Scales(float(info["scales"]["length"]), float(info["scales"]["time"]))
        horizon, card = float(info["horizon"]), info["card"]
        if not _usable_card(card):
            raise TypeError("card")
        if not all(0 < value < math.inf for value in (horizon, scales.length, scales.time)):
            raise TypeError("horizon and scales")
        model = built_model(config)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise ModelError(str(error)) from None
        raise ModelError(f"{checkpoint.path}: not a forecasting checkpoint (no usable {error})") from None
    expected = {k: (tuple(t.shape), t.dtype) for k, t in model.state_dict().items()}
    found = {k: (tuple(t.shape), t.dtype) for k, t in checkpoint.tensors.items()}
    if expected != found:
        wrong = min(name for name, _ in set(expected.items()) ^ set(found.items()))
        raise ModelError(f"{checkpoint.path}: weights do not fit model {config.model!r} (first: {wrong})")
    model.load_state_dict(checkpoint.tensors)
    return Forecaster(
        model,
        name=name,
        card=card,
        horizon=horizon,
        scales=scales,
        digest=checkpoint.digest,
        device=device,
        frozen=True,
    )


def _outside_model(text: str, trust_code: bool) -> "OutsideForecaster":
    if not trust_code:
        raise ModelError(f"{text}: an outside model runs its own code; add --trust-code if you trust it")
    module_name, _, attribute = text.partition(":")
    try:
        made = getattr(importlib.import_module(module_name), attribute)()
    except Exception as error:  # foreign code may raise anything
        raise ModelError(f"{text}: cannot be made ({type(error).__name__}: {error})") from None
    if not callable(getattr(made, "forecast", None)):
        raise ModelError(f"{text}: returned {type(made).__name__}; expected an object with forecast(...)")
    return OutsideForecaster(made, text)


class OutsideForecaster(Forecaster):
    """An outside object with the contract's `forecast`, made to look like ours."""

    def __init__(self, made: Any, name: str) -> None:
        self._made, self.name, self.digest = made, name, ""
        self.card = dict(getattr(made, "card", {}) or {})
        self.horizons = getattr(made, "horizons", "any")
        self.horizon = 1.0 if self.horizons == "any" else float(next(iter(self.horizons)))
        self.dims = getattr(made, "dims", "any")
        self.particles = getattr(made, "particles", "any")
        self.uses_masses = bool(getattr(made, "uses_masses", False))
        self.gives_velocity = bool(getattr(made, "gives_velocity", False))
        self.chooses_evaluations = False
        self.evaluations = int(getattr(made, "evaluations", 0))
        self.tolerance = None
        self.cost = Cost(float(self.evaluations), None)
        self.group = str(getattr(made, "group", "unknown"))
        self.device = torch.device("cpu")

    def forecast(
        self,
        positions: Any,
        velocities: Any,
        charges: Any,
        horizon: float = 1.0,
        *,
        masses: Any = None,
        evaluations: int | None = None,
        tolerance: float | None = None,
    ) -> Forecast:
        """The outside object's own forecast."""
        result = self._made.forecast(positions, velocities, charges, horizon, masses=masses)
        return Forecast(result.positions, getattr(result, "velocities", None), ())

    def forecast_in(
        self, x: FloatArray, v: FloatArray, q: FloatArray, dtype: torch.dtype, m: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """See Forecaster.forecast_in."""
        kind = np.float32 if dtype is torch.float32 else np.float64
        masses = m.astype(kind) if m is not None and self.uses_masses else None
        result = self.forecast(x.astype(kind), v.astype(kind), q.astype(kind), self.horizon, masses=masses)
        velocities = None if result.velocities is None else np.asarray(result.velocities, dtype=np.float64)
        positions = np.asarray(result.positions, dtype=np.float64)
        if positions.shape != x.shape:
            raise ModelError(f"{self.name}: forecast positions must be {x.shape}; got {positions.shape}")
        return positions, velocities
