"""Sets of samples as named arrays: an .npz, or a Zarr folder with parts for training, validation and test."""

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import refuse_oversized
from physics.errors import InputError
from physics.files import atomic_path

SPLITS = ("train", "valid", "test")
ASIDE = 11
"""Of a set without parts every so manieth sample is kept aside for validation."""

Arrays = dict[str, NDArray[Any]]


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """One part, as a file that appears when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = dict(arrays)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **kept)


def read_npz(path: Path, names: Collection[str]) -> Arrays:
    """Those of the named arrays that an .npz has; never a pickle.

    Raises
    ------
    InputError
    """
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_oversized(path, sum(entry.file_size for entry in archive.infolist()))
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names if name in archive.files}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files; all are one refusal
        raise InputError(f"{path}: not a readable .npz ({error})") from None


def write_zarr(path: Path, parts: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
    """Parts as the groups of a Zarr folder."""
    import zarr

    root = zarr.create_group(path)
    for name, arrays in parts.items():
        group = root.create_group(name)
        for key, values in arrays.items():
            group.create_array(key, data=values, chunks=values.shape)


def read_zarr(path: Path, split: str, names: Collection[str]) -> Arrays:
    """Those of the named arrays that one part of a Zarr folder has, or the whole of one without parts.

    Raises
    ------
    InputError
    """
    import zarr

    try:
        group: Any = zarr.open_group(path, mode="r")
        parts = [name for name in SPLITS if name in group]
        if parts and split not in parts:
            raise InputError(f"{path}: no split {split!r}; it has {', '.join(parts)}")
        group = group[split] if parts else group
        there = [name for name in names if name in group]
        refuse_oversized(path, sum(int(group[name].nbytes) for name in there))
        return {name: np.asarray(group[name][...]) for name in there}
    except InputError:
        raise
    except Exception as error:  # zarr raises many kinds for damaged stores; all are one refusal
        raise InputError(f"{path}: damaged Zarr data ({type(error).__name__}: {error})") from None


def has_parts(path: Path | str) -> bool:
    """Whether a set says itself which samples are for training, validation and test."""
    return any((Path(path) / name / "zarr.json").is_file() for name in SPLITS)


def kept_aside(path: str, count: int) -> NDArray[np.bool_]:
    """Which samples of a set without parts are for validation, (count,).

    Raises
    ------
    InputError
        Where there are too few.
    """
    aside: NDArray[np.bool_] = np.arange(count) % ASIDE == ASIDE - 1
    if not aside.any():
        raise InputError(f"{path}: {count} samples; training needs at least {ASIDE}, to keep one aside")
    return aside
