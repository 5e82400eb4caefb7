"""`python -m surrogate.train`: fit a model, keep its best epoch, go on after any interruption with the same bytes.

`fit` reads top to bottom. A restart point is written at every validation; an epoch's batches depend on
(seed, epoch) alone, so a resumed run ends with the weights and metrics of an uninterrupted one.
"""

import csv
import io
import json
import math
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from physics import __version__
from physics.cli import CommandParser, claim_output, command_line, key_values, refuse_existing, run_command
from physics.dataset import DataSplit
from physics.errors import InputError
from physics.files import atomic_write
from surrogate.checkpoint import read_checkpoint, save_checkpoint
from surrogate.config import (
    Config,
    DataConfig,
    built_model,
    config_from_tree,
    load_config,
    shipped_configs,
)
from surrogate.data import (
    Batch,
    Scales,
    Windows,
    batches,
    data_identity,
    fitted_scales,
    input_times,
    task_frames,
    task_horizon,
    training_range,
    training_splits,
    windows,
)
from surrogate.models import SurrogateModel
from surrogate.progress import TrainingProgress
from surrogate.zoo import FILE_NAME

EXAMPLES = (
    "python -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/egnn",
    "python -m surrogate.train --config egnn-nbody --data mine.npz --out runs/mine --set train.epochs=200",
    "python -m surrogate.train --config egnn-nbody --out runs/egnn --resume",
)


@dataclass(frozen=True)
class Stage:
    """One training stage: "positions", or "velocities" (the separate head, all else frozen)."""

    name: str
    epochs: int


@dataclass
class Progress:
    """What a restart point keeps beside the tensors."""

    stage: int = 0
    epoch: int = 0
    step: int = 0
    best: float = math.inf
    best_epoch: int = 0
    history: list[dict[str, float | str | int]] | None = None


class Trainer:
    """Model, optimiser, average and data of one run; `fit` drives it."""

    def __init__(self, config: Config, out: Path, device: str, command: str) -> None:
        self.config, self.out, self.device, self.command = config, out, device, command
        if not config.data.paths:
            raise InputError("no data set: give --data DATA or data.paths in the config")
        if config.train.threads:
            torch.set_num_threads(config.train.threads)
        torch.manual_seed(config.train.seed)
        self.model: SurrogateModel = built_model(config)
        splits = {path: training_splits(path) for path in config.data.paths}
        frames = [
            task_frames(t, "train", config.data.input_frame, config.data.target_frame) for t, _ in splits.values()
        ]
        self.scales = fitted_scales(next(iter(splits.values()))[0], frames[0]) if len(splits) == 1 else Scales()

        def prepared(split: DataSplit, name: str, data: DataConfig) -> Windows:
            return windows(split, name, data, self.scales, centre=self.model.centres, device=device)

        self.train_sets = [prepared(t, "train", config.data) for t, _ in splits.values()]
        one_window = replace(config.data, windows="task")
        self.valid_sets = [prepared(v, "valid", one_window) for _, v in splits.values()]
        self._check_data([split for pair in splits.values() for split in pair])
        self.identity = data_identity(self.train_sets, self.valid_sets)
        self.card = {
            "command": command,
            "note": config.note,
            "frames": [list(pair) for pair in frames],
            "windows": config.data.windows,
            "train_samples": [len(s) for s in self.train_sets],
            "velocity_targets": bool(config.train.velocity_weight),
            **training_range({path: train for path, (train, _) in splits.items()}),
            "input_times": input_times([t for t, _ in splits.values()], frames, config.data.windows == "all"),
        }
        self.horizon = self.train_sets[0].horizon * self.scales.time
        if self.model.any_horizon:  # trained on windows of any length; forecasts the data's own task by default
            self.horizon = task_horizon(next(iter(splits.values()))[0])
        self.model.to(device)
        self.average = {name: p.detach().clone() for name, p in self.model.state_dict().items()}
        self.stages = [Stage("positions", config.train.epochs)]
        if self.model.velocity_head_parameters() and config.train.velocity_epochs:
            self.stages.append(Stage("velocities", config.train.velocity_epochs))
        self.progress = Progress(history=[])

    def _check_data(self, splits: list[DataSplit]) -> None:
        sets = self.train_sets + self.valid_sets
        horizons = {round(s.horizon, 6) for s in sets}
        particles = {s.x.shape[2] for s in sets}
        dims = {s.n_dims for s in sets}
        if len(horizons) > 1 or len(particles) > 1:
            raise InputError(
                f"data sets and splits of one run must agree in horizon and particles; got {horizons}, {particles}"
            )
        if particles == {1}:
            raise InputError(f"{sets[0].source}: systems of one particle; models need at least 2")
        if not self.model.uses_masses and any((split.masses != 1).any() for split in splits):
            raise InputError(f"model {self.config.model!r} is for unit masses; the data has others")
        if self.model.dims is not None and dims != {self.model.dims}:
            raise InputError(
                f"model {self.config.model!r} is for n = {self.model.dims} (model.dims); "
                f"the data has n = {', '.join(map(str, sorted(dims)))}"
            )
        if self.config.train.velocity_weight and (
            not self.model.gives_velocity or self.model.velocity_head_parameters()
        ):
            raise InputError(
                f"train.velocity_weight: model {self.config.model!r} gives no velocity with its positions; "
                "a velocity head is trained by train.velocity_epochs"
            )

    def start_stage(self, index: int) -> None:
        """Choose what this stage trains and a fresh optimiser for it."""
        velocities = self.stages[index].name == "velocities"
        self.model.skip_velocity_head = not velocities and bool(self.model.velocity_head_parameters())
        chosen = self.model.velocity_head_parameters() if velocities else self.model.position_parameters()
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        self.parameters = chosen
        self.optimiser = torch.optim.AdamW(
            chosen, lr=self.config.train.lr, weight_decay=self.config.train.weight_decay, fused=True
        )
        share = max(self.config.train.batch_size // len(self.train_sets), 1)
        smallest = min(len(s) for s in self.train_sets)
        self.steps_per_epoch = smallest // min(share, smallest)
        self.total_steps = self.stages[index].epochs * self.steps_per_epoch

    def learning_rate(self, step: int) -> float:
        """One-cycle: cosine up over the warm-up, cosine down to zero; or constant."""
        train = self.config.train
        if train.schedule == "constant":
            return train.lr
        rise = max(train.warmup * self.total_steps, 1.0)
        if step < rise:
            return train.lr * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / rise)))
        fraction = (step - rise) / max(self.total_steps - rise, 1.0)
        return train.lr * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error of positions (and, where the config says so, velocities), weighted per data set."""
        masses = batch.m if self.model.uses_masses else None
        outputs: tuple[Tensor, Tensor | None] = self.model(
            batch.x, batch.v, batch.q, self.train_sets[0].horizon, masses
        )
        x, v = outputs
        if self.stages[self.progress.stage].name == "velocities":
            assert v is not None
            return (batch.weight * (v - batch.v_target).square()).mean()
        errors = (batch.weight * (x - batch.x_target).square()).mean((1, 2))
        if self.config.train.velocity_weight and v is not None:
            of_velocity = (batch.weight * (v - batch.v_target).square()).mean((1, 2))
            errors = errors + self.config.train.velocity_weight * of_velocity
        limit = self.config.train.saturation
        if limit and self.config.train.saturation_form == "log":
            errors = limit * torch.log1p(errors / limit)
        elif limit:
            errors = errors / (1.0 + errors / limit)
        return errors.mean()

    def train_epoch(self) -> float:
        """One pass over the training windows; the mean loss."""
        train, progress = self.config.train, self.progress
        epoch = progress.epoch + 1_000_000 * progress.stage
        total, count = 0.0, 0
        for batch in batches(self.train_sets, train.batch_size, train.seed, epoch, train.loss):
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate(progress.step)
            loss = self.loss(batch)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            if train.clip:
                torch.nn.utils.clip_grad_norm_(self.parameters, train.clip)
            self.optimiser.step()
            progress.step += 1
            self._update_average()
            total, count = total + float(loss.detach()), count + 1
        if not math.isfinite(total):
            raise InputError(
                f"{self.out}: the loss is not finite in epoch {progress.epoch}; the last validated state is kept. "
                "Lower train.lr or set train.clip"
            )
        return total / count

    @torch.no_grad()
    def _update_average(self) -> None:
        # The average warms up, so that the first steps do not drag the random initial weights along.
        decay = min(self.config.train.ema, (1 + self.progress.step) / (10 + self.progress.step))
        live = self.model.state_dict()
        names = list(live)
        torch._foreach_lerp_([self.average[k] for k in names], [live[k] for k in names], 1 - decay)

    @torch.no_grad()
    def validation_errors(self) -> list[float]:
        """MSE on each valid set with the averaged weights (of velocities in the velocity stage)."""
        live = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        errors = []
        for s in self.valid_sets:
            everything = torch.arange(len(s))
            x, v, q, m, x_target, v_target = s.pick(everything, torch.zeros_like(everything))
            outputs = []
            for i in range(0, len(s), 500):
                part = slice(i, i + 500)
                masses = m[part] if self.model.uses_masses else None
                outputs.append(self.model(x[part], v[part], q[part], s.horizon, masses))
            if self.stages[self.progress.stage].name == "velocities":
                forecast, target = torch.cat([o[1] for o in outputs]), v_target
            else:
                forecast, target = torch.cat([o[0] for o in outputs]), x_target
            errors.append(float((forecast - target).double().square().mean()))
        self.model.load_state_dict(live)
        return errors

    def save_best(self, error: float) -> None:
        """The averaged weights as a checkpoint that `surrogate.load` opens."""
        info = {
            "config": self.config.as_dict(),
            "scales": {"length": self.scales.length, "time": self.scales.time},
            "horizon": self.horizon,
            "card": {
                **self.card,
                "best_epoch": self.progress.best_epoch,
                "steps": self.progress.step,
                f"valid_mse_{self.stages[self.progress.stage].name}": error,
            },
        }
        save_checkpoint(self.out / "best", info, self.average)

    def save_restart_point(self) -> None:
        """Everything `--resume` needs, atomically."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        p = self.progress
        info = {
            "config": self.config.as_dict(),
            "data": self.identity,
            "command": self.card["command"],
            "version": __version__,
            "progress": {
                "stage": p.stage,
                "epoch": p.epoch,
                "step": p.step,
                "best": p.best if math.isfinite(p.best) else None,
                "best_epoch": p.best_epoch,
                "history": p.history,
            },
        }
        save_checkpoint(self.out / "latest", info, tensors)

    def load_restart_point(self) -> None:
        """Go back to the last restart point.

        Raises
        ------
        InputError
            Where it belongs to another configuration or other data.
        """
        checkpoint = read_checkpoint(self.out / "latest")
        stored = checkpoint.info
        then = config_from_tree(stored.get("config", {}), str(self.out)).as_dict()  # older ones lack newer keys
        self._refuse_changed("the configuration", then, self.config.as_dict())
        self._refuse_changed("the data", *_comparable(stored.get("data"), self.identity))
        self.card["command"] = stored.get("command", self.card["command"])
        kept = stored["progress"]
        best = math.inf if kept["best"] is None else kept["best"]
        self.progress = Progress(
            kept["stage"], kept["epoch"], kept["step"], best, kept["best_epoch"], kept["history"]
        )
        self.start_stage(self.progress.stage)
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "adam": {}}
        for name, tensor in checkpoint.tensors.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor.to(self.device)
        self.model.load_state_dict(groups["model"])
        self.average = groups["average"]
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["adam"].items():
            index, _, leaf = name.partition(".")
            state.setdefault(int(index), {})[leaf] = tensor.cpu() if leaf == "step" else tensor
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})

    def _refuse_changed(self, what: str, stored: Any, now: Any) -> None:
        now = json.loads(json.dumps(now))
        if stored == now:
            return
        changed = ""
        if isinstance(stored, dict) and isinstance(now, dict):
            for section, values in now.items():
                old = stored.get(section)
                if isinstance(values, dict) and isinstance(old, dict):
                    different = [f"{section}.{k}" for k in values if old.get(k) != values[k]]
                    changed += "".join(f" {name}" for name in different)
        raise InputError(f"{self.out}: cannot --resume: {what} changed{':' + changed if changed else ''}")

    def write_metrics(self) -> None:
        """metrics.csv from the kept history: the same bytes however often the run was interrupted."""
        history = self.progress.history or []
        if not history:
            return
        text = io.StringIO()
        # named here, because rows that come back from a restart point have their keys sorted
        first = ["stage", "epoch", "step", "lr", "loss", "valid"]
        each = [f"valid_{index}" for index in range(len(self.valid_sets))] if "valid_0" in history[0] else []
        writer = csv.DictWriter(text, fieldnames=first + each, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        atomic_write(self.out / "metrics.csv", text.getvalue().encode())


def _comparable(stored: Any, now: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Data identities cut to the keys that the stored one, perhaps of an older version, has."""
    if not isinstance(stored, list) or not all(isinstance(entry, dict) for entry in stored):
        return stored, now
    keys = {key for entry in stored for key in entry}
    return stored, [{key: value for key, value in entry.items() if key in keys} for entry in now]


def fit(trainer: Trainer, report: Callable[[dict[str, Any]], None]) -> None:
    """Train every stage from where the trainer stands to its end.

    Parameters
    ----------
    trainer : Trainer
    report : callable
        Gets stage, epoch, epochs, loss, valid, best after each epoch.
    """
    train = trainer.config.train
    while trainer.progress.stage < len(trainer.stages):
        stage = trainer.stages[trainer.progress.stage]
        while trainer.progress.epoch < stage.epochs:
            trainer.progress.epoch += 1
            loss = trainer.train_epoch()
            epoch = trainer.progress.epoch
            if epoch % train.validate_every == 0 or epoch == stage.epochs:
                validate(trainer, stage, loss)
            report(
                {
                    "stage": stage.name,
                    "epoch": epoch,
                    "epochs": stage.epochs,
                    "loss": loss,
                    "best": trainer.progress.best,
                    "best_epoch": trainer.progress.best_epoch,
                    "valid": (trainer.progress.history or [{}])[-1].get("valid"),
                }
            )
        next_stage(trainer)


def validate(trainer: Trainer, stage: Stage, loss: float) -> None:
    """Measure, keep the weights if they are the best so far, and write a restart point."""
    progress = trainer.progress
    errors = trainer.validation_errors()
    relative = trainer.config.train.loss == "relative"
    shares = [e / s.ballistic if relative else e for e, s in zip(errors, trainer.valid_sets, strict=True)]
    score = float(np.mean(shares))
    if not math.isfinite(score):
        raise InputError(
            f"{trainer.out}: the validation error is not finite in epoch {progress.epoch}; the last validated "
            "state is kept. Lower train.lr or set train.clip"
        )
    row: dict[str, float | str | int] = {
        "stage": stage.name,
        "epoch": progress.epoch,
        "step": progress.step,
        "lr": trainer.learning_rate(progress.step),
        "loss": loss,
        "valid": score,
    }
    for index, error in enumerate(errors if len(errors) > 1 else []):
        row[f"valid_{index}"] = error
    assert progress.history is not None
    progress.history.append(row)
    if score < progress.best:
        progress.best, progress.best_epoch = score, progress.epoch
        trainer.save_best(score)
    trainer.save_restart_point()
    trainer.write_metrics()


def next_stage(trainer: Trainer) -> None:
    """Move on to the next stage, from the best weights of the one that ended."""
    progress = trainer.progress
    progress.stage += 1
    if progress.stage == len(trainer.stages):
        return
    best = read_checkpoint(trainer.out / "best")
    trainer.card.update(_position_facts(best.info["card"]))
    trainer.model.load_state_dict(best.tensors)
    trainer.average = {name: value.to(trainer.device).clone() for name, value in best.tensors.items()}
    progress.epoch, progress.step, progress.best, progress.best_epoch = 0, 0, math.inf, 0
    trainer.start_stage(progress.stage)
    trainer.save_restart_point()


def _position_facts(card: dict[str, Any]) -> dict[str, Any]:
    """What the velocity stage keeps of the position stage, from the best model of either stage."""
    if "position_steps" in card:
        return {k: v for k, v in card.items() if k.startswith(("valid_mse_p", "position_"))}
    return {
        **{k: v for k, v in card.items() if k.startswith("valid_mse")},
        "position_steps": card["steps"],
        "position_best_epoch": card["best_epoch"],
    }


def train(
    config: Config,
    out: Path,
    *,
    resume: bool,
    device: str,
    command: str,
    quiet: bool = False,
    overwrite: bool = False,
) -> None:
    """A whole run: set up or resume, fit, leave `config.toml`, `metrics.csv`, `best/`, `latest/`, `run.json`.

    Nothing is written or removed before the configuration and the data have been found usable.
    """
    refuse_existing(out, resume or overwrite, "--overwrite to replace it, or --resume to go on")
    if resume and out.is_dir() and any(out.iterdir()) and not (out / "config.toml").is_file():
        raise InputError(f"{out}: cannot --resume: not a run (no config.toml)")
    trainer = Trainer(config, out, device, command)
    started = time.monotonic()
    before = _seconds_so_far(out) if resume else 0.0
    if resume and (out / "latest" / FILE_NAME).is_file():
        trainer.load_restart_point()
        if trainer.progress.stage > 0:
            trainer.card.update(_position_facts(read_checkpoint(out / "best").info["card"]))
        trainer.write_metrics()
    else:
        claim_output(out, resume=resume, overwrite=overwrite)
        out.mkdir(parents=True, exist_ok=True)
        atomic_write(out / "config.toml", config.to_toml().encode())
        trainer.start_stage(0)
    for torn in out.rglob(".*.part.*"):  # what a killed run was writing
        torn.unlink()
    try:
        with TrainingProgress(quiet) as report:
            fit(trainer, report)
    finally:
        _write_run(out, trainer, before + time.monotonic() - started)


def _seconds_so_far(out: Path) -> float:
    try:
        return float(json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def _write_run(out: Path, trainer: Trainer, seconds: float) -> None:
    facts = {
        "command": trainer.command,
        "seconds": round(seconds, 1),
        "date": time.strftime("%Y-%m-%d"),
        "device": trainer.device,
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "versions": {"isotwin": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    atomic_write(out / "run.json", json.dumps(facts, indent=1).encode())


def machine() -> str:
    """The processor and its cores, for cards and tables."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {torch.get_num_threads()} threads"


def chosen_device(name: str) -> str:
    """The device of --device; "auto" prefers CUDA."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device here; use --device cpu")
    if name == "mps" and not torch.backends.mps.is_available():
        raise InputError("--device mps: no Apple GPU here; use --device cpu")
    return name


def main(argv: Sequence[str]) -> None:
    """Parse the command line and train."""
    parser = CommandParser("surrogate.train", "Train a surrogate on a data set.", EXAMPLES)
    parser.add_argument("--config", help="a TOML file or a shipped name (see --list)")
    parser.add_argument(
        "--data", nargs="+", metavar="DATA", help="Zarr or .npz (default: the config's data.paths)"
    )
    parser.add_argument("--out", type=Path, metavar="RUN", help="the run folder to write")
    parser.add_argument("--resume", action="store_true", help="go on from the last restart point of RUN")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing run")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to train")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="change the configuration"
    )
    parser.add_argument("--list", action="store_true", help="list the shipped configurations and stop")
    options = parser.parse_args(argv)
    if options.list:
        for name in shipped_configs():
            sys.stdout.write(f"{name:16} {load_config(name).note}\n")
        return
    if not options.config or not options.out:
        parser.error("--config and --out are required")
    if options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    config = load_config(options.config, key_values(options.set))
    if options.data:
        config = replace(config, data=replace(config.data, paths=tuple(options.data)))
    elif options.resume and not config.data.paths and (options.out / "config.toml").is_file():
        config = replace(config, data=replace(config.data, paths=_paths_of_run(options.out)))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        train(
            config,
            options.out,
            resume=options.resume,
            overwrite=options.overwrite,
            device=chosen_device(options.device),
            command=command_line("surrogate.train", [a for a in argv if a not in ("--resume", "--overwrite")]),
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{options.out} keeps the last validated state; go on with --resume") from None
    sys.stdout.write(f"{options.out}: done; its best model is {options.out / 'best'}\n")


def _paths_of_run(out: Path) -> tuple[str, ...]:
    return load_config(str(out / "config.toml")).data.paths


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run_command(main))
