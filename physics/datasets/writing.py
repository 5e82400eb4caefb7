"""Data sets that were not simulated here, written in our formats; they appear when they are complete."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import staged_folder, uninterrupted
from physics.datasets.formats.base import Imported
from physics.datasets.formats.importer import labels
from physics.datasets.formats.npz import ORIGIN
from physics.datasets.manifest import MARK, file_entry
from physics.datasets.split import SAMPLED
from physics.errors import InputError
from physics.files import atomic_path, atomic_write, plain

CHUNK_BYTES = 8 << 20
"""Aimed size of a stored chunk."""

ENDINGS = (".npz", ".zarr")


def write_data(out: Path, splits: Mapping[str, Imported], origin: Mapping[str, Any], *, overwrite: bool) -> None:
    """Write splits to an .npz (one split) or a Zarr folder, by the ending of `out`.

    Parameters
    ----------
    splits : mapping of str to Imported
        By name; one split named "" has none.
    origin : mapping
        Where the data come from: kept beside them, for people.
    overwrite : bool
        Whether `out` may be replaced.

    Raises
    ------
    InputError
        For a name with another ending.
    """
    if out.suffix not in ENDINGS:
        raise InputError(f"{out}: expected a name that ends in {' or '.join(ENDINGS)}")
    if out.suffix == ".npz":
        _write_npz(out, *splits.values(), origin=origin)
    else:
        with staged_folder(out, overwrite) as staging, uninterrupted():
            _write_zarr(staging, splits, origin)


def _write_npz(out: Path, data: Imported, *, origin: Mapping[str, Any]) -> None:
    arrays: dict[str, Any] = dict(data.arrays)
    for name, texts in (("recipe", data.recipe), ("units", labels(data)), (ORIGIN, origin)):
        if texts:
            arrays[name] = np.array(json.dumps(plain(texts)))
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _write_zarr(folder: Path, splits: Mapping[str, Imported], origin: Mapping[str, Any]) -> None:
    import zarr
    from zarr.codecs import Crc32cCodec

    attributes: Any = {"format": MARK, ORIGIN: plain(origin)}
    root = zarr.open_group(folder, mode="a", attributes=attributes)
    for split, data in splits.items():
        group = root.require_group(split) if split else root
        for name, values in data.arrays.items():
            array = np.asarray(values)
            chunks = array.shape
            if name in SAMPLED and array.ndim > 1:
                height = max(CHUNK_BYTES * len(array) // max(array.nbytes, 1), 1)
                chunks = (min(height, len(array)), *array.shape[1:])
            fill: Any = np.nan if array.dtype.kind == "f" else 0
            stored = group.create_array(
                name,
                shape=array.shape,
                dtype=array.dtype,
                chunks=chunks,
                fill_value=fill,
                compressors=(Crc32cCodec(),),
                config={"write_empty_chunks": True},
            )
            stored[...] = array
        group.attrs.update({"recipe": plain(data.recipe), "units": labels(data)})
    files = {
        path.relative_to(folder).as_posix(): file_entry(path, durable=True)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    atomic_write(folder / "manifest.json", json.dumps({"format": MARK, "files": files}, indent=1).encode())
