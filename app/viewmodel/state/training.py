"""A training as the window shows it: the plan, the commands that it stands for, and how far it is."""

import math
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from physics.datasets.presets import PRESETS
from resources import CONFIGS
from surrogate.models import MODELS, ModelRow
from surrogate.tasks import DEFAULT
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS

Status = Literal["idle", "data", "training", "stopping", "done", "stopped", "failed"]
VALIDATIONS = 40
"""About so many points the curves of a short run get, and so many restart points it has."""

VALIDATE_WITHIN = 10
"""Epochs between two validations at most."""


@lru_cache(maxsize=1)
def configs() -> tuple[str, ...]:
    """Names of the shipped configurations, those of forecasting first."""
    names = sorted(path.stem for path in CONFIGS.glob("*.toml"))
    return tuple(sorted(names, key=lambda name: _shipped_task(name) != DEFAULT))


def _shipped_task(name: str) -> str:
    text = (CONFIGS / f"{name}.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text).get("task", DEFAULT))


def task_of(config: str) -> str:
    """What a configuration learns."""
    return str(_tree(config).get("task", DEFAULT))


def presets_of(task: str) -> Mapping[str, Any]:
    """The presets whose data a task learns from, by name: rows with a description."""
    known: dict[str, Mapping[str, Any]] = {DEFAULT: PRESETS, "autoencoder": GRAPH_PRESETS}
    return known.get(task, {})


def task_of_preset(preset: str) -> str:
    """Which task learns from the data of a preset."""
    return next((task for task in ("autoencoder",) if preset in presets_of(task)), DEFAULT)


STARTS: dict[str, dict[str, Any]] = {
    DEFAULT: {"preset": "charged-bound", "config": "integrator-law", "dims": 3, "samples": 300, "epochs": 50},
    "autoencoder": {
        "preset": "erdos-renyi", "config": "autoencoder-er", "dims": 8, "samples": 1000, "epochs": 40,
    },
    "molecules": {"preset": "", "config": "egnn-qm9-alpha", "samples": 300, "epochs": 60},
}  # fmt: skip
"""A plan to begin with, by task."""


def description(config: str) -> str:
    """What a configuration is, and where its model runs."""
    row = _row(config)
    dims = "" if row is None else {"any": "any n", "config": "the n of the data"}.get(row.dims, f"n = {row.dims}")
    group = "" if row is None else f"{row.group}, {dims}"
    return "\n".join(text for text in (str(_tree(config).get("note", "")), group) if text)


def learning_rate(config: str) -> float:
    """The peak learning rate that a configuration was tuned for; the plan's default where it says none."""
    train = _tree(config).get("train")
    rate = train.get("lr") if isinstance(train, dict) else None
    return float(rate) if isinstance(rate, int | float) else TrainPlan().learning_rate


def _tree(config: str) -> dict[str, Any]:
    """The tables of a configuration; none where the trainer is to say what is wrong with it."""
    path = CONFIGS / f"{config}.toml" if config in configs() else Path(config)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _row(config: str) -> ModelRow | None:
    """The model of a configuration, where it names one of the registry."""
    model = _tree(config).get("model") if task_of(config) == DEFAULT else None
    return MODELS.get(str(model.get("name"))) if isinstance(model, dict) else None


@dataclass(frozen=True)
class TrainPlan:
    """What is to be trained on what, for how long, into which folder.

    Attributes
    ----------
    preset : str
        Data that is generated first; empty for a data set of the user's own.
    data : str
        That data set's path.
    dims, particles, samples : int
        Of the generated data; as many samples as train, a tenth more validate and test each. Of graphs `dims` is
        the n in which nodes are placed, and each part has so many samples.
    config : str
        A shipped name or a TOML file.
    epochs : int
    minutes : float
        Stop so long after the first validation at the latest; 0 for no limit.
    learning_rate : float
    seed : int
        Of the data and of the training.
    out : str
        The run folder; generated data lies beside it.
    """

    preset: str = "charged-bound"
    data: str = ""
    dims: int = 3
    particles: int = 5
    samples: int = 300
    config: str = "integrator-law"
    epochs: int = 50
    minutes: float = 0.0
    learning_rate: float = 2e-3
    seed: int = 1
    out: str = ""

    @property
    def data_path(self) -> str:
        """What is trained on."""
        return f"{self.out}-data.zarr" if self.preset else self.data


@dataclass(frozen=True)
class TrainRow:
    """A line of metrics.csv."""

    stage: str
    epoch: int
    loss: float
    valid: float


@dataclass(frozen=True)
class TrainReport:
    """How far a training is.

    Attributes
    ----------
    phase : "data" or "training"
    rows : tuple of TrainRow
    line : str
        The last line it wrote.
    seconds : float
        Since it started.
    left : float or None [second]
        Until it ends, by the epochs so far.
    """

    phase: Literal["data", "training"]
    rows: tuple[TrainRow, ...] = ()
    line: str = ""
    seconds: float = 0.0
    left: float | None = None


@dataclass(frozen=True)
class Training:
    """The training panel.

    Attributes
    ----------
    plan : TrainPlan
    status : Status
    report : TrainReport
        The last one.
    reason : str
        Why it failed.
    usable : bool
        Whether there is a best model to forecast with.
    resumable : bool
        Whether the folder holds a run that can go on.
    """

    plan: TrainPlan = TrainPlan()
    status: Status = "idle"
    report: TrainReport = TrainReport("data")
    reason: str = ""
    usable: bool = False
    resumable: bool = False

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.status in ("data", "training", "stopping")


def fixed_shape(preset: str) -> tuple[int, int] | None:
    """(n, N) of a preset that has no other; None of the others."""
    row = PRESETS.get(preset)
    return (3, row.particles) if row and row.fixed_shape else None


def trouble(plan: TrainPlan) -> dict[str, str]:
    """What is wrong with a plan, by field."""
    found: dict[str, str] = {}
    if not plan.preset and not plan.data:
        found["data"] = "choose a data set"
    elif not plan.preset and not Path(plan.data).exists():
        found["data"] = f"{plan.data}: no such data set"
    known = presets_of(task_of(plan.config))
    if plan.preset and plan.preset not in known:
        found["data"] = f"{plan.config} learns from {', '.join(known) or 'data of your own'}, not {plan.preset!r}"
    elif plan.preset and (shape := fixed_shape(plan.preset)) and (plan.dims, plan.particles) != shape:
        found["data"] = f"{plan.preset} is n = {shape[0]}, N = {shape[1]} only"
    if plan.config not in configs() and not Path(plan.config).is_file():
        found["config"] = f"{plan.config}: neither a shipped configuration nor a file"
    elif plan.preset and (row := _row(plan.config)) and row.dims not in ("any", "config", str(plan.dims)):
        found["config"] = f"the model of {plan.config} runs in n = {row.dims} alone"
    if not 0 < plan.learning_rate < 1:
        found["learning_rate"] = f"a learning rate is between 0 and 1; got {plan.learning_rate:g}"
    for name, low, high in (
        ("dims", 1, MAX_DIMS),
        ("particles", 2, MAX_PARTICLES),
        ("samples", 10, 10_000),
        ("epochs", 1, 100_000),
        ("minutes", 0, 10_000),
        ("seed", 0, 2**32 - 1),
    ):
        value = getattr(plan, name)
        if not (math.isfinite(value) and low <= value <= high):
            found[name] = f"{name}: from {low} to {high}; got {value:g}"
    if not plan.out.strip():
        found["out"] = "choose a folder to write"
    return found


def commands(plan: TrainPlan, resume: bool = False) -> list[tuple[str, list[str]]]:
    """The phases of a training and the command line of each."""
    lines = []
    python = [sys.executable, "-m"]
    task = task_of(plan.config)
    if plan.preset and task == "autoencoder" and not resume:
        line = [*python, "surrogate.graphs", "--preset", plan.preset, "--out", plan.data_path, "--overwrite"]
        lines.append(("data", [*line, "--graphs", str(plan.samples), "--seed", str(plan.seed)]))
    elif plan.preset and task == DEFAULT and not (resume and (Path(plan.data_path) / "manifest.json").is_file()):
        share = max(plan.samples // 10, 5)
        line = [*python, "physics.generate", "--preset", plan.preset, "--out", plan.data_path]
        line += ["--split", f"train={plan.samples}", f"valid={share}", f"test={share}", "--seed", str(plan.seed)]
        if not PRESETS[plan.preset].fixed_shape:
            line += ["--dims", str(plan.dims), "--particles", str(plan.particles)]
        else:
            line = [a for a in line if a not in ("--seed", str(plan.seed))]
        if Path(plan.data_path).exists():
            line.append("--resume")  # what is there already is used if it is the same
        lines.append(("data", line))
    train = [*python, "surrogate.train", "--out", plan.out]
    if resume:
        lines.append(("training", [*train, "--config", str(Path(plan.out) / "config.toml"), "--resume"]))
        return lines
    settings = {
        "train.epochs": plan.epochs,
        "train.lr": plan.learning_rate,
        "train.seed": plan.seed,
        "train.validate_every": min(max(plan.epochs // VALIDATIONS, 1), VALIDATE_WITHIN),
    }
    if task == DEFAULT:
        settings["data.train_samples"] = 0
    if task == "autoencoder":
        settings["model.embedding"] = plan.dims
    if _has_velocity_epochs(plan.config):  # a head trained afterwards: a quarter of the budget again
        settings["train.velocity_epochs"] = max(plan.epochs // 4, 1)
    if plan.preset and (row := _row(plan.config)) and row.dims == "config":
        settings["model.dims"] = plan.dims
    sets = [f"{key}={value!r}" for key, value in settings.items()]
    lines.append(("training", [*train, "--config", plan.config, "--data", plan.data_path, "--set", *sets]))
    return lines


def _has_velocity_epochs(config: str) -> bool:
    train = _tree(config).get("train")
    return isinstance(train, dict) and bool(train.get("velocity_epochs", 0))


def standing(training: Training) -> str:
    """How it is, in a line."""
    report = training.report
    if training.status == "idle":
        return "a run that is there can be resumed" if training.resumable else ""
    if training.status == "data":
        return f"generating the data … {report.seconds:.0f} s"
    if training.status == "stopping":
        return "stopping …"
    if training.status == "failed":
        return training.reason
    best = min((row.valid for row in report.rows if row.stage == report.rows[-1].stage), default=math.nan)
    at = f"epoch {report.rows[-1].epoch}, best {best:.3g}" if report.rows else "loading"
    if training.status == "training":
        left = "" if report.left is None else f", about {_duration(report.left)} left"
        return f"{at}, {_duration(report.seconds)}{left}"
    if training.status == "stopped":
        return f"stopped at {at}; the state is kept, Resume goes on"
    return f"done: {at}, {_duration(report.seconds)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
