"""`python -m physics.convert`: files of others become data sets of ours, and what it says on the way."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from physics.convert import main
from physics.datasets.formats import FORMATS
from physics.datasets.reading import available_splits, read_samples, read_split
from physics.errors import InputError
from tests.patience import PATIENCE
from tests.physics.commands import ROOT, is_refusal
from tests.physics.datasets.files import foreign, saved
from tests.physics.datasets.formats.written import BOX, FRAMES, WRITERS, N, Source

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def source(rng):
    return Source(rng)


def convert(*arguments):
    main([str(argument) for argument in arguments])


def refusal(*arguments):
    with pytest.raises(InputError) as caught:
        convert(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("ending", [".npz", ".zarr"])
@pytest.mark.parametrize("name", WRITERS)
def test_converted_is_what_was_read(name, ending, tmp_path, source, capsys):
    if FORMATS[name].needs and name != "h5md" and ending == ".zarr":
        pytest.skip("each takes a process; what is written does not depend on the reader")
    path, out = WRITERS[name](tmp_path, source).path, tmp_path / f"out{ending}"
    split = ("--split", "test") if FORMATS[name].splits(path) else ()
    convert(path, "--out", out, *split)
    assert f"N = {N}, n = 3" in capsys.readouterr().out
    read, again = read_split(path, "test"), read_split(out, "test")
    for quantity in ("positions", "velocities", "charges", "masses", "times", "species", "box"):
        np.testing.assert_array_equal(getattr(again, quantity), getattr(read, quantity))
    assert again.units == read.units
    assert again.first_state == read.first_state
    assert available_splits(out) == (("test",) if split and ending == ".zarr" else ())
    np.testing.assert_array_equal(read_samples(out, "test", range(1))[0].positions, read.positions[:1])
    assert not list(tmp_path.glob(".out*"))


def test_all_splits_of_a_set(tmp_path, source):
    path = WRITERS["npy-set"](tmp_path, source).path
    convert(path.parent, "--time-step", 0.25, "--out", tmp_path / "set.zarr")
    assert available_splits(tmp_path / "set.zarr") == ("train", "valid", "test")
    np.testing.assert_allclose(read_split(tmp_path / "set.zarr", "valid").times, source.times)
    assert "--split NAME" in refusal(path, "--out", tmp_path / "set.npz")
    assert "no split 'x'" in refusal(path, "--out", tmp_path / "set.npz", "--split", "x")


def test_a_set_given_by_all_its_files_is_one(tmp_path, source):
    WRITERS["npy-set"](tmp_path, source)
    files = sorted(tmp_path.glob("*.npy"))
    assert len(files) == 12
    convert(*files, "--out", tmp_path / "set.zarr")
    assert len(read_split(tmp_path / "set.zarr", "train")) == 2
    path = WRITERS["xyz"](tmp_path, source).path
    assert "given twice" in refusal(path, path, "--out", tmp_path / "x.npz")


def test_what_the_user_says_is_put_in(tmp_path, source):
    path, out = WRITERS["xyz"](tmp_path, source).path, tmp_path / "a.npz"
    np.savetxt(tmp_path / "q.txt", source.charges)
    np.save(tmp_path / "m.npy", source.masses)
    given = ("--charges", tmp_path / "q.txt", "--masses", tmp_path / "m.npy", "--box", "4,5,6")
    convert(path, "--out", out, "--time-step", 0.25, "--units", "nm,ps,e,Da", *given)
    split = read_split(out, "any")
    np.testing.assert_allclose(split.times, source.times)
    np.testing.assert_array_equal(split.charges[0], source.charges)
    np.testing.assert_array_equal(split.masses[0], source.masses)
    np.testing.assert_array_equal(split.box, BOX[None])
    assert split.units == {"length": "nm", "time": "ps", "charge": "e", "mass": "Da"}
    assert split.notes == ("velocities by backward differences of positions (frame 0 has none)",)
    np.testing.assert_allclose(split.velocities[0, 1:], source.velocities[1:], atol=1e-9)
    convert(path, "--out", out, "--overwrite", "--charges", "-2", "--masses", "1", "--dims", "2")
    split = read_split(out, "any")
    np.testing.assert_array_equal(split.charges, np.full((1, N), -2.0))
    np.testing.assert_array_equal(split.masses, np.ones((1, N)))
    assert split.positions.shape == (1, FRAMES, N, 2)
    assert split.units == {"time": "frame"}


def test_wrapped_positions_are_written_as_they_are_or_unwrapped(tmp_path, source):
    wrapped = {"positions": source.wrapped[None], "times": source.times}
    path = saved(tmp_path, wrapped)
    convert(path, "--out", tmp_path / "a.npz", "--box", "4,5,6")
    convert(path, "--out", tmp_path / "b.npz", "--box", "4,5,6", "--unwrap")
    start = source.wrapped[0] - source.positions[0]
    for name, stored in (("a", source.wrapped), ("b", source.positions + start)):
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npz")["positions"][0], stored, atol=1e-12)
        np.testing.assert_allclose(
            read_split(tmp_path / f"{name}.npz", "any").positions[0], source.positions + start, atol=1e-12
        )
    assert "--unwrap needs the lengths" in refusal(path, "--out", tmp_path / "c.npz", "--unwrap")


def test_axes_of_an_npz(tmp_path, rng):
    x = rng.standard_normal((3, 4, 5, 2))
    stored = {"positions": x.swapaxes(2, 3), "velocities": x.swapaxes(2, 3)}
    path = saved(tmp_path, stored)
    convert(path, "--axes", "samples,frames,dims,particles", "--out", tmp_path / "a.npz", "--time-step", 0.1)
    split = read_split(tmp_path / "a.npz", "any")
    np.testing.assert_array_equal(split.positions, x)
    np.testing.assert_array_equal(split.velocities, x)
    np.testing.assert_allclose(split.times, [0, 0.1, 0.2, 0.3])


def test_several_files_are_samples(tmp_path, source, rng):
    paths = []
    for name, start in (("a", 0.0), ("b", 0.0), ("c", 7.0)):
        folder = tmp_path / name
        folder.mkdir()
        other = Source(rng)
        other.times = other.times + start
        paths.append(WRITERS["lammps-dump"](folder, other).path)
    convert(*paths, "--out", tmp_path / "all.zarr")
    split = read_split(tmp_path / "all.zarr", "any")
    for k, path in enumerate(paths):
        np.testing.assert_array_equal(split.positions[k], read_split(path, "any").positions[0])
    np.testing.assert_allclose(split.times, source.times)
    convert(*paths, "--cut", 2, "--out", tmp_path / "cut.npz")
    cut = read_split(tmp_path / "cut.npz", "any")
    np.testing.assert_array_equal(cut.positions, split.positions[:, :4].reshape(6, 2, N, 3))
    assert len(cut.times) == 2


def test_files_that_do_not_fit_together(tmp_path, source):
    def written(name, change):
        folder = tmp_path / name
        folder.mkdir()
        arrays = {"positions": source.positions[None], "times": source.times, "charges": source.charges[None]}
        return saved(folder, arrays | change)

    first = written("first", {})
    cases = {
        "fewer": (
            {"positions": source.positions[None, :, :4], "charges": source.charges[None, :4]},
            "4 particles",
        ),
        "flat": ({"positions": source.positions[None, ..., :2]}, "in 2 dimensions"),
        "short": ({"positions": source.positions[None, :3], "times": source.times[:3]}, "3 frames"),
        "times": ({"times": source.times**1.5}, "its times are not those"),
        "bare": ({"charges": None}, "no charges"),
        "unit": ({"units": np.array('{"length": "nm"}')}, "other units"),
    }
    for name, (change, words) in cases.items():
        other = written(name, change)
        message = refusal(first, other, "--out", tmp_path / "x.npz")
        assert words in message
        assert str(other) in message
    assert not (tmp_path / "x.npz").exists()


REFUSED = {
    "no file": ((), "a file to convert and --out are required"),
    "ending": (("IN", "--out", "x.txt"), "ends in .npz or .zarr"),
    "format": (("IN", "--out", "x.npz", "--format", "xzy"), "did you mean 'xyz'"),
    "wrong format": (("IN", "--out", "x.npz", "--format", "csv"), "expected columns"),
    "axes": (("IN", "--out", "x.npz", "--axes", "frames,dims"), "samples,frames,particles,dims"),
    "axes of others": (("IN", "--out", "x.npz", "--axes", "samples,frames,dims,particles"), "says its own"),
    "box": (("IN", "--out", "x.npz", "--box", "1,-1"), "positive lengths"),
    "box of others": (("IN", "--out", "x.npz", "--box", "1,2"), "expected 1 or 3"),
    "units": (("IN", "--out", "x.npz", "--units", "nm"), "LENGTH,TIME"),
    "charges": (("IN", "--out", "x.npz", "--charges", "none.txt"), "neither a number nor a file"),
    "numbers": (("IN", "--out", "x.npz", "--charges", "IN"), "not numbers"),
    "masses": (("IN", "--out", "x.npz", "--masses", "-1"), "masses must be positive"),
    "charge": (("IN", "--out", "x.npz", "--charges", "nan"), "charges must be finite"),
    "time step": (("IN", "--out", "x.npz", "--time-step", "0"), "above 0"),
    "dims": (("IN", "--out", "x.npz", "--dims", "4"), "3 coordinates"),
    "cut": (("IN", "--out", "x.npz", "--cut", "9"), "5 frames"),
    "one frame": (("IN", "--out", "x.npz", "--cut", "1"), "one frame is too few"),
    "itself": (("IN", "--out", "IN", "--overwrite"), "ends in .npz or .zarr"),
    "missing": (("none.xyz", "--out", "x.npz"), "no such file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_line_and_nothing_written(case, tmp_path, source, monkeypatch):
    path = WRITERS["xyz"](tmp_path, source).path
    monkeypatch.chdir(tmp_path)
    arguments, words = REFUSED[case]
    message = refusal(*(path.name if argument == "IN" else argument for argument in arguments))
    assert words in message
    assert "\n" not in message
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_output_is_kept_unless_it_may_be_replaced(tmp_path, source):
    path = WRITERS["xyz"](tmp_path, source).path
    for out in (tmp_path / "a.npz", tmp_path / "a.zarr"):
        convert(path, "--out", out)
        assert "already exists" in refusal(path, "--out", out)
        convert(path, "--out", out, "--overwrite", "--charges", 3)
        assert (read_split(out, "any").charges == 3).all()
        assert "is, or holds, a file that is read" in refusal(out, "--out", out, "--overwrite")


@pytest.mark.parametrize("ending", [".npz", ".zarr"])
def test_data_without_times_are_counted(ending, tmp_path, source):
    path = saved(tmp_path, {"positions": source.positions[None]})
    if ending == ".zarr":
        path = foreign(tmp_path / "a.zarr", {"positions": source.positions[None]})
    convert(path, "--out", tmp_path / "b.npz", "--time-step", 0.25)
    np.testing.assert_allclose(read_split(tmp_path / "b.npz", "any").times, source.times)
    for name, array in (("positions", source.positions), ("velocities", source.positions)):
        flat = saved(tmp_path, {"positions": source.positions[None], "times": source.times, name: array})
        assert str(flat) in refusal(flat, "--out", tmp_path / "c.npz", "--cut", 2)


def test_where_the_data_come_from_is_kept(tmp_path, source):
    path = WRITERS["xyz"](tmp_path, source).path
    convert(path, "--out", tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        origin = json.loads(str(archive["origin"]))
    assert origin["files"] == ["run.xyz"]
    assert origin["command"].startswith("python -m physics.convert")
    with pytest.warns(UserWarning, match="velocities|charges"):
        notes = read_split(tmp_path / "a.npz", "any").notes
    assert not any("left aside" in note for note in notes)
    convert(path, "--out", tmp_path / "a.zarr")
    root = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    assert root["attributes"]["origin"]["files"] == ["run.xyz"]
    (tmp_path / "a.zarr" / "positions" / "c" / "0" / "0" / "0" / "0").write_bytes(b"x")
    with pytest.raises(InputError, match="the manifest says"):
        read_split(tmp_path / "a.zarr", "any")


def test_a_recipe_goes_with_unchanged_data_alone(tmp_path, arrays_of_ours):
    convert(arrays_of_ours, "--out", tmp_path / "same.zarr")
    assert read_split(tmp_path / "same.zarr", "any").recipe == {"law": "coulomb"}
    convert(arrays_of_ours, "--out", tmp_path / "other.npz", "--time-step", 2)
    assert read_split(tmp_path / "other.npz", "any").recipe == {}


@pytest.fixture
def arrays_of_ours(tmp_path, source):
    arrays = {"positions": source.positions[None], "velocities": source.velocities[None], "times": source.times}
    return saved(tmp_path, arrays, recipe=np.array('{"law": "coulomb"}'))


def test_the_list_names_every_format(capsys):
    convert("--list")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FORMATS)
    for line, row in zip(lines, FORMATS.values(), strict=True):
        assert row.title in line
        assert all(ending in line for ending in row.endings)
        assert ("pip install" in line) == bool(row.needs)


def test_the_command(tmp_path, source):
    path = WRITERS["xyz"](tmp_path, source).path

    def run(*arguments):
        line = [sys.executable, "-m", "app.command", "convert", *map(str, arguments)]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)

    done = run(path, "--out", tmp_path / "a.npz")
    assert done.returncode == 0
    assert "1 samples of 5 frames, N = 6, n = 3" in done.stdout
    assert "warning: " in done.stderr
    assert zipfile.is_zipfile(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:-60])
    bad = run(path, "--out", tmp_path / "b.npz")
    assert is_refusal(bad.returncode, bad.stdout, bad.stderr)
    assert not (tmp_path / "b.npz").exists()
