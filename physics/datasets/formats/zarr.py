"""Zarr v3 groups: ours are trusted by their manifest, those of others read with a warning where they are whole."""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import (
    CHUNK_LIMIT,
    METADATA_LIMIT,
    Format,
    Imported,
    Shape,
    refuse_oversized,
    wanted_samples,
)
from physics.datasets.manifest import MARK, json_file, verify_manifest
from physics.datasets.recipes import SPLITS
from physics.datasets.split import ARRAYS, NO_POSITIONS, DataSplit, checked_split
from physics.errors import InputError

CODECS = {"bytes", "crc32c", "zstd", "gzip", "blosc", "transpose", "sharding_indexed"}


def _splits(path: Path) -> tuple[str, ...]:
    return tuple(name for name in SPLITS if (path / name / "zarr.json").is_file())


def _shape(path: Path, split: str) -> Shape:
    folder = path / split / "positions" if (path / split).is_dir() else path / "positions"
    shape = json_file(folder / "zarr.json").get("shape") if (folder / "zarr.json").is_file() else None
    if not isinstance(shape, list) or len(shape) != 4 or not all(type(n) is int and n > 0 for n in shape):
        raise InputError(f"{path}: {NO_POSITIONS}")
    return (shape[0], shape[1], shape[2], shape[3])


def _read(path: Path, split: str, samples: range | None) -> tuple[DataSplit, int]:
    found, count = _found(path, split, samples)
    return checked_split(path, found.arrays, found.recipe, found.units), count


def _found(path: Path, split: str, samples: range | None) -> tuple[Imported, int]:
    """Of our own group the files that are read are verified: all of the split, or metadata and some chunks."""
    import zarr

    ours, splits = _kind(path, split)
    if ours:
        # of some samples the chunks follow below
        verify_manifest(
            path, split, lambda name: samples is None or name.endswith("zarr.json") or "/times/" in f"/{name}"
        )
    try:
        group: Any = zarr.open_group(path, mode="r")
        if splits:
            group = group[split]
        if "positions" not in group or (samples is not None and group["positions"].ndim != 4):
            raise InputError(f"{path}: {NO_POSITIONS}")
        count = int(group["positions"].shape[0]) if group["positions"].ndim else 0
        wanted = None if samples is None else wanted_samples(path, samples, count)
        arrays: dict[str, NDArray[Any]] = {}
        for name in ARRAYS:
            if name in group:
                whole = wanted is None or name == "times" or (name == "box" and group[name].ndim == 1)
                arrays[name] = _array(path, split if splits else "", group[name], None if whole else wanted, ours)
        attributes = dict(group.attrs)
        recipe = attributes.get("recipe", {})
    except InputError:
        raise
    except Exception as error:  # zarr raises many kinds for damaged stores; all are one refusal
        raise InputError(f"{path}: damaged Zarr data ({type(error).__name__}: {error})") from None
    if not ours:
        warnings.warn(
            f"{path}: no manifest, so its contents cannot be verified; reading it as it is", stacklevel=2
        )
    recipe = recipe if isinstance(recipe, dict) else {}
    return Imported(arrays, "", attributes.get("units", {}), recipe), count


def _array(path: Path, split: str, stored: Any, wanted: range | None, ours: bool) -> NDArray[Any]:
    """One array, or some of its rows, once its metadata and chunks are found to be harmless and whole."""
    name = stored.basename
    where = path / split / name
    if stored.ndim > 8:
        raise InputError(f"{where}: {stored.ndim} dimensions; expected at most 8")
    if math.prod(stored.chunks) * stored.dtype.itemsize > CHUNK_LIMIT:
        raise InputError(f"{where}: chunks above {CHUNK_LIMIT >> 20} MiB are refused")
    if wanted is None:
        refuse_oversized(path, math.prod(stored.shape) * stored.dtype.itemsize)
        _refuse_missing_chunks(where, stored)
        return np.asarray(stored[...])
    if not ours:  # nothing says which chunks there must be, and a missing one would be read as its fill
        _refuse_missing_chunks(where, stored)
    height = (stored.shards or stored.chunks)[0]
    chunks = range(wanted.start // height, (wanted.stop - 1) // height + 1)
    refuse_oversized(path, len(chunks) * height * stored.nbytes // max(stored.shape[0], 1))
    prefix = f"{split}/{name}/c/" if split else f"{name}/c/"
    for chunk in chunks if ours else ():
        _verify_chunk(path, split, f"{prefix}{chunk}/")
    return np.asarray(stored[wanted.start : wanted.stop])


def _kind(path: Path, split: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a Zarr folder is ours, and its splits; refused where its metadata are not to be parsed."""
    if not (path / "zarr.json").is_file():
        raise InputError(f"{path}: not a Zarr v3 group (no zarr.json)")
    _refuse_hostile_metadata(path)
    root = json_file(path / "zarr.json")
    attributes = root.get("attributes", {})
    ours = isinstance(attributes, dict) and attributes.get("format") == MARK
    manifest = path / "manifest.json"
    # a flipped bit in our mark must not turn a set with a manifest into one that nothing verifies
    ours = ours or (manifest.is_file() and json_file(manifest).get("format") == MARK)
    splits = _splits(path)
    if splits and split not in splits:
        raise InputError(f"{path}: no split {split!r}; it has {', '.join(splits)}")
    return ours, splits


def _verify_chunk(path: Path, split: str, prefix: str) -> None:
    """The files of one chunk as the manifest has them; it must have some."""
    checked = verify_manifest(path, split, lambda name: f"{name}/".startswith(prefix))
    if not checked:
        raise InputError(f"{path}: chunk {prefix.rstrip('/')} is not in the manifest: the data set is damaged")


def _refuse_missing_chunks(where: Path, stored: Any) -> None:
    # zarr walks every declared chunk, however many: so first, how many can there be?
    stores = zip(stored.shape, stored.shards or stored.chunks, strict=True)
    declared = math.prod(-(-size // chunk) for size, chunk in stores)
    present = sum(1 for file in where.rglob("*") if file.is_file() and file.name != "zarr.json")
    if present >= declared:
        present = declared - (stored.nchunks - stored.nchunks_initialized)
    if present < declared:
        raise InputError(
            f"{where}: {declared - present} of {declared} chunks missing (chunks of nothing but the fill value "
            "must be stored too: write_empty_chunks)"
        )


def _refuse_hostile_metadata(path: Path) -> None:
    for metadata in path.rglob("zarr.json"):
        if metadata.stat().st_size > METADATA_LIMIT:
            raise InputError(f"{metadata}: metadata above 1 MiB is refused")
        node = json_file(metadata)
        if node.get("zarr_format") != 3:
            raise InputError(f"{metadata}: zarr_format {node.get('zarr_format')!r}; expected 3")
        for name in _codec_names(node):
            if name not in CODECS:
                raise InputError(f"{metadata}: codec {name!r:.60} is not one of {', '.join(sorted(CODECS))}")


def _codec_names(node: dict[str, Any]) -> Iterator[object]:
    """Codecs named anywhere in a node: also those inside shards and in consolidated metadata."""
    pending: list[Any] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            for key, value in item.items():
                if key == "attributes":  # the user's own
                    continue
                if key in ("codecs", "index_codecs") and isinstance(value, list):
                    for codec in value:
                        name = codec.get("name") if isinstance(codec, dict) else codec
                        yield name if isinstance(name, str) else str(name)
                pending.append(value)


ZARR = Format(
    "a Zarr folder",
    Path.is_dir,
    _read,
    splits=_splits,
    shape=_shape,
    load=lambda path, split, hints: _found(path, split, None)[0],
)
