"""Curves for TensorBoard, where it is installed: `pip install isotwin[tensorboard]`."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from physics.errors import InputError


def needs_tensorboard() -> None:
    """Refuse where TensorBoard is not installed.

    Raises
    ------
    InputError
    """
    if find_spec("tensorboard") is None:
        raise InputError(
            "--tensorboard: the package tensorboard is not installed; pip install tensorboard, or leave it out: "
            "metrics.csv holds the same curves"
        )


def event_writer(folder: Path, from_step: int = 0) -> Callable[[dict[str, Any]], None]:
    """A function that adds a validation's row to the event files of `folder`.

    Parameters
    ----------
    folder : Path
    from_step : int
        Events of an interrupted run from this step on are taken back.
    """
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(str(folder), purge_step=from_step or None)

    def add(row: dict[str, Any]) -> None:
        for name in row.keys() - {"stage", "epoch", "step"}:
            writer.add_scalar(f"{row['stage']}/{name}", row[name], row["step"])
        writer.flush()

    return add
