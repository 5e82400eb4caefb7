"""Whether the windows of a run, its options and its model go together."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from physics.errors import InputError
from surrogate.models.base import SurrogateModel
from surrogate.tasks.base import Setting
from surrogate.tasks.dynamics.config import LossConfig
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import FIELDS, Windows


def check_windows(
    train_sets: Sequence[Windows],
    valid_sets: Sequence[Windows],
    scales: Scales,
    options: LossConfig,
    model: SurrogateModel,
    setting: Setting,
) -> None:
    """Whether the model can learn these windows, in these units.

    Warns where the masses differ and no force of the model scales with them.

    Raises
    ------
    InputError
    """
    sets = [*train_sets, *valid_sets]
    horizons = {s.horizon * scales.time for s in sets}
    particles = {s.x.shape[2] for s in sets}
    dims = {s.n_dims for s in sets}
    if max(horizons) - min(horizons) > 1e-6 * max(horizons) or len(particles) > 1:
        got = ", ".join(f"{horizon:g}" for horizon in sorted(horizons))
        raise InputError(
            f"data sets and splits of one run must agree in horizon and particles; got horizons {got} and "
            f"N = {', '.join(map(str, sorted(particles)))}"
        )
    if particles == {1}:
        raise InputError(f"{sets[0].source}: systems of one particle; models need at least 2")
    if not model.uses_masses and any(bool(((s.m - 1).abs() > 1e-6).any()) for s in sets):
        raise InputError(f"model {setting.model!r} is for equal masses; the data has others")
    couplings = getattr(model, "couplings", ())
    uncharged = not any(bool(s.q.any()) for s in sets)
    differ = any(bool((s.m != s.m.reshape(-1)[0]).any()) for s in sets)
    if couplings and "masses" not in couplings and uncharged and differ:
        named = ",".join(couplings)
        warnings.warn(
            f"masses differ, and no force of this model scales with them (model.couplings = {named})",
            stacklevel=2,
        )
    if model.dims is not None and dims != {model.dims}:
        raise InputError(
            f"model {setting.model!r} is for n = {model.dims} (model.dims); "
            f"the data has n = {', '.join(map(str, sorted(dims)))}"
        )
    batch_size, count = setting.batch_size, setting.processes
    if min(batch_size // len(train_sets), *(len(s) for s in train_sets)) < count > 1:
        raise InputError(
            f"train.batch_size {batch_size}: less than one window of each data set for {count} processes"
        )
    if options.augment == "rotations" and (len(dims) > 1 or "box" in train_sets[0].given):
        raise InputError("train.augment: rotations are for data sets of one n, and not for models that see boxes")
    if options.velocity_weight and (not model.gives_velocity or model.velocity_head_parameters()):
        raise InputError(
            f"train.velocity_weight: model {setting.model!r} gives no velocity with its positions; "
            "a velocity head is trained by train.velocity_epochs"
        )


def check_fields(source: str, acting: Sequence[Mapping[str, NDArray[Any]]], model: SurrogateModel) -> None:
    """Whether the data have the fields that the model is given; warns where it does not see those that they have.

    Raises
    ------
    InputError
    """
    there = {name for one in acting for name in one}
    for name in FIELDS:
        if name in model.takes and name not in there:
            raise InputError(f"{source}: no {name}, which model.fields asks for")
    if hasattr(model, "couplings") and there and getattr(model, "fields", None) is None:
        warnings.warn(
            f"the data have {' and '.join(sorted(there))}, which this model does not see (model.fields)",
            stacklevel=2,
        )
