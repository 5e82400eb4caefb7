"""Reading data sets: our Zarr (trusted by its manifest), foreign Zarr, and .npz; never a pickle.

Limits are checked before anything is parsed: metadata and array sizes, codecs, dimensions.
"""

import hashlib
import json
import math
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError

FORMAT = "isotwin-dataset/1"
PACKED_LIMIT, PACKED_MOST = 64 << 20, 100
"""A larger .npz that is packed smaller than by so much is not unpacked: it would fill the memory with nothing."""

METADATA_LIMIT = 1 << 20
CHUNK_LIMIT = 256 << 20
CODECS = {"bytes", "crc32c", "zstd", "gzip", "blosc", "transpose", "sharding_indexed"}
SPLIT_NAMES = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class DataSplit:
    """One split of a data set, in memory.

    Attributes
    ----------
    positions, velocities : (n_samples, n_frames, n_particles, n_dims) float
    charges, masses : (n_samples, n_particles) float
    times : (n_frames,) float64, increasing
    recipe : mapping
        How it was made; empty for data of unknown origin.
    source : str
        For messages.
    notes : tuple of str
        What was filled in (velocities, charges).
    """

    positions: NDArray[Any]
    velocities: NDArray[Any]
    charges: NDArray[Any]
    masses: NDArray[Any]
    times: NDArray[np.float64]
    source: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_dims(self) -> int:
        """Number of space dimensions."""
        return int(self.positions.shape[-1])

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return int(self.positions.shape[-2])

    def head(self, count: int) -> "DataSplit":
        """The first `count` samples."""
        return self.part(slice(0, count))

    def part(self, which: slice) -> "DataSplit":
        """Some of the samples."""
        return DataSplit(
            self.positions[which],
            self.velocities[which],
            self.charges[which],
            self.masses[which],
            self.times,
            self.source,
            self.recipe,
            self.notes,
        )


def read_split(path: Path | str, split: str) -> DataSplit:
    """One split of a Zarr data set, or the whole of an .npz.

    Raises
    ------
    InputError
        One line: what, where, what was expected.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such data set")
    if path.is_dir():
        return _read_zarr(path, split)
    if path.suffix == ".npz":
        return _read_npz(path)
    raise InputError(f"{path}: not a data set; expected a Zarr folder or an .npz file")


def read_samples(path: Path | str, split: str, samples: range) -> tuple[DataSplit, int]:
    """Some consecutive samples of a split, and how many it has; of our Zarr only their chunks are verified.

    Parameters
    ----------
    samples : range
        Step 1; cut where the split ends.

    Raises
    ------
    InputError
        As `read_split`.
    """
    path = Path(path)
    if path.is_dir():
        return _read_zarr_samples(path, split, samples)
    return _part(read_split(path, split), samples)


def _part(whole: DataSplit, samples: range) -> tuple[DataSplit, int]:
    if not 0 <= samples.start < min(len(whole), samples.stop):
        raise InputError(_no_sample(whole.source, samples.start, len(whole)))
    return whole.part(slice(samples.start, samples.stop)), len(whole)


def _no_sample(source: object, index: int, count: int) -> str:
    return f"{source}: no sample {index}; it has {count} (0 to {count - 1})"


def available_splits(path: Path | str) -> tuple[str, ...]:
    """Names of the splits of a data set; an .npz or a single-split Zarr has none."""
    path = Path(path)
    if not path.is_dir():
        return ()
    return tuple(name for name in SPLIT_NAMES if (path / name / "zarr.json").is_file())


def _read_npz(path: Path) -> DataSplit:
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(entry.file_size for entry in archive.infolist())
    except Exception as error:  # a damaged directory also raises UnicodeDecodeError, NotImplementedError ...
        raise InputError(f"{path}: not a readable .npz file ({error})") from None
    _refuse_oversized(path, declared)
    if declared > PACKED_LIMIT and declared > PACKED_MOST * path.stat().st_size:
        raise InputError(
            f"{path}: {declared / 1e6:.0f} MB packed into {path.stat().st_size / 1e6:.1f} MB; "
            "trajectories do not pack so small"
        )
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in ("positions", "velocities", "charges", "times", "masses", "recipe"):
                if name in archive.files:
                    arrays[name] = archive[name]
                    if not isinstance(arrays[name], np.ndarray):
                        raise InputError(f"{path}: {name} is not a NumPy array file")
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files; all are one refusal
        if isinstance(error, ValueError) and "pickle" in str(error).lower():
            raise InputError(
                f"{path}: holds pickled objects, which are never loaded; expected plain arrays"
            ) from None
        raise InputError(f"{path}: damaged .npz ({type(error).__name__}: {error})") from None
    recipe: Mapping[str, Any] = {}
    if "recipe" in arrays:
        recipe = parsed_recipe(path, str(arrays["recipe"]))
    return checked_split(path, arrays, recipe)


def parsed_recipe(path: Path, text: str) -> Mapping[str, Any]:
    """The recipe of an .npz."""
    try:
        recipe = json.loads(text) if len(text) <= METADATA_LIMIT else None
    except (ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict):
        raise InputError(f"{path}: recipe is not a JSON object of at most 1 MiB")
    return recipe


def _read_zarr(path: Path, split: str) -> DataSplit:
    import zarr

    ours, splits = _zarr_kind(path, split)
    if ours:
        _verify_manifest(path, split)
    try:
        group: Any = zarr.open_group(path, mode="r")
        if splits:
            group = group[split]
        arrays: dict[str, NDArray[Any]] = {}
        for name in ("positions", "velocities", "charges", "times", "masses"):
            if name not in group:
                continue
            stored = group[name]
            where = path / (split if splits else "") / name
            if stored.ndim > 8:
                raise InputError(f"{where}: {stored.ndim} dimensions; expected at most 8")
            if math.prod(stored.chunks) * stored.dtype.itemsize > CHUNK_LIMIT:
                raise InputError(f"{where}: chunks above {CHUNK_LIMIT >> 20} MiB are refused")
            _refuse_oversized(path, math.prod(stored.shape) * stored.dtype.itemsize)
            _refuse_missing_chunks(where, stored)
            arrays[name] = stored[...]
        recipe = dict(group.attrs).get("recipe", {})
    except InputError:
        raise
    except Exception as error:  # zarr raises many kinds for damaged stores; all are one refusal
        raise InputError(f"{path}: damaged Zarr data ({type(error).__name__}: {error})") from None
    if not ours:
        warnings.warn(
            f"{path}: no manifest, so its contents cannot be verified; reading it as it is", stacklevel=2
        )
    return checked_split(path, arrays, recipe if isinstance(recipe, dict) else {})


def _zarr_kind(path: Path, split: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a Zarr folder is ours, and its splits; refused where its metadata are not to be parsed."""
    if not (path / "zarr.json").is_file():
        raise InputError(f"{path}: not a Zarr v3 group (no zarr.json)")
    _refuse_hostile_metadata(path)
    root = json_file(path / "zarr.json")
    attributes = root.get("attributes", {})
    ours = isinstance(attributes, dict) and attributes.get("format") == FORMAT
    manifest = path / "manifest.json"
    # a flipped bit in our mark must not turn a set with a manifest into one that nothing verifies
    ours = ours or (manifest.is_file() and json_file(manifest).get("format") == FORMAT)
    splits = available_splits(path)
    if splits and split not in splits:
        raise InputError(f"{path}: no split {split!r}; it has {', '.join(splits)}")
    return ours, splits


def _read_zarr_samples(path: Path, split: str, samples: range) -> tuple[DataSplit, int]:
    import zarr

    ours, splits = _zarr_kind(path, split)
    if ours:
        _verify_manifest(path, split, lambda name: name.endswith("zarr.json") or "/times/" in name)
    try:
        group: Any = zarr.open_group(path, mode="r")
        if splits:
            group = group[split]
        if "positions" not in group or group["positions"].ndim != 4:
            raise InputError(f"{path}: no array 'positions' (samples, frames, particles, dims)")
        count = int(group["positions"].shape[0])
        wanted = range(samples.start, min(samples.stop, count))
        if not wanted or wanted.start < 0:
            raise InputError(_no_sample(path, samples.start, count))
        arrays: dict[str, NDArray[Any]] = {}
        for name in ("positions", "velocities", "charges", "times", "masses"):
            if name not in group:
                continue
            stored = group[name]
            if stored.ndim > 8:
                raise InputError(f"{path}: {name} has {stored.ndim} dimensions; expected at most 8")
            if math.prod(stored.chunks) * stored.dtype.itemsize > CHUNK_LIMIT:
                raise InputError(f"{path}: chunks of {name} above {CHUNK_LIMIT >> 20} MiB are refused")
            if not ours:  # nothing says which chunks there must be, and a missing one would be read as its fill
                _refuse_missing_chunks(path / (split if splits else "") / name, stored)
            if name == "times":
                arrays[name] = stored[...]
                continue
            height = (stored.shards or stored.chunks)[0]
            first, last = wanted.start // height, (wanted.stop - 1) // height
            _refuse_oversized(path, (last - first + 1) * height * stored.nbytes // max(count, 1))
            prefix = f"{split}/{name}/c/" if splits else f"{name}/c/"
            for chunk in range(first, last + 1) if ours else ():
                _verify_chunk(path, split, f"{prefix}{chunk}/")
            arrays[name] = stored[wanted.start : wanted.stop]
        recipe = dict(group.attrs).get("recipe", {})
    except InputError:
        raise
    except Exception as error:  # as for a whole one
        raise InputError(f"{path}: damaged Zarr data ({type(error).__name__}: {error})") from None
    if not ours:
        warnings.warn(
            f"{path}: no manifest, so its contents cannot be verified; reading it as it is", stacklevel=2
        )
    return checked_split(path, arrays, recipe if isinstance(recipe, dict) else {}), count


def _verify_chunk(path: Path, split: str, prefix: str) -> None:
    """The files of one chunk as the manifest has them; it must have some."""
    checked = _verify_manifest(path, split, lambda name: f"{name}/".startswith(prefix))
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


def json_file(path: Path) -> dict[str, Any]:
    """The JSON object of a file."""
    try:
        node = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        node = None
    if not isinstance(node, dict):
        raise InputError(f"{path}: damaged JSON")
    return node


def _verify_manifest(path: Path, split: str, wanted: Callable[[str], bool] = lambda name: True) -> int:
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
        if ("/" in name and not name.startswith(f"{split}/")) or not wanted(name):
            continue
        checked += 1
        target = path / name
        if ".." in Path(name).parts or not target.is_file():
            raise InputError(f"{target}: listed in the manifest but missing")
        if not isinstance(entry, dict):
            raise InputError(f"{manifest_path}: damaged manifest")
        if target.stat().st_size != entry.get("bytes"):
            raise InputError(f"{target}: {target.stat().st_size} bytes; the manifest says {entry.get('bytes')}")
        with target.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != entry.get("sha256"):
                raise InputError(f"{target}: SHA-256 differs from the manifest: the file is damaged")
    return checked


def available_memory() -> int:
    """Bytes of memory that can be taken now (a large guess where the system does not tell)."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 8 << 30


def _refuse_oversized(path: Path, n_bytes: int) -> None:
    limit = available_memory() // 2
    if n_bytes > limit:
        raise InputError(
            f"{path}: declares {n_bytes / 1e9:.1f} GB; at most {limit / 1e9:.1f} GB fit in memory here"
        )


def checked_split(path: Path, arrays: dict[str, NDArray[Any]], recipe: Mapping[str, Any]) -> DataSplit:
    """Arrays as they were read, checked and completed (velocities, charges, masses); what is filled in is said."""
    notes: list[str] = []
    if "positions" not in arrays:
        raise InputError(f"{path}: no array 'positions' (samples, frames, particles, dims)")
    positions = _numbers(path, "positions", arrays["positions"])
    if positions.ndim != 4 or 0 in positions.shape:
        raise InputError(
            f"{path}: positions must be (samples, frames, particles, dims); got shape {positions.shape}"
        )
    n_samples, n_frames, n, _ = positions.shape
    if "times" not in arrays:
        raise InputError(f"{path}: no array 'times' ({n_frames},)")
    times = _numbers(path, "times", arrays["times"]).astype(np.float64)
    if times.shape != (n_frames,) or not (np.diff(times) > 0).all():
        raise InputError(f"{path}: times must be ({n_frames},) and increasing; got shape {times.shape}")
    if "velocities" in arrays:
        velocities = _numbers(path, "velocities", arrays["velocities"])
        if velocities.shape != positions.shape:
            raise InputError(f"{path}: velocities must be {positions.shape} as positions; got {velocities.shape}")
    elif n_frames < 2:
        raise InputError(f"{path}: no velocities, and one frame is too few for finite differences")
    else:
        velocities = np.gradient(positions, times, axis=1)
        notes.append("velocities by finite differences of positions")
    if "charges" in arrays:
        charges = _numbers(path, "charges", arrays["charges"])
        if charges.shape != (n_samples, n):
            raise InputError(f"{path}: charges must be {(n_samples, n)}; got shape {charges.shape}")
    else:
        charges = np.zeros((n_samples, n))
        notes.append("charges set to zero")
    masses = _numbers(path, "masses", arrays["masses"]) if "masses" in arrays else np.ones((n_samples, n))
    if masses.shape != (n_samples, n) or (masses <= 0).any():
        raise InputError(f"{path}: masses must be positive and {(n_samples, n)}; got shape {masses.shape}")
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return DataSplit(positions, velocities, charges, masses, times, str(path), recipe, tuple(notes))


def _numbers(path: Path, name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: {name} must be numbers; got dtype {array.dtype}")
    result = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        where = tuple(map(int, np.argwhere(~finite)[0]))
        raise InputError(f"{path}: {name} must be finite; got {result[where]} at index {where}")
    return result
