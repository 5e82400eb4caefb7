"""Sets of .npy files: both orders of axes, what tells them, splits by name, and what is no set."""

import io

import numpy as np
import pytest

from physics.datasets.reading import available_splits, declared_shape, read_samples, read_split
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

OTHER = (0, 1, 3, 2)


@pytest.fixture
def members(rng):
    """(samples, frames, particles, dims), as SEGNN's gravity and FastEGNN have them."""
    charges = rng.choice([-1.0, 1.0], (4, 5, 1))
    return {
        "loc": rng.standard_normal((4, 6, 5, 3)),
        "vel": rng.standard_normal((4, 6, 5, 3)),
        "charges": charges,
        "edges": charges * charges.swapaxes(1, 2),
    }


def saved(folder, members, name="charged5", split="_train"):
    for kind, array in members.items():
        np.save(folder / f"{kind}{split}_{name}.npy", array)
    return folder / f"loc{split}_{name}.npy"


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("telling", [("charges", "edges"), ("charges",), ("edges",)])
def test_charges_or_edges_tell_the_order(swapped, telling, tmp_path, members):
    kept = {name: array for name, array in members.items() if name in ("loc", "vel", *telling)}
    if swapped:
        kept |= {name: kept[name].transpose(OTHER) for name in ("loc", "vel")}
    path = saved(tmp_path, kept)
    assert declared_shape(path, "train") == (4, 6, 5, 3)
    split = read_split(path, "train")
    np.testing.assert_array_equal(split.positions, members["loc"])
    np.testing.assert_array_equal(split.velocities, members["vel"])
    if "charges" in telling:
        np.testing.assert_array_equal(split.charges, members["charges"][..., 0])
    if "edges" in telling:
        np.testing.assert_array_equal(split.edges, members["edges"])
    part, count = read_samples(path, "train", range(2, 3))
    assert count == 4
    np.testing.assert_array_equal(part.positions, members["loc"][2:3])


def test_a_dtype_stays(tmp_path, members):
    path = saved(tmp_path, {name: array.astype(np.float32) for name, array in members.items()})
    assert read_split(path, "train").positions.dtype == np.float32


def test_splits_are_in_the_names(tmp_path, members):
    for split in ("_train", "_val", "_test"):
        path = saved(tmp_path, members, split=split)
    assert available_splits(path) == available_splits(tmp_path) == ("train", "valid", "test")
    read_split(tmp_path, "valid")
    alone = tmp_path / "alone"
    alone.mkdir()
    path = saved(alone, members, split="")
    assert available_splits(path) == ()
    np.testing.assert_array_equal(read_split(path, "any").positions, members["loc"])
    refused(saved(tmp_path, members, name="other", split="_train"), "no split 'test'", split="test")


def test_gravity_has_masses_for_charges_and_forces_for_edges(tmp_path, members):
    masses = np.full((4, 5, 1), 2.0)
    path = saved(tmp_path, members | {"charges": masses, "edges": members["vel"]}, name="gravity5")
    split = read_split(path, "train")
    assert (split.masses == 2).all()
    assert not split.charges.any()
    assert split.edges is None
    assert any("left aside" in note for note in split.notes)


def test_velocities_tell_how_far_apart_frames_are(tmp_path, members, rng):
    v = rng.standard_normal((4, 1, 5, 3)) + 0 * members["loc"]
    x = v * 0.1 * np.arange(6)[:, None, None]
    split = read_split(saved(tmp_path, members | {"loc": x, "vel": v}), "train")
    assert any("a frame takes about 0.1" in note for note in split.notes)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def header(shape, descr="<f8"):
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(raw, {"descr": descr, "fortran_order": False, "shape": shape})
    return raw.getvalue() + bytes(64)


REFUSED = {
    "nothing tells": ({"charges": None, "edges": None}, "no charges or edges tell", "--axes"),
    "as many as dimensions": (
        {
            "loc": np.zeros((4, 6, 3, 3)),
            "vel": np.zeros((4, 6, 3, 3)),
            "charges": np.ones((4, 3)),
            "edges": None,
        },
        "as many particles as dimensions",
        "--axes",
    ),
    "other charges": ({"charges": np.ones((4, 7)), "edges": None}, "of 7 particles"),
    "charges and edges": ({"charges": np.ones((4, 7))}, "of 5 and 7 particles"),
    "other velocities": ({"vel": np.zeros((4, 7, 5, 3))}, "expected equal shapes"),
    "one trajectory": ({"loc": np.zeros((6, 5, 3))}, "expected four axes"),
    "words": ({"charges": np.full((4, 5), "a")}, "charges_train", "expected numbers; got <U1"),
    "nan": ({"loc": np.full((4, 6, 5, 3), np.nan)}, "positions must be finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_line(case, tmp_path, members):
    change, *words = REFUSED[case]
    kept = {name: array for name, array in (members | change).items() if array is not None}
    path = saved(tmp_path, kept)
    message = refused(tmp_path, *words) if case == "words" else refused(path, *words)
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["loc", "vel", "charges"])
def test_hostile_files(kind, tmp_path, members):
    path = saved(tmp_path, members)
    hostile = path.with_name(path.name.replace("loc", kind))
    np.save(hostile, np.array([Bomb()], dtype=object), allow_pickle=True)
    refused(tmp_path, "pickled objects", "never loaded")
    for raw in (
        header((10**6, 10**6, 5, 3)),
        header((-1, 6, 5, 3)),
        header((2**62, 4, 5, 3)),
        b"\x93NUMPY\x01\x00",
    ):
        hostile.write_bytes(raw)
        refused(tmp_path, "not a whole .npy file")


def test_two_sets_in_a_folder_and_files_of_none(tmp_path, members):
    path = saved(tmp_path, members)
    saved(tmp_path, members, name="gravity5")
    refused(tmp_path, "holds 2 sets (_charged5, _gravity5)")
    read_split(path, "train")
    np.save(tmp_path / "positions.npy", members["loc"])
    refused(tmp_path / "positions.npy", "not a set of .npy files", "expected loc_train_NAME.npy")
    lone = tmp_path / "lone"
    lone.mkdir()
    np.save(lone / "vel_train_x.npy", members["vel"])
    refused(lone / "vel_train_x.npy", "no split 'train'")
