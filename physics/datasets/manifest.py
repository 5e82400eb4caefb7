"""The manifest of our Zarr data sets: every file with its size and hash, written last."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from physics.datasets.recipes import SPLITS
from physics.errors import InputError

MARK = "isotwin-dataset/1"
"""The `format` of our data sets and of their recipes."""


def json_file(path: Path) -> dict[str, Any]:
    """The JSON object of a file."""
    try:
        node = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        node = None
    if not isinstance(node, dict):
        raise InputError(f"{path}: damaged JSON")
    return node


def file_entry(path: Path, *, durable: bool = False) -> dict[str, Any]:
    """What the manifest says of a file; with `durable`, after what was written has reached the disk."""
    with path.open("rb") as stream:
        if durable:
            os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def verify_manifest(path: Path, split: str, wanted: Callable[[str], bool] = lambda name: True) -> int:
    """Check the files of the split and of no split, as far as they are `wanted`; how many these were."""
    manifest_path = path / "manifest.json"
    if not manifest_path.is_file():
        raise InputError(
            f"{path}: incomplete (no manifest.json); finish it with python -m physics.generate --resume"
        )
    files = json_file(manifest_path).get("files")
    if not isinstance(files, dict):
        raise InputError(f"{manifest_path}: damaged manifest")
    checked = 0
    for name, entry in files.items():
        folder = name.partition("/")[0]
        if (folder in SPLITS and folder != split) or not wanted(name):
            continue
        checked += 1
        target = path / name
        if ".." in Path(name).parts or not target.is_file():
            raise InputError(f"{target}: listed in the manifest but missing")
        if not isinstance(entry, dict):
            raise InputError(f"{manifest_path}: damaged manifest")
        found = file_entry(target)
        if found["bytes"] != entry.get("bytes"):
            raise InputError(f"{target}: {found['bytes']} bytes; the manifest says {entry.get('bytes')}")
        if found["sha256"] != entry.get("sha256"):
            raise InputError(f"{target}: SHA-256 differs from the manifest: the file is damaged")
    return checked
