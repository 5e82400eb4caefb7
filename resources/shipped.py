"""Which models ship. Knows only folders, so that a window can list them without loading PyTorch."""

from pathlib import Path

from resources import ZOO

FILE_NAME = "checkpoint.safetensors"
"""The one file of a checkpoint folder."""


def shipped_models() -> dict[str, Path]:
    """Names and folders of the forecasting models that ship."""
    return {path.parent.name: path.parent for path in sorted(ZOO.glob(f"*/{FILE_NAME}"))}


def shipped_models_of_task(task: str) -> dict[str, Path]:
    """Names and folders of the models of another task than forecasting."""
    return {path.parent.name: path.parent for path in sorted((ZOO / task).glob(f"*/{FILE_NAME}"))}


def shipped_models_of_any_task() -> dict[str, Path]:
    """Those, and the models of other tasks: a folder a task."""
    return shipped_models() | {path.parent.name: path.parent for path in sorted(ZOO.glob(f"*/*/{FILE_NAME}"))}
