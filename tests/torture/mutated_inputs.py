"""`python -m tests.torture.mutated_inputs INPUTS`: every reader, given files with something changed in them.

Prints one line of JSON: for each reader how many inputs, how many were refused, what was no refusal in one line
(`wrong`), what loaded without error but with another content (`changed`); the longest read [second] and how much
the peak of memory grew [byte]. In a process of its own: a crash would end it.
"""

import json
import pickle
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.viewmodel.files.autosave import Autosave, read_autosave, write_autosave
from app.viewmodel.files.documents import plain, read_document
from app.viewmodel.files.lessons import read_lesson, shipped_lessons
from app.viewmodel.files.preferences import FILE, VERSION, save_preferences
from app.viewmodel.files.sessions import SavedSession, load_session, save_session
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.setup import RandomTurn, Setup, Turn
from app.viewmodel.state.view import View
from physics.datasets.reading import read_split
from physics.errors import InputError
from physics.generate import main as generate
from physics.scenarios import load_scenario, shipped_scenarios
from resources.shipped import shipped_models
from surrogate.inference.loading import load
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import load_config

SESSION = SavedSession(
    Setup(scenario="bound", seed=5, model="egnn-nd", operations=(Turn(0, 1, 30.0), RandomTurn(4))),
    View(axes=(0, 1, 2), colour_range=(0.0, 2.0)),
    Playback(3.5, mark_in=1, mark_out=9),
    (0, 2),
)

TOKENS = (
    b"9" * 5000, b"1e999", b"-1", b"NaN", b"null", b"[]", b"{}", b"[" * 3000, b'"\\ud800"', b'"\\u0000"', b"true",
    b"{\"kind\": []}", b"'", b'"', b"\n", b"\x00", b"\xff\xfe", b"../../../../etc/passwd", b"1" + b"0" * 400,
)  # fmt: skip
"""Put in the place of a number or a word."""


def arrays_of(path: Path) -> Any:
    """What a data set holds, as something to compare."""
    split = read_split(path, "train")
    names = ("positions", "velocities", "charges", "masses", "times")
    return {name: getattr(split, name).tobytes() for name in names}


def weights_of(path: Path) -> Any:
    """What a checkpoint holds, loaded as a forecaster before."""
    load(path)
    found = read_checkpoint(path)
    return {name: tensor.numpy().tobytes() for name, tensor in found.tensors.items()}, json.dumps(found.info)


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    Attributes
    ----------
    make : callable
        Writes a good one into a folder; its path.
    read : callable
        What is in it, as something to compare.
    checksummed : bool
        Whether a changed content must be refused.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    checksummed: bool = False


def copied(source: Path, folder: Path) -> Path:
    """A shipped file."""
    return Path(shutil.copy(source, folder))


def made_scenario(folder: Path) -> Path:
    return copied(shipped_scenarios()["hexagon"], folder)


def made_lesson(folder: Path) -> Path:
    return copied(next(iter(shipped_lessons().values())), folder)


def made_config(folder: Path) -> Path:
    (folder / "config.toml").write_text(load_config("egnn-nbody").to_toml())
    return folder / "config.toml"


def made_session(folder: Path) -> Path:
    save_session(folder / "session.json", SESSION)
    return folder / "session.json"


def made_autosave(folder: Path) -> Path:
    write_autosave(folder / "kept.json", Autosave(SESSION, "a.json", 1.5e9))
    return folder / "kept.json"


def made_preferences(folder: Path) -> Path:
    save_preferences(folder, Preferences(recent=("a", "b")))
    return folder / FILE


def made_npz(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(2, 4, 6, 3, 2))
    np.savez(folder / "data.npz", positions=x, velocities=v, charges=np.ones((4, 3)), times=np.arange(6.0))
    return folder / "data.npz"


def made_zarr(folder: Path) -> Path:
    path = folder / "data.zarr"
    generate(
        ["--preset", "charged-iso", "--out", str(path), "--split", "train=2", "--particles", "2", "--dims", "2"]
    )
    return path


def made_checkpoint(folder: Path) -> Path:
    (folder / "model").mkdir()
    path = shipped_models()["gnn-nbody"]
    copied(next(path.glob("*.safetensors")) if path.is_dir() else path, folder / "model")
    return folder / "model"


READERS: Mapping[str, Reader] = {
    "scenario": Reader(made_scenario, lambda path: load_scenario(str(path))),
    "lesson": Reader(made_lesson, read_lesson),
    "configuration": Reader(made_config, lambda path: load_config(str(path))),
    "session": Reader(made_session, lambda path: plain(load_session(path))),
    "autosave": Reader(made_autosave, lambda path: plain(read_autosave(path)), checksummed=True),
    "preferences": Reader(made_preferences, lambda path: read_document(path, "preferences", VERSION, Preferences)),
    "npz": Reader(made_npz, arrays_of),
    "data set": Reader(made_zarr, arrays_of, checksummed=True),
    "checkpoint": Reader(made_checkpoint, weights_of, checksummed=True),
}


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with something changed, mostly near the start where the structure stands."""
    size = max(len(data), 1)
    at = int(rng.integers(size) if rng.random() < 0.5 else rng.integers(min(size, 2000)))
    length = int(rng.integers(1, 40))
    kind = int(rng.integers(6))
    if kind == 0:
        changed = bytearray(data)
        for k in rng.integers(size, size=int(rng.integers(1, 4))):
            changed[k] ^= 1 << int(rng.integers(8))
        return bytes(changed)
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + data[at + length :]
    if kind == 3:
        return data[:at] + data[at : at + length] * int(rng.integers(2, 200)) + data[at + length :]
    if kind == 4:
        return data[:at] + rng.bytes(length) + data[at + length :]
    words = [k for k in range(max(at - 200, 0), min(at + 200, len(data))) if data[k : k + 1].isalnum()]
    if not words:
        return b""
    start = end = words[int(rng.integers(len(words)))]
    while end < len(data) and (data[end : end + 1].isalnum() or data[end : end + 1] in (b".", b"-", b"_")):
        end += 1
    return data[:start] + TOKENS[int(rng.integers(len(TOKENS)))] + data[end:]


def tried(reader: Reader, path: Path, good: Any, found: dict[str, Any], how: str) -> None:
    """Read it once, and note how that went."""
    begin = time.perf_counter()
    try:
        read = reader.read(path)
    except InputError as error:
        found["refused"] += 1
        if "\n" in str(error) or not str(error).strip():
            found["wrong"].append(f"{how}: not one line: {error!r}"[:300])
    except BaseException as error:
        found["wrong"].append(f"{how}: {type(error).__name__}: {error}"[:300])
    else:
        if reader.checksummed and read != good:
            found["changed"].append(how)
    found["seconds"] = max(found["seconds"], time.perf_counter() - begin)


def tortured(reader: Reader, n_inputs: int, rng: np.random.Generator) -> dict[str, Any]:
    """Mutated inputs for one reader."""
    found: dict[str, Any] = {"inputs": n_inputs, "refused": 0, "wrong": [], "changed": [], "seconds": 0.0}
    with tempfile.TemporaryDirectory() as place:
        path = reader.make(Path(place))
        good = reader.read(path)
        files = [p for p in sorted(path.rglob("*")) if p.is_file()] if path.is_dir() else [path]
        original = {file: file.read_bytes() for file in files}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(n_inputs):
            file = files[int(rng.integers(len(files)))]
            changed = pickle.dumps(Path) if number == 0 else mutated(original[file], rng)
            file.write_bytes(changed)
            tried(reader, path, good, found, f"input {number} ({file.name})")
            file.write_bytes(original[file])
        found["memory"] = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return found


def main() -> None:
    """All readers, one after the other."""
    warnings.simplefilter("ignore")
    n_each = max(int(sys.argv[1]) // len(READERS), 1)
    found = {
        name: tortured(r, n_each, np.random.default_rng([9, k])) for k, (name, r) in enumerate(READERS.items())
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
