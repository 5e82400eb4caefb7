"""Training configurations: frozen dataclasses, read from TOML, changed with `--set section.key=value`.

`task` at the top says what is learned; [data] and some keys of [train] are the task's (surrogate/tasks). An
unknown key is refused with the nearest known one. Shipped configurations are resources/configs/*.toml.
"""

import argparse
import json
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from physics.errors import InputError, unknown_name
from physics.files import bounded_text
from resources import CONFIGS
from surrogate.models.base import config_from_dict
from surrogate.tasks import DEFAULT, task_class

SECTIONS = ("model", "data", "train")
CONFIG_LIMIT = 64 << 10
SIZE_LIMIT = 1024
"""Largest width, depth or dimension of a model: beyond it a file is a mistake or an attack."""

WEIGHTS_LIMIT = 1 << 28
"""Most weights of a model (1 GiB in float32)."""


@dataclass(frozen=True)
class TrainConfig:
    """How to train, whatever the task.

    Attributes
    ----------
    epochs, batch_size, seed : int
    lr : float
        The peak of the one-cycle schedule, or the constant rate.
    schedule : str
        "one-cycle" (cosine up over `warmup`, cosine down to zero) or "constant".
    warmup : float
        Fraction of the steps spent rising to `lr`.
    weight_decay : float
        Decoupled (AdamW).
    clip : float
        Largest gradient norm; 0 is off.
    ema : float
        Decay of the weight average that is validated and kept; 0 is off.
    validate_every : int
        Epochs between validations (and restart points).
    threads : int
        CPU threads; 0 takes PyTorch's default.
    spike : float
        A loss so many times above the level of recent ones is taken for a fault: its batch is skipped and the
        weights go back (divergence.py); 0 is off. Losses that are not finite are always treated so.
    patience : int
        End a stage after so many epochs without a better validation; 0 is off.
    seeds : int
        Train so many seeds, from `seed` on, each in a folder of its own; the best one is the run's model.
    stacked : str
        Whether several seeds train as one run, their weights stacked, or one after another: "auto" (on CUDA),
        "always" or "never".
    captured : str
        Whether the steps of an epoch are made as one, from data on the device: "auto" (on CUDA, where they are
        captured in a graph), "always" (on the CPU too, where nothing is captured) or "never".
    dtype : str
        "float32" or "float64".
    compile : bool
        Train with `torch.compile`, where this machine has what it takes; a warning says why where not.
    amp : bool
        Products of dense layers in bfloat16 while training (`torch.autocast`); weights, positions and loss stay
        float32, and so do validations.
    """

    epochs: int = 1000
    batch_size: int = 100
    seed: int = 0
    lr: float = 1e-3
    schedule: str = "one-cycle"
    warmup: float = 0.1
    weight_decay: float = 1e-12
    clip: float = 1.0
    ema: float = 0.0
    validate_every: int = 5
    threads: int = 0
    spike: float = 20.0
    patience: int = 0
    seeds: int = 1
    stacked: str = "auto"
    captured: str = "auto"
    dtype: str = "float32"
    compile: bool = False
    amp: bool = False


@dataclass(frozen=True)
class Config:
    """A whole run: which model learns what, from which data, how.

    Attributes
    ----------
    model : str
    model_config : dataclass
        `Config` of the model.
    data : dataclass
        [data]: `Data` of the task.
    train : TrainConfig
    task_config : dataclass
        What the task adds to [train]: its `Options`.
    task : str
    note : str
    """

    model: str
    model_config: Any
    data: Any
    train: TrainConfig
    task_config: Any
    task: str = DEFAULT
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values in the layout of the TOML file; the default task is not named."""
        data = asdict(self.data)
        data["paths"] = list(data["paths"])
        return {
            "note": self.note,
            **({} if self.task == DEFAULT else {"task": self.task}),
            "model": {"name": self.model, **asdict(self.model_config)},
            "data": data,
            "train": {**asdict(self.train), **asdict(self.task_config)},
        }

    def to_toml(self) -> str:
        """The resolved configuration as TOML."""
        tree = self.as_dict()
        sections = {name: tree.pop(name) for name in SECTIONS}
        lines = [f"{key} = {_toml_value(value)}" for key, value in tree.items()]
        for section, values in sections.items():
            lines += ["", f"[{section}]"]
            lines += [f"{key} = {_toml_value(value)}" for key, value in values.items()]
        return "\n".join(lines) + "\n"


def shipped_configs() -> dict[str, Path]:
    """Names and paths of the configurations that ship."""
    return {path.stem: path for path in sorted(CONFIGS.glob("*.toml"))}


def load_config(name: str, changes: dict[str, str] | None = None) -> Config:
    """The configuration of a TOML file or a shipped name, with `section.key=value` changes applied.

    Raises
    ------
    InputError
        Naming the file and key that do not fit.
    """
    shipped = shipped_configs()
    if name in shipped:
        path = shipped[name]
    elif Path(name).suffix == ".toml":
        path = Path(name)
    else:
        raise unknown_name("config", name, shipped)
    tree = parsed_toml(path)
    for key, text in (changes or {}).items():
        section, dot, leaf = key.partition(".")
        if not dot or section not in SECTIONS:
            raise unknown_name("config section", section, SECTIONS)
        tree.setdefault(section, {})
        if not isinstance(tree[section], dict):
            raise InputError(f"{path}: [{section}] must be a table")
        tree[section][leaf] = typed_value(text)
    return config_from_tree(tree, str(path))


def add_settings(parser: argparse._ActionsContainer, what: str) -> None:
    """Add `--set SECTION.KEY=VALUE ...`, the changes of :func:`load_config`, to a command."""
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="SECTION.KEY=VALUE", help=what)


def parsed_toml(path: Path) -> dict[str, Any]:
    """A TOML file within the limits on size, line length and nesting."""
    text = bounded_text(path, CONFIG_LIMIT)
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 4096 or re.search(r"(?:\.[^.=]*){17,}=", line) or line.count("[") > 32:
            raise InputError(f"{path}: line {number} is too long or too deeply nested")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML ({error})") from None


def config_from_tree(tree: dict[str, Any], where: str) -> Config:
    """A checked Config from the parsed TOML (or the copy kept in a checkpoint)."""
    if not isinstance(tree, dict):
        raise InputError(f"{where}: a configuration must be a table")
    known = (*SECTIONS, "task", "note")
    for key in tree:
        if key not in known:
            raise unknown_name(f"section of {where}", key, known)
    sections = {name: tree.get(name, {}) for name in SECTIONS}
    for name, values in sections.items():
        if not isinstance(values, dict):
            raise InputError(f"{where}: [{name}] must be a table")
    task = task_class(tree.get("task", DEFAULT), f"task in {where}")
    model = dict(sections["model"])
    name = model.pop("name", None)
    if not isinstance(name, str) or name not in task.MODELS:
        raise unknown_name(f"model.name in {where}", name, task.MODELS)
    model_config = config_from_dict(task.MODELS[name].Config, model, "model")
    for f in fields(model_config):
        value = getattr(model_config, f.name)
        least = 0 if f.default == 0 else 1  # 0 stands for "none" where it is the default
        if type(value) is int and not least <= value <= SIZE_LIMIT:
            raise InputError(f"{where}: model.{f.name} must be from {least} to {SIZE_LIMIT}; got {value}")
    data = dict(sections["data"])
    paths = data.pop("paths", [])
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list | tuple) or not all(isinstance(p, str) for p in paths):
        raise InputError(f"{where}: data.paths must be a list of texts")
    data_config = config_from_dict(task.Data, {**data, "paths": tuple(paths)}, "data")
    ours, tasks = ({f.name for f in fields(owner)} for owner in (TrainConfig, task.Options))
    for key in sections["train"]:
        if key not in ours | tasks:
            raise unknown_name("key in train", key, sorted(ours | tasks))
    train, options = (
        config_from_dict(owner, {k: v for k, v in sections["train"].items() if k in names}, "train")
        for owner, names in ((TrainConfig, ours), (task.Options, tasks))
    )
    for holds, message in (*_checks(train), *task.checks(data_config, options)):
        if not holds:
            raise InputError(f"{where}: {message}")
    task_name = tree.get("task", DEFAULT)
    return Config(name, model_config, data_config, train, options, task_name, str(tree.get("note", "")))


def built_model(config: Config) -> nn.Module:
    """The untrained model of a configuration; its size is counted before any memory is taken.

    Raises
    ------
    InputError
        Where it is too large.
    """
    make = task_class(config.task).MODELS[config.model]
    with torch.device("meta"):
        count = sum(p.numel() for p in make(config.model_config).parameters())
    if count > WEIGHTS_LIMIT:
        raise InputError(f"model {config.model!r} of this size has {count:,} weights; at most {WEIGHTS_LIMIT:,}")
    model: nn.Module = make(config.model_config)
    return model


def typed_value(text: str) -> Any:
    """A value as `--set` takes it: TOML where it is that, else a text."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tree["value"] if len(tree) == 1 else text


def _toml_value(value: Any) -> str:
    # JSON is TOML but for escapes: TOML knows no surrogate pairs and allows no bare DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _checks(train: TrainConfig) -> tuple[tuple[bool, str], ...]:
    """Whether each condition on [train] holds, and what is said where not."""
    return (
        (train.epochs >= 1, "train.epochs must be at least 1"),
        (train.batch_size >= 1, "train.batch_size must be at least 1"),
        (0 <= train.seed < 2**32, "train.seed must be from 0 to 2^32-1"),
        (0 < train.lr < 1, "train.lr must be between 0 and 1"),
        (train.schedule in ("one-cycle", "constant"), "train.schedule must be one-cycle or constant"),
        (0 <= train.warmup < 1, "train.warmup must be from 0 to below 1"),
        (train.weight_decay >= 0, "train.weight_decay must be >= 0"),
        (train.clip >= 0, "train.clip must be >= 0"),
        (0 <= train.ema < 1, "train.ema must be from 0 to below 1"),
        (train.validate_every >= 1, "train.validate_every must be at least 1"),
        (train.threads >= 0, "train.threads must be >= 0"),
        (train.spike == 0 or train.spike > 1, "train.spike must be 0 or above 1"),
        (train.patience >= 0, "train.patience must be >= 0"),
        (1 <= train.seeds <= SIZE_LIMIT, f"train.seeds must be from 1 to {SIZE_LIMIT}"),
        (train.stacked in ("auto", "always", "never"), "train.stacked must be auto, always or never"),
        (train.captured in ("auto", "always", "never"), "train.captured must be auto, always or never"),
        (train.dtype in ("float32", "float64"), "train.dtype must be float32 or float64"),
        (not train.amp or train.dtype == "float32", "train.amp needs train.dtype float32"),
    )
