"""`python -m tests.torture.hostile_files FILES`: files made to hurt, each given to its reader.

Prints one line of JSON: how many, which were not refused in one line, the longest read [second], how much the peak
of memory grew at most [byte]. Every file must be refused. The list goes through the kinds in turn, so that a few
files show each.
"""

import io
import itertools
import json
import pickle
import resource
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.viewmodel.files.documents import plain
from tests.torture.mutated_inputs import READERS, SESSION, tried

DEEP = 3000
MEGABYTE = 10**6


def documents(kind: str, good: Any, version: int) -> Iterator[tuple[str, bytes]]:
    """JSON documents that are no sessions, autosaves or preferences."""
    begin = f'{{"isotwin": "{kind}", "version": {version}, "content": '
    text = json.dumps(good)

    def with_content(content: str) -> bytes:
        return f"{begin}{content}}}".encode()

    field = next(name for name in good if name != "kind")
    yield "deep lists", with_content("[" * DEEP + "]" * DEEP)
    yield "deep objects", with_content('{"a":' * DEEP + "1" + "}" * DEEP)
    yield "a number of 5000 digits", with_content("9" * 5000)
    yield "a number beyond floats", with_content(text.replace(json.dumps(good[field]), "1" + "0" * 400, 1))
    yield "a kind that is a list", with_content(f'{{"kind": [], "{field}": {{"kind": []}}}}')
    yield "not a number", with_content("NaN")
    yield "a field that is a long list", with_content(f'{{"{field}": [{"0," * 200_000}0]}}')
    yield "too large", with_content(json.dumps("x" * 2**20))
    yield "no text", with_content("1").replace(b"1", b"\xff\xfe")
    yield "a pickle", pickle.dumps({"isotwin": kind})
    yield "another version", with_content(text).replace(f'"version": {version}'.encode(), b'"version": 99')
    yield "a version of lists", with_content(text).replace(f'"version": {version}'.encode(), b'"version": [[]]')
    yield "empty", b""


def tables(_: str) -> Iterator[tuple[str, bytes]]:
    """TOML files."""
    yield "a dotted key", (".".join(["a"] * 1500) + " = 1").encode()
    yield "a dotted key of 40 kB", (".".join(["a"] * 20_000) + " = 1").encode()
    yield "a dotted table", ("[" + ".".join(["a"] * 1500) + "]").encode()
    yield "deep lists", ("x = " + "[" * DEEP + "]" * DEEP).encode()
    yield "deep tables", ("x = " + "{a = " * 500 + "1" + "}" * 500).encode()
    yield "a number of 5000 digits", ("x = " + "9" * 5000).encode()
    yield "too large", b"# " + b"x" * 2**21
    yield "no text", b"\xff\xfe\x00"
    yield "a pickle", pickle.dumps({"a": 1})


def archives() -> Iterator[tuple[str, bytes]]:
    """Files of the .npz kind."""

    def npz(n_zeros: int = 0, **members: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    member.write(data)
                    for _ in range(0, n_zeros, MEGABYTE):  # in pieces: the peak of memory is to be the reader's
                        member.write(bytes(MEGABYTE))
        return stream.getvalue()

    def array(shape: tuple[int, ...], data: bytes, kind: str = "<f8") -> bytes:
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
        return stream.getvalue() + data

    yield "a terabyte declared", npz(positions=array((10**6, 10**6, 3, 2), bytes(64)))
    yield "a negative shape", npz(positions=array((-1, 4, 3, 2), bytes(64)))
    yield "400 MB of zeros", npz(400 * MEGABYTE, positions=array((50 * MEGABYTE,), b""))
    yield "400 MB of zeros of a name nobody asks for", npz(400 * MEGABYTE, other=array((50 * MEGABYTE,), b""))
    yield "objects", npz(positions=array((1,), pickle.dumps([Path]), "|O"))
    yield "no array", npz(positions=b"hello")
    yield "a pickle", pickle.dumps(Path)
    yield "an empty archive", npz()


def hostile() -> list[tuple[str, str, bytes]]:
    """Reader, name, bytes; the kinds in turn."""
    kinds: Mapping[str, Iterator[tuple[str, bytes]]] = {
        "session": documents("session", plain(SESSION), 1),
        "autosave": documents("autosave", {"session": plain(SESSION), "path": "", "written": 1.0}, 2),
        "preferences": documents("preferences", {"theme": "dark", "trail": 60}, 1),
        "scenario": tables("scenario"),
        "configuration": tables("configuration"),
        "lesson": tables("lesson"),
        "npz": archives(),
    }
    rounds = itertools.zip_longest(*(((kind, *made) for made in files) for kind, files in kinds.items()))
    return [file for one in rounds for file in one if file is not None]


def main() -> None:
    """Give each to its reader."""
    warnings.simplefilter("ignore")
    found: dict[str, Any] = {"refused": 0, "wrong": [], "changed": [], "seconds": 0.0, "memory": 0}
    files = hostile()[: int(sys.argv[1])]
    with tempfile.TemporaryDirectory() as place:
        paths = {}
        for kind, reader in READERS.items():
            (Path(place) / kind).mkdir()
            paths[kind] = reader.make(Path(place) / kind)
            reader.read(paths[kind])  # what is loaded once is no growth
        for kind, name, data in files:
            path = paths[kind]
            path.write_bytes(data)
            slowest = found["seconds"]
            before, refused = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, found["refused"]
            tried(READERS[kind], path, None, found, f"{kind}: {name}")
            if found["refused"] == refused:
                found["wrong"].append(f"{kind}: {name}: not refused")
            if found["seconds"] > slowest:
                found["slowest"] = f"{kind}: {name}"
            grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            if grown > found["memory"]:
                found["memory"], found["largest"] = grown, f"{kind}: {name}"
    print(json.dumps({"files": len(files), **found}), flush=True)


if __name__ == "__main__":
    main()
