"""Several seeds as one run: weights stacked, every step made for all of them, each with its own run folder.

What cannot be stacked is said in a line, and then the seeds train one after another (sweep.py). After a
kill between two seeds' files they may stand at different epochs: then all go back to the newest restart point that
each of them has, and end with the bytes of an undisturbed stack.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from physics.cli import claim_output, refuse_existing
from physics.errors import InputError
from physics.files import only_writer
from surrogate.training.checkpoint import Checkpoint
from surrogate.training.config import Config
from surrogate.training.divergence import DivergedError
from surrogate.training.loop import next_stage
from surrogate.training.progress_bar import ProgressBar
from surrogate.training.restart import restart_points
from surrogate.training.run import (
    begin_files,
    go_on_from,
    seconds_so_far,
    stopped_by_signals,
    write_run,
    written_of,
)
from surrogate.training.state import Trainer
from surrogate.training.tensorboard import needs_tensorboard
from surrogate.training.whole_epoch_loop import Group, cannot_take_epochs, fit_epochs
from surrogate.training.whole_epochs import WholeEpochs

Place = tuple[int, int, int]
"""Stage, epoch and batch."""


class NotStackedError(Exception):
    """Why some seeds do not train as one run; nothing of them has been changed."""


def wants_stack(config: Config, device: str) -> bool:
    """Whether `train.stacked` asks for it on this device."""
    stacked = config.train.stacked
    return stacked == "always" or (stacked == "auto" and device.startswith("cuda"))


def train_stacked(
    configs: Sequence[Config],
    outs: Sequence[Path],
    *,
    device: str,
    command: str,
    quiet: bool = False,
    anyway: bool = False,
    tensorboard: bool = False,
    say: Callable[[str], None] | None = None,
) -> list[DivergedError | None]:
    """Train runs that differ in their seeds alone, or go on with them; which of them diverged.

    Parameters
    ----------
    device, command, quiet, anyway, tensorboard
        As of :func:`surrogate.training.run.train`.
    say : callable, optional
        Gets a line when it begins.

    Raises
    ------
    NotStackedError
        Where that cannot be; before anything is written.
    """
    if configs[0].train.patience:
        raise NotStackedError("train.patience ends each run at an epoch of its own")
    if tensorboard:
        needs_tensorboard()
    began = time.monotonic()
    for out in outs:
        refuse_existing(out, (out / "config.toml").is_file(), "--overwrite to replace it, or --resume to go on")
    trainers: list[Trainer] = []
    loop = f"whole epochs, {len(configs)} seeds"
    for config, out in zip(configs, outs, strict=True):
        task = trainers[0].task if trainers else None  # the data are read once
        trainers.append(Trainer(config, out, device, command, task=task))
        trainers[-1].loop = loop
    if reason := cannot_take_epochs(trainers[0]):
        raise NotStackedError(reason)
    earlier = [seconds_so_far(out) for out in outs]
    ended = {run: DivergedError(text) for run, out in enumerate(outs) if (text := written_of(out).get("diverged"))}
    points = _common_points(trainers, ended, loop)
    if all(point is None for point in points):
        ended = {}
    with ExitStack() as held:
        for out in outs:
            claim_output(out, resume=(out / "config.toml").is_file())
            out.mkdir(parents=True, exist_ok=True)
            held.enter_context(only_writer(out))
        _set_up(trainers, points, ended, anyway)
        for trainer in trainers:
            begin_files(trainer, tensorboard)
        group = Group(trainers, str(outs[0].parent), ended)
        if say:
            say(f"{len(outs)} seeds as one run: {', '.join(str(out) for out in outs)}")
        try:
            with ProgressBar(quiet) as report, stopped_by_signals(trainers[0]):
                fit_epochs(group, report)
        finally:
            share = (time.monotonic() - began) / len(trainers)
            for run, trainer in enumerate(trainers):
                more = {"diverged": str(group.ended[run])} if run in group.ended else {}
                write_run(trainer, earlier[run] + share, **more)
    return [group.ended.get(run) for run in range(len(trainers))]


def _set_up(
    trainers: Sequence[Trainer], points: Sequence[Checkpoint | None], ended: dict[int, DivergedError], anyway: bool
) -> None:
    """Bring all runs to one stage and step: the beginning, or their restart points.

    Raises
    ------
    NotStackedError
        Where the model does not go through `torch.func.vmap`.
    """
    places = [_place(point) for point in points if point]
    latest = max((stage for stage, _, _ in places), default=0)
    for run, (trainer, point) in enumerate(zip(trainers, points, strict=True)):
        if run in ended:
            trainer.progress.stage = latest
            trainer.start_stage(latest)
        elif point is not None:
            go_on_from(trainer, point, anyway=anyway)
            if trainer.progress.stage < latest:  # killed between two runs' next stages
                next_stage(trainer)
    if places:
        return
    for index in reversed(range(len(trainers[0].stages))):
        for trainer in trainers:
            trainer.progress.stage = index
            trainer.start_stage(index)
        try:
            WholeEpochs(trainers, graph=False).gradients(0)
        except Exception as error:  # whatever a model does that vmap has no rule for
            first_line = str(error).strip().partition("\n")[0]
            name = trainers[0].config.model
            raise NotStackedError(f"model {name!r} cannot be stacked ({first_line[:120]})") from None


def _common_points(
    trainers: Sequence[Trainer], ended: dict[int, DivergedError], loop: str
) -> list[Checkpoint | None]:
    """The newest restart points of one place, of all runs that go on; none for each where some have none yet.

    Raises
    ------
    NotStackedError
        Where runs that were trained one by one stand at different places.
    """
    found = {run: restart_points(trainer.out) for run, trainer in enumerate(trainers) if run not in ended}
    several = [point for points in found.values() for point in points]
    ours = all(point.info.get("setting", {}).get("loop") == loop for point in several)
    if not all(found.values()):
        if not ours:
            raise NotStackedError("some of its runs were begun one by one")
        return [None] * len(trainers)  # the stack was killed at its first restart point
    epochs = [stage.epochs for stage in trainers[0].stages]
    of_runs = []
    for points in found.values():
        places: dict[Place, Checkpoint] = {}
        for point in points if ours else points[:1]:  # what was trained otherwise is not gone back on
            places.setdefault(_reached(_place(point), epochs), point)
        of_runs.append(places)
    common = set(of_runs[0]).intersection(*of_runs[1:])
    if not common:
        raise NotStackedError("its runs stand at different epochs")
    chosen = dict(zip(found, (places[max(common)] for places in of_runs), strict=True))
    return [chosen.get(run) for run in range(len(trainers))]


def _place(point: Checkpoint) -> Place:
    progress = point.info.get("progress", {})
    try:
        return int(progress["stage"]), int(progress["epoch"]), int(progress["batch"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{point.path}: not a restart point") from None


def _reached(place: Place, epochs: Sequence[int]) -> Place:
    """The end of a stage is the beginning of the next."""
    stage, epoch, _ = place
    return (stage + 1, 0, 0) if stage + 1 < len(epochs) and epoch == epochs[stage] else place
