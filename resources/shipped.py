"""Which models ship. Knows only folders, so that a window can list them without loading PyTorch."""

from pathlib import Path

from resources import ZOO

FILE_NAME = "checkpoint.safetensors"
"""The one file of a checkpoint folder."""


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models that ship."""
    return {path.parent.name: path.parent for path in sorted(ZOO.glob(f"*/{FILE_NAME}"))}
