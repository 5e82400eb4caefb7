"""Checkpoints: one safetensors file with its description in the header, checksummed, verified before it is used.

A checkpoint is a folder holding `checkpoint.safetensors`; weights are tensors, everything else is JSON under
one metadata key, with a SHA-256 over all of it. Nothing is ever unpickled.
"""

import hashlib
import json
import re
import struct
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from physics.errors import InputError
from physics.files import atomic_path, sync_folder
from resources.shipped import FILE_NAME

FORMAT = "isotwin-checkpoint/1"
HEADER_LIMIT = 16 << 20
FILE_LIMIT = 4 << 30
NESTING_LIMIT = 32
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
DTYPES = {*FLOATS, torch.int64, torch.int32, torch.uint8, torch.bool}
JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.?)*(?:"|\Z)', re.DOTALL)
"""A string of JSON, or one that the end cuts off."""


class ModelError(InputError):
    """An unknown or damaged model."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes
    ----------
    info : dict
        Plain JSON: configuration, card and what its task needs, or for restart points the training state.
    tensors : dict of str to Tensor
    path : Path
    digest : str
        SHA-256 over tensors and info.
    """

    info: dict[str, Any]
    tensors: dict[str, Tensor]
    path: Path
    digest: str


def save_checkpoint(
    folder: Path, info: dict[str, Any], tensors: dict[str, Tensor], previous: Path | None = None
) -> str:
    """Write a checkpoint atomically, read it back, and return its digest.

    Parameters
    ----------
    previous : Path or None
        A folder that takes over the checkpoint which the new one replaces, once the new one has been read back.

    Raises
    ------
    ModelError
        If a weight is not finite: such a state is never saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # one count of steps may stand for all parameters; the format refuses tensors that share memory
    plain = {name: tensor.clone() if tensor.dim() == 0 else tensor for name, tensor in plain.items()}
    for name, tensor in plain.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{folder}: weight {name} is not finite; not saved")
    text = json.dumps(info, sort_keys=True, allow_nan=False)
    digest = contents_digest(text, plain)
    with atomic_path(folder / FILE_NAME) as temporary:
        temporary.write_bytes(_file_bytes(plain, {"format": FORMAT, "info": text, "sha256": digest}))
        if _read(temporary).digest != digest:
            raise ModelError(f"{folder}: what was written does not read back; not saved")
        if previous is not None and (folder / FILE_NAME).is_file():
            previous.mkdir(parents=True, exist_ok=True)
            (folder / FILE_NAME).replace(previous / FILE_NAME)
            sync_folder(previous)
    return digest


def read_checkpoint(path: Path | str) -> Checkpoint:
    """The checkpoint of a folder (or of the file itself), verified.

    Raises
    ------
    ModelError
        One line: what, where, what was expected.
    """
    path = Path(path)
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise ModelError(f"{path}: no checkpoint here (expected {FILE_NAME})")
    return _read(file)


def _file_bytes(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    # safetensors writes the metadata keys in an order that differs from call to call; ours is fixed, so that
    # equal checkpoints are equal files.
    data = save(tensors, metadata)
    (length,) = struct.unpack("<Q", data[:8])
    header = {**json.loads(data[8 : 8 + length]), "__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data[8 + length :])


def _read(file: Path) -> Checkpoint:
    header = _header(file)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ModelError(f"{file}: not an Isotwin checkpoint (expected format {FORMAT})")
    try:
        tensors = load_file(file)
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelError(f"{file}: damaged checkpoint ({error})") from None
    text = metadata.get("info", "")
    if metadata.get("sha256") != contents_digest(text, tensors):
        raise ModelError(f"{file}: damaged checkpoint (SHA-256 differs)")
    info = _json_object(text)
    if info is None:
        raise ModelError(f"{file}: damaged checkpoint (its description is not a JSON object)")
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES:
            raise ModelError(f"{file}: weight {name} has dtype {tensor.dtype}; expected a plain number")
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{file}: weight {name} is not finite")
    return Checkpoint(info, tensors, file, str(metadata["sha256"]))


def _header(file: Path) -> dict[str, Any]:
    size = file.stat().st_size
    if size > FILE_LIMIT:
        raise ModelError(f"{file}: {size} bytes; expected at most {FILE_LIMIT}")
    with file.open("rb") as stream:
        prefix = stream.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= min(HEADER_LIMIT, size - 8):
            raise ModelError(f"{file}: damaged or foreign checkpoint (not a safetensors file)")
        raw = stream.read(length)
    if raw.count(b"[") > 1_000_000 or _depth(raw) > NESTING_LIMIT:
        raise ModelError(f"{file}: damaged checkpoint (header too deeply nested)")
    header = _json_object(raw)
    if header is None:
        raise ModelError(f"{file}: damaged or foreign checkpoint (header is not JSON)")
    return header


def _json_object(text: str | bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _depth(raw: bytes) -> int:
    steps = ((byte in b"[{") - (byte in b"]}") for byte in JSON_TEXT.sub(b"", raw))
    return max(accumulate(steps, initial=0))


def contents_digest(text: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of a description and of every tensor's name, type, shape and bytes; `sha256` of the format."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
