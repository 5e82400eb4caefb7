import io
import json
import shutil
import warnings
import zipfile

import numpy as np
import pytest
import zarr

from physics.datasets import reading
from physics.datasets.reading import available_splits, read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from tests.physics.tolerances import tolerance

ARRAYS = ("positions", "velocities", "charges", "times", "masses")


@pytest.fixture
def arrays(rng):
    return {
        "positions": rng.standard_normal((5, 4, 3, 2)),
        "velocities": rng.standard_normal((5, 4, 3, 2)),
        "charges": rng.choice([-1.0, 1.0], (5, 3)),
        "times": np.array([0.0, 0.1, 0.3, 0.4]),
        "masses": rng.uniform(1, 2, (5, 3)),
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A small data set of ours; copy it before damaging it."""
    path = tmp_path_factory.mktemp("data") / "ours.zarr"
    settings = {"dt": "0.05"}
    generate(request_from_options("charged-iso", {"train": "3", "test": "2"}, 2, 2, None, settings), path)
    return path


@pytest.fixture
def ours(shipped, tmp_path):
    return shutil.copytree(shipped, tmp_path / "ours.zarr")


def saved(tmp_path, arrays, **changes):
    path = tmp_path / "data.npz"
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


def foreign(path, arrays, chunk=2, **options):
    """A Zarr group that somebody else wrote: no manifest, no mark of ours."""
    group = zarr.open_group(path, mode="w")
    for name, values in arrays.items():
        chunks = tuple(min(chunk, size) for size in values.shape)
        stored = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, **options)
        stored[...] = values
    return path


def flipped(path, position=-1, bit=0):
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1 << bit
    path.write_bytes(raw)


def refused(path, *words, split="train"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError) as caught:
            read_split(path, split)
    message = " ".join(str(caught.value).split())
    for word in words:
        assert word in message, message
    assert path.name in message
    return message


def test_npz_round_trip(tmp_path, arrays):
    recipe = {"law": "coulomb", "velocity_offset": -0.5}
    split = read_split(saved(tmp_path, arrays, recipe=np.array(json.dumps(recipe))), "any")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert split.recipe == recipe
    assert split.notes == ()
    assert (len(split), split.n_dims, split.n_particles) == (5, 2, 3)
    head, part = split.head(2), split.part(slice(3, 5))
    assert (len(head), len(part)) == (2, 2)
    np.testing.assert_array_equal(part.masses, arrays["masses"][3:])
    assert part.recipe == recipe
    assert available_splits(tmp_path / "data.npz") == ()


def test_kinds_of_numbers(tmp_path, arrays):
    for kind, expected in (("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("f2", "f8"), ("u1", "f8")):
        x = (10 * np.abs(arrays["positions"])).astype(kind)
        split = read_split(saved(tmp_path, arrays, positions=x), "train")
        assert split.positions.dtype == np.dtype(expected)
        np.testing.assert_array_equal(split.positions, x)


def test_missing_velocities_and_charges_are_filled_and_said_so(tmp_path, arrays):
    t = arrays["times"][None, :, None, None]
    bend = np.array([0.0, 2.0]).reshape(1, 1, 1, 2)  # the first coordinate straight, the second a parabola
    x = arrays["positions"][:, :1] + 3 * t + 0.5 * bend * t**2
    path = saved(tmp_path, arrays, positions=x, velocities=None, charges=None, masses=None)
    with pytest.warns(UserWarning, match="finite differences|set to zero") as caught:
        split = read_split(path, "train")
    texts = [str(one.message) for one in caught]
    assert [text.split(": ", 1)[1] for text in texts] == list(split.notes)
    assert split.notes == ("velocities by finite differences of positions", "charges set to zero")
    expected = np.broadcast_to(3 + bend * t, x.shape)
    np.testing.assert_allclose(split.velocities[..., 0], expected[..., 0], atol=tolerance("differences"))
    np.testing.assert_allclose(split.velocities[:, 1:-1], expected[:, 1:-1], atol=tolerance("differences"))
    assert np.abs(split.velocities[:, 0] - expected[:, 0]).max() > 1e-2  # one-sided at the ends: only first order
    assert not split.charges.any()
    assert (split.masses == 1).all()
    one_frame = {"positions": x[:, :1], "times": arrays["times"][:1], "velocities": None}
    refused(saved(tmp_path, arrays, **one_frame), "no velocities", "one frame")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"positions": None}, ("no array 'positions'",)),
        (
            {"positions": np.zeros((5, 4, 3))},
            ("positions must be (samples, frames, particles, dims)", "(5, 4, 3)"),
        ),
        ({"positions": np.zeros((0, 4, 3, 2))}, ("positions must be", "(0, 4, 3, 2)")),
        ({"positions": np.full((5, 4, 3, 2), "a")}, ("positions must be numbers", "<U1")),
        ({"positions": np.full((5, 4, 3, 2), True)}, ("positions must be numbers", "bool")),
        ({"velocities": np.zeros((5, 4, 3, 1))}, ("velocities must be (5, 4, 3, 2)", "(5, 4, 3, 1)")),
        ({"velocities": np.full((5, 4, 3, 2), np.inf)}, ("velocities must be finite", "inf", "(0, 0, 0, 0)")),
        ({"charges": np.zeros((5, 4))}, ("charges must be (5, 3)", "(5, 4)")),
        ({"charges": np.zeros((5, 3)) * 1j}, ("charges must be numbers", "complex128")),
        ({"masses": np.zeros((5, 3))}, ("masses must be positive",)),
        ({"masses": np.ones(5)}, ("masses must be positive and (5, 3)", "(5,)")),
        ({"times": None}, ("no array 'times' (4,)",)),
        ({"times": np.arange(3.0)}, ("times must be (4,) and increasing", "(3,)")),
        ({"times": np.array([0.0, 0.2, 0.1, 0.4])}, ("times must be (4,) and increasing",)),
        ({"times": np.array(1.0)}, ("times must be (4,)", "()")),
        ({"recipe": np.array("[1, 2]")}, ("recipe is not a JSON object",)),
        ({"recipe": np.array("{")}, ("recipe is not a JSON object",)),
        ({"recipe": np.array("[" * 100_000)}, ("recipe is not a JSON object",)),
    ],
    ids=str,
)
def test_contents_that_do_not_fit_are_named(tmp_path, arrays, changes, words):
    refused(saved(tmp_path, arrays, **changes), *words)


def test_one_nan_is_found(tmp_path, arrays):
    arrays["positions"][3, 2, 1, 0] = np.nan
    refused(saved(tmp_path, arrays), "positions must be finite", "nan", "(3, 2, 1, 0)")


def test_pickles_are_never_loaded(tmp_path, arrays):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    for name in ("positions", "masses"):
        refused(saved(tmp_path, arrays, **{name: np.array([Bomb()], dtype=object)}), "pickled objects", "never")
    refused(saved(tmp_path, arrays, recipe=np.array({"law": "x"}, dtype=object)), "pickled objects")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_npz_never_reads_as_something_else(tmp_path, arrays, save, rng):
    path = tmp_path / "data.npz"
    save(path, **arrays)
    raw = path.read_bytes()
    for size in [*range(0, len(raw), 211), len(raw) - 1]:
        path.write_bytes(raw[:size])
        refused(path)
    refusals = 0
    for position in [*rng.integers(0, len(raw), 120), *range(len(raw) - 60, len(raw))]:
        path.write_bytes(raw)
        flipped(path, position, int(rng.integers(8)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                split = read_split(path, "train")
            except InputError:
                refusals += 1
                continue
        # a name that the flip made unknown is filled in, and the notes say so; everything else is intact
        if not split.notes and (split.masses != 1).any():
            for name in ARRAYS:
                np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert refusals > 70


def test_npz_that_declares_more_than_it_holds(tmp_path, arrays, monkeypatch):
    def with_header(shape):
        member = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        path = saved(tmp_path, arrays, positions=None)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("positions.npy", member.getvalue() + bytes(64))
        return path

    for shape in ((10**6, 10**6, 3, 2), (2**31, 2**31, 2, 2), (-1, 4, 3, 2), (5, 4, 3, 2)):
        refused(with_header(shape), "damaged .npz")
    with zipfile.ZipFile(saved(tmp_path, arrays, positions=None), "a") as archive:
        archive.writestr("positions.npy", b"hello")
    refused(tmp_path / "data.npz", "positions is not a NumPy array file")
    monkeypatch.setattr(reading, "available_memory", lambda: 1000)
    refused(saved(tmp_path, arrays), "declares", "GB", "fit in memory")


def test_nothing_packed_small_is_not_unpacked(tmp_path, arrays, monkeypatch):
    path = tmp_path / "packed.npz"
    np.savez_compressed(path, **arrays, padding=np.zeros(200_000))
    read_split(path, "train")
    monkeypatch.setattr(reading, "PACKED_LIMIT", 1_000_000)
    refused(path, "do not pack so small")


def test_paths_that_are_no_data_set(tmp_path):
    refused(tmp_path / "none.zarr", "no such data set")
    (tmp_path / "notes.txt").write_text("hello")
    refused(tmp_path / "notes.txt", "expected a Zarr folder or an .npz file")
    (tmp_path / "bad.npz").write_text("hello")
    refused(tmp_path / "bad.npz", "not a readable .npz")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "not a Zarr v3 group")


def test_our_zarr_round_trip(shipped):
    assert available_splits(shipped) == ("train", "test")
    split = read_split(shipped, "test")  # any warning would be an error here
    assert split.positions.shape == (2, 132, 2, 2)
    assert split.positions.dtype == np.float64
    group = zarr.open_group(shipped, mode="r")
    for name in ("positions", "velocities", "charges", "times"):
        np.testing.assert_array_equal(getattr(split, name), group[f"test/{name}"][...])
    assert split.recipe["preset"] == "charged-iso"
    assert split.recipe["split"] == "test"
    assert split.recipe["parameters"] == {"eps": 0.1, "p": 2.0, "kappa": 0.0}
    assert split.recipe["format"] == reading.FORMAT
    assert {"law", "integrator", "dt", "seed", "velocity_offset", "versions"} <= set(split.recipe)
    np.testing.assert_allclose(split.times, 0.1 * np.arange(132))
    refused(shipped, "no split 'valid'", "train, test", split="valid")


def test_every_flip_in_our_data_is_found(ours):
    for name in (
        "positions/c/0/0/0/0",
        "velocities/c/0/0/0/0",
        "charges/c/0/0",
        "times/c/0",
        "positions/zarr.json",
    ):
        path = ours / "train" / name
        raw = path.read_bytes()
        for position in (0, len(raw) // 2, -1):
            flipped(path, position)
            message = refused(ours)
            assert "SHA-256 differs" in message or "damaged JSON" in message or "zarr_format" in message
            path.write_bytes(raw)
        path.write_bytes(raw[:-1])
        assert "the manifest says" in refused(ours) or name.endswith(".json")
        path.unlink()
        refused(ours)
        path.write_bytes(raw)
    read_split(ours, "train")


def test_damage_in_one_split_leaves_the_other_readable(ours):
    flipped(ours / "train/positions/c/0/0/0/0")
    refused(ours, "SHA-256 differs")
    assert len(read_split(ours, "test")) == 2


def test_damaged_manifest(ours):
    path = ours / "manifest.json"
    raw = path.read_bytes()
    for damaged in (
        raw[: len(raw) // 2],
        b"",
        b"[]",
        b"{}",
        b'{"files": 3}',
        b'{"files": {"zarr.json": null}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ):
        path.write_bytes(damaged)
        refused(ours, "manifest")
    tree = json.loads(raw)
    entry = tree["files"]["train/times/c/0"]
    for wrong in ({"bytes": entry["bytes"]}, {"bytes": 1, "sha256": entry["sha256"]}, {"sha256": "0" * 64}):
        tree["files"]["train/times/c/0"] = wrong
        path.write_text(json.dumps(tree))
        refused(ours, "times/c/0")
    tree["files"] = {"train/../../../etc/hostname": {"bytes": 1, "sha256": ""}}
    path.write_text(json.dumps(tree))
    refused(ours, "listed in the manifest but missing")


def test_our_data_without_manifest_is_incomplete(ours):
    (ours / "manifest.json").unlink()
    refused(ours, "incomplete", "--resume")


def test_a_flip_in_our_mark_does_not_switch_the_manifest_off(ours):
    root = ours / "zarr.json"
    root.write_text(root.read_text().replace(reading.FORMAT, "isotwin-dataset/!"))
    refused(ours, "zarr.json", "SHA-256 differs")


def test_foreign_zarr_is_read_with_a_warning_when_whole(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays)
    with pytest.warns(UserWarning, match="no manifest, so its contents cannot be verified"):
        split = read_split(path, "train")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert split.recipe == {}
    group = zarr.open_group(path, mode="r+")
    group.attrs["recipe"] = {"law": "mine"}
    with pytest.warns(UserWarning, match="no manifest"):
        assert read_split(path, "train").recipe == {"law": "mine"}


def test_foreign_zarr_in_shards(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays)
    shutil.rmtree(path / "positions")
    group = zarr.open_group(path, mode="r+")
    x = arrays["positions"]
    chunk, shard = (1, *x.shape[1:]), (3, *x.shape[1:])  # five samples in two shards: the last is not full
    group.create_array("positions", shape=x.shape, dtype=x.dtype, chunks=chunk, shards=shard)
    group["positions"][...] = x
    with pytest.warns(UserWarning, match="no manifest"):
        np.testing.assert_array_equal(read_split(path, "train").positions, x)
    (path / "positions/c/1/0/0/0").unlink()
    refused(path, "positions: 1 of 2 chunks missing")


def test_foreign_zarr_with_an_empty_chunk_left_out_says_how_to_store_it(tmp_path, arrays):
    arrays["charges"][:] = 0.0
    refused(foreign(tmp_path / "other.zarr", arrays), "charges: 6 of 6 chunks missing", "write_empty_chunks")


def test_foreign_zarr_with_a_missing_or_damaged_chunk_is_refused(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays, compressors=(zarr.codecs.Crc32cCodec(),))
    chunk = path / "velocities/c/1/0/1/0"
    raw = chunk.read_bytes()
    chunk.write_bytes(raw[:-3])
    refused(path, "damaged Zarr data")
    chunk.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])
    refused(path, "damaged Zarr data")
    chunk.unlink()
    refused(path, "velocities", "1 of", "chunks missing")


def edited(path, change):
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def test_hostile_zarr_metadata(tmp_path, arrays, monkeypatch):
    def fresh():
        return foreign(tmp_path / "other.zarr", arrays)

    node = tmp_path / "other.zarr" / "positions" / "zarr.json"
    fresh()
    edited(node, lambda tree: tree["codecs"].append({"name": "numcodecs.pickle"}))
    refused(fresh_path := tmp_path / "other.zarr", "codec 'numcodecs.pickle' is not one of")
    fresh()
    inner = {"codecs": [{"name": "evil"}], "index_codecs": [], "chunk_shape": [1]}
    edited(node, lambda tree: tree.update(codecs=[{"name": "sharding_indexed", "configuration": inner}]))
    refused(fresh_path, "codec 'evil'")
    fresh()
    hidden = {"metadata": {"positions": {"codecs": ["evil"]}}}
    edited(fresh_path / "zarr.json", lambda tree: tree.update(consolidated_metadata=hidden))
    refused(fresh_path, "codec 'evil'")
    fresh()
    edited(node, lambda tree: tree.update(zarr_format=2))
    refused(fresh_path, "zarr_format 2; expected 3")
    fresh()
    edited(node, lambda tree: tree.update(shape=[10**9, 4, 3, 2]))
    refused(fresh_path, "declares 192.0 GB")
    fresh()
    tiny = {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1, 1]}}
    edited(node, lambda tree: tree.update(shape=[10**7, 4, 3, 2], chunk_grid=tiny))
    refused(fresh_path, "of 240000000 chunks missing")  # found without walking them all
    fresh()
    edited(node, lambda tree: tree.update(shape="large"))
    refused(fresh_path, "damaged Zarr data")
    fresh()
    edited(node, lambda tree: tree.update(chunk_grid={"name": "regular", "configuration": {"chunk_shape": [0]}}))
    refused(fresh_path, "damaged Zarr data")
    fresh()
    node.write_text("[" * 100_000)
    refused(fresh_path, "damaged JSON")
    fresh()
    node.write_text(" " * (reading.METADATA_LIMIT + 1))
    refused(fresh_path, "metadata above 1 MiB")
    fresh()
    monkeypatch.setattr(reading, "CHUNK_LIMIT", 16)
    refused(fresh_path, "chunks above")
    monkeypatch.undo()
    monkeypatch.setattr(reading, "available_memory", lambda: 100)
    refused(fresh_path, "fit in memory")


def test_oversized_declaration_is_refused_before_it_is_read(tmp_path, arrays):
    path = tmp_path / "other.zarr"
    foreign(path, arrays)
    huge = {"name": "regular", "configuration": {"chunk_shape": [10**7, 4, 3, 2]}}
    node = path / "positions" / "zarr.json"
    edited(node, lambda tree: tree.update(shape=[10**7, 4, 3, 2], chunk_grid=huge))
    refused(path, "chunks above 256 MiB")
