"""Every importer: what its ecosystem writes comes back; what is damaged, foreign, huge or hostile is refused."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from physics.datasets.formats import FORMATS, base, gsd, h5md, mdanalysis, rebound
from physics.datasets.reading import (
    available_splits,
    declared_shape,
    format_of,
    read_samples,
    read_split,
    split_blocks,
)
from physics.errors import InputError
from tests.physics.commands import ROOT
from tests.physics.datasets.files import refused
from tests.physics.datasets.formats.written import WRITERS, Source

OWN = ("npz", "zarr")
"""Formats of ours: their tests are in files of their own."""


@pytest.fixture
def source(rng):
    return Source(rng)


@pytest.fixture(scope="module", params=WRITERS)
def name(request):
    """Of a format; tests of one follow each other, so that a file in common is read once."""
    return request.param


@pytest.fixture(scope="module")
def written(name, tmp_path_factory):
    """A file of the format that no test changes."""
    return WRITERS[name](tmp_path_factory.mktemp(name), Source(np.random.default_rng(20210219)))


@pytest.fixture
def copied(written, tmp_path):
    """The same to be damaged, with what is beside it."""
    folder = tmp_path / "copied"
    shutil.copytree(written.path.parent, folder)
    return folder / written.path.name


def quietly(read, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(*arguments)


def read_or_refused(path):
    """The data, or the one line of the refusal."""
    try:
        return quietly(read_split, path, "test")
    except InputError as error:
        message = str(error)
    assert str(path.parent) in message
    assert "\n" not in message
    return message


def test_every_importer_is_tested():
    assert set(WRITERS) | set(OWN) == set(FORMATS)
    for name in WRITERS:
        assert FORMATS[name].load is not None
        assert FORMATS[name].endings


def test_what_its_ecosystem_writes_comes_back(name, written):
    assert format_of(written.path) is FORMATS[name]
    split = quietly(read_split, written.path, "test")
    np.testing.assert_allclose(split.positions, written.positions, rtol=0, atol=written.atol)
    np.testing.assert_allclose(split.times, written.times, rtol=1e-7 if name == "dcd" else 1e-12)
    for quantity in ("velocities", "charges", "masses", "species", "box"):
        expected = getattr(written, quantity)
        found = getattr(split, quantity)
        if expected is not None:
            np.testing.assert_allclose(found, expected, rtol=1e-6 if written.atol else 0, atol=written.atol)
    assert split.units == written.units
    assert (split.box is None) == (written.box is None)
    assert (split.first_state == 0) == (written.velocities is not None)
    assert ("charges set to zero" in split.notes) == (written.charges is None)
    if written.masses is None:
        assert (split.masses == 1).all()


def test_parts_are_those_of_the_whole(written):
    whole = quietly(read_split, written.path, "test")
    last = len(whole) - 1
    part, count = quietly(read_samples, written.path, "test", range(last, last + 5))
    assert count == len(whole)
    np.testing.assert_array_equal(part.positions, whole.positions[last:])
    assert quietly(declared_shape, written.path, "test") == whole.positions.shape
    blocks = quietly(lambda: list(split_blocks(written.path, "test", range(count), block_bytes=1)))
    assert [len(block) for block in blocks] == [1] * count
    np.testing.assert_array_equal(np.concatenate([b.velocities for b in blocks]), whole.velocities)
    assert quietly(available_splits, written.path) in ((), ("train", "valid", "test"))


def test_cut_off_anywhere_it_is_refused_or_shorter(name, copied, rng):
    """A file that ends early never reads as another trajectory unsaid: it is refused, or has fewer frames."""
    path, whole = copied, quietly(read_split, copied, "test")
    raw = path.read_bytes()
    refusals = 0
    sizes = [0, 1, 7, len(raw) // 2, len(raw) - 9, *map(int, rng.integers(0, len(raw), 20))]
    for size in [*sizes[:2], *sizes[3:5]] if FORMATS[name].needs else sizes:
        path.write_bytes(raw[:size])
        split = read_or_refused(path)
        if isinstance(split, str):
            refusals += 1
            continue
        if any("the last line has no end" in note for note in split.notes):
            continue
        frames = len(split.times)
        assert frames < len(whole.times) or size == len(raw) - 1
        np.testing.assert_array_equal(split.positions, whole.positions[:, :frames])
    assert refusals > (2 if FORMATS[name].needs else 10)


def test_bits_flipped_never_raise_anything_else(name, copied, rng):
    size = copied.stat().st_size
    positions = [*range(min(64, size)), *map(int, rng.integers(0, size, 60))]
    flips(copied, positions[5:6] if FORMATS[name].needs else positions, rng)  # some take a process each


@pytest.mark.slow
def test_no_damage_gets_past_the_process_of_a_reader(name, copied, rng):
    if FORMATS[name].needs:
        flips(copied, map(int, rng.integers(0, copied.stat().st_size, 15)), rng)


def flips(path, positions, rng):
    """A bit at each position, one after the other: the data are finite, or the file is refused."""
    raw = path.read_bytes()
    for position in positions:
        damaged = bytearray(raw)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        split = read_or_refused(path)
        assert isinstance(split, str) or np.isfinite(split.positions).all()


FOREIGN = {
    "noise": np.random.default_rng(5).bytes(5000),
    "nothing": b"",
    "zeros": bytes(4096),
    "text": b"hello\nworld\n",
    "one long line": b"1" * (3 << 20),
    "html": b"<!DOCTYPE html>\n<html><body>not found</body></html>\n",
    "a zip": b"PK\x03\x04" + bytes(100),
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "latin-1": b"3\n\xe9\xe8\nH 0 0 0\n",
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """The bytes of a file of each format."""
    folder = tmp_path_factory.mktemp("contents")
    source = Source(np.random.default_rng(1))
    return {name: write(folder, source).path.read_bytes() for name, write in WRITERS.items()}


def test_contents_of_another_kind_are_refused(name, copied, contents):
    for foreign in FOREIGN.values():
        copied.write_bytes(foreign)
        refused(copied)
    for other, foreign in contents.items():
        if other != name and not set(FORMATS[name].endings) & set(FORMATS[other].endings):
            copied.write_bytes(foreign)
            # a set is known by its names alone
            refused(copied, "not ", "" if other == "npy-set" else f"--format {other}")


def test_what_does_not_fit_in_memory_is_refused(written, monkeypatch):
    monkeypatch.setattr(base, "available_memory", lambda: 100)
    refused(written.path, "fit in memory")


LOADS = {
    "h5md": (h5md._load, "h5py"),
    "gsd": (gsd._load, "gsd.fl"),
    "simulationarchive": (rebound._load, "rebound"),
    "xtc": (mdanalysis._xtc, "MDAnalysis.lib.formats.libmdaxdr"),
    "trr": (mdanalysis._trr, "MDAnalysis.lib.formats.libmdaxdr"),
    "dcd": (mdanalysis._dcd, "MDAnalysis.coordinates.DCD"),
    "netcdf": (mdanalysis._netcdf, "MDAnalysis.coordinates.TRJ"),
}
"""What the process of a reader calls, and the module that it needs."""


@pytest.mark.parametrize("of", LOADS)
def test_a_reader_that_is_not_installed_is_a_line(of, tmp_path, source, monkeypatch):
    path = WRITERS[of](tmp_path, source).path
    load, module = LOADS[of]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as caught:
        load(path, "", base.Hints())
    package = module.partition(".")[0]
    assert str(caught.value) == f"{path}: reading it needs {package}: pip install 'isotwin[formats]'"
    assert FORMATS[of].needs == package


def test_a_file_that_may_not_be_read_is_a_line(tmp_path, monkeypatch):
    path = tmp_path / "a.xyz"
    path.write_text("1\n\nA 0 0 0\n")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    refused(path, "cannot be read (Permission denied)")


def test_the_formats_load_no_optional_package():
    code = "import sys, physics.datasets.formats; print([n for n in sys.modules if n.partition('.')[0] in %r])"
    optional = ("ase", "MDAnalysis", "gsd", "h5py", "rebound", "scipy", "zarr", "numba")
    done = subprocess.run(
        [sys.executable, "-c", code % (optional,)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_folder_with_its_name_is_not_it(name, tmp_path):
    folder = tmp_path / f"a{FORMATS[name].endings[0]}"
    folder.mkdir()
    refused(folder, "not a Zarr v3 group")


def test_formats_are_told_apart_by_contents_where_names_say_nothing(tmp_path, source):
    for name, write in WRITERS.items():
        folder = tmp_path / name
        folder.mkdir()
        path = write(folder, source).path
        if name == "npy-set":
            assert format_of(folder) is FORMATS[name]
            continue
        bare = path.rename(folder / "unnamed")
        assert format_of(bare) is FORMATS[name]
