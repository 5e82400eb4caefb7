"""What every format has in common: arrays are checked, completed, and refused by name."""

import numpy as np
import pytest

from physics.datasets.formats import FORMATS, base
from physics.datasets.reading import available_splits, declared_shape, read_samples, read_split, split_blocks
from physics.datasets.split import checked_split
from tests.physics.datasets.files import refused, saved
from tests.physics.tolerances import tolerance


def test_kinds_of_numbers(tmp_path, arrays):
    for kind, expected in (("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("f2", "f8"), ("u1", "f8")):
        x = (10 * np.abs(arrays["positions"])).astype(kind)
        split = read_split(saved(tmp_path, arrays, positions=x), "train")
        assert split.positions.dtype == np.dtype(expected)
        np.testing.assert_array_equal(split.positions, x)


def test_missing_velocities_and_charges_are_filled_and_said_so(tmp_path, arrays):
    t = np.array([0.0, 0.1, 0.35, 0.4])[None, :, None, None]
    bend = np.array([0.0, 2.0]).reshape(1, 1, 1, 2)  # the first coordinate straight, the second a parabola
    x = arrays["positions"][:, :1] + 3 * t + 0.5 * bend * t**2
    path = saved(tmp_path, arrays, positions=x, times=t.reshape(-1), velocities=None, charges=None, masses=None)
    with pytest.warns(UserWarning, match="differences|set to zero") as caught:
        split = read_split(path, "train")
    texts = [str(one.message) for one in caught]
    assert [text.split(": ", 1)[1] for text in texts] == list(split.notes)
    assert split.notes == (
        "velocities by backward differences of positions (frame 0 has none)",
        "charges set to zero",
    )
    assert split.first_state == 1
    expected = np.broadcast_to(3 + bend * t, x.shape)
    assert np.isnan(split.velocities[:, 0]).all()
    np.testing.assert_allclose(split.velocities[:, 1:, :, 0], expected[:, 1:, :, 0], atol=tolerance("differences"))
    np.testing.assert_allclose(split.velocities[:, 2:], expected[:, 2:], atol=tolerance("differences"))
    assert not split.charges.any()
    assert (split.masses == 1).all()
    one_frame = {"positions": x[:, :1], "times": arrays["times"][:1], "velocities": None}
    refused(saved(tmp_path, arrays, **one_frame), "no velocities", "one frame")


def test_filled_in_velocities_never_look_ahead(tmp_path, arrays):
    """They are the same, bit by bit, whatever comes after their frame."""
    later = arrays["positions"].copy()
    later[:, 2:] += 0.5
    found = []
    for x in (arrays["positions"], later):
        with pytest.warns(UserWarning, match="backward differences"):
            found.append(read_split(saved(tmp_path, arrays, positions=x, velocities=None), "train").velocities)
    np.testing.assert_array_equal(found[0][:, :2], found[1][:, :2])
    assert (found[0][:, 2:] != found[1][:, 2:]).any()


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
        ({"masses": np.array([[1.0, 1.0, 1.0]] * 4 + [[1.0, 0.0, 1.0]])}, ("masses must be positive", "(4, 1)")),
        ({"masses": np.ones(5)}, ("masses must be (5, 3)", "(5,)")),
        ({"box": np.array([1.0, 0.0])}, ("box must be positive", "got 0", "(0, 1)")),
        ({"box": np.ones(3)}, ("box must be (5, 2)", "(3,)")),
        ({"species": np.full((5, 3), 0.5)}, ("species must be whole numbers", "0.5")),
        ({"edges": np.ones((5, 3))}, ("edges must be (5, 3, 3)", "(5, 3)")),
        ({"units": np.array('{"size": "nm"}')}, ("units of 'size'", "length, time, charge, mass")),
        ({"units": np.array('{"time": 3}')}, ("label of time", "3")),
        ({"times": None}, ("no array 'times' (4,)",)),
        ({"times": np.arange(3.0)}, ("times must be (4,), one a frame", "(3,)")),
        ({"times": np.array([0.0, 0.2, 0.1, 0.4])}, ("times[2] = 0.1 is before times[1] = 0.2",)),
        ({"times": np.array([0, 1000, 2000, 2000])}, ("times[3] = 2000 repeats times[2] = 2000",)),
        ({"times": np.arange(20.0).reshape(5, 4)}, ("times of sample 1 differ",)),
        ({"times": np.array(1.0)}, ("times must be (4,)", "()")),
        ({"recipe": np.array("[1, 2]")}, ("recipe is not a JSON object",)),
        ({"recipe": np.array("{")}, ("recipe is not a JSON object",)),
        ({"recipe": np.array("[" * 100_000)}, ("recipe is not a JSON object",)),
    ],
    ids=str,
)
def test_contents_that_do_not_fit_are_named(tmp_path, arrays, changes, words):
    refused(saved(tmp_path, arrays, **changes), *words)


OPTIONAL = {
    "box": np.full((5, 2), 99.0),
    "species": np.arange(15).reshape(5, 3),
    "edges": np.ones((5, 3, 3)),
    "uniform_field": np.ones((5, 2)),
    "magnetic_field": np.zeros((5, 2, 2)),
}


def test_optional_arrays_and_units_come_through(tmp_path, arrays):
    path = saved(tmp_path, arrays, units=np.array('{"length": "nm"}'), **OPTIONAL)
    whole, part = read_split(path, "train"), read_samples(path, "train", range(1, 3))[0]
    *_, last = split_blocks(path, "train", range(5), block_bytes=1)
    for name, values in OPTIONAL.items():
        np.testing.assert_array_equal(getattr(whole, name), values)
        np.testing.assert_array_equal(getattr(part, name), values[1:3])
        np.testing.assert_array_equal(getattr(last, name), values[4:])
    assert whole.units == part.units == last.units == {"length": "nm"}
    one_box = read_split(saved(tmp_path, arrays, box=np.array([40.0, 50.0])), "train")
    np.testing.assert_array_equal(one_box.box, [[40.0, 50.0]] * 5)


def test_times_of_every_sample_may_be_given_where_they_agree(tmp_path, arrays):
    split = read_split(saved(tmp_path, arrays, times=np.tile(arrays["times"], (5, 1))), "train")
    np.testing.assert_array_equal(split.times, arrays["times"])


def test_particles_and_dimensions_that_look_swapped(tmp_path, arrays):
    """The layout of NRI, (samples, frames, dims, particles), is not read as two particles in five dimensions."""
    plain = {"velocities": None, "charges": None, "masses": None}
    swapped = {"positions": np.zeros((5, 4, 2, 5))}
    refused(saved(tmp_path, arrays, **plain, **swapped), "2 particles in 5 dimensions", "--axes")
    charges = {
        "positions": np.zeros((5, 4, 2, 5)),
        "velocities": None,
        "charges": np.zeros((5, 5)),
        "masses": None,
    }
    refused(saved(tmp_path, arrays, **charges), "charges must be (5, 2)", "--axes")
    with pytest.warns(UserWarning, match="2 particles in 3 dimensions|backward|set to zero") as told:
        pair = read_split(saved(tmp_path, arrays, **plain, positions=np.zeros((5, 4, 2, 3))), "train")
    assert any("2 particles in 3 dimensions" in str(one.message) for one in told)
    assert pair.n_particles == 2
    kept = {"positions": np.zeros((5, 4, 2, 5)), "velocities": None, "masses": None, "charges": np.ones((5, 2))}
    with pytest.warns(UserWarning, match="backward"):
        assert read_split(saved(tmp_path, arrays, **kept), "train").n_dims == 5


def test_a_box_unwraps_positions_and_velocities_made_of_them(tmp_path):
    t = 0.1 * np.arange(40)
    starts = np.array([[[0.2, 0.4], [0.5, 0.3]], [[0.9, 0.1], [0.1, 0.2]]])
    straight = starts[:, None] + t[None, :, None, None] * np.array([0.7, -0.4])
    side = np.array([1.0, 0.5])
    wrapped = {"positions": straight % side, "times": t}
    with pytest.warns(UserWarning, match="backward|set to zero|unwrapped"):
        split = read_split(saved(tmp_path, wrapped, box=side), "train")
    assert "positions unwrapped through the periodic box" in split.notes
    np.testing.assert_allclose(np.diff(split.positions, axis=1), np.diff(straight, axis=1), atol=1e-12)
    np.testing.assert_allclose(
        split.velocities[:, 1:], np.broadcast_to([0.7, -0.4], straight[:, 1:].shape), atol=1e-9
    )
    with pytest.warns(UserWarning, match="backward|set to zero|wrapped") as told:
        blind = read_split(saved(tmp_path, wrapped), "train")
    assert any("as if wrapped into a periodic box" in str(one.message) for one in told)
    np.testing.assert_array_equal(blind.positions, wrapped["positions"])


def test_frames_and_particles_that_look_swapped_are_turned_by_the_command_named(tmp_path, arrays):
    swapped = {"positions": np.zeros((5, 3, 4, 2)), "velocities": None, "times": np.arange(3.0)}
    refused(saved(tmp_path, arrays, **swapped), "(5, 4); got shape (5, 3)", "--axes samples,particles,frames,dims")


def test_arrays_of_other_names_are_named(tmp_path, arrays):
    path = saved(tmp_path, arrays, masses=None, mass=arrays["masses"], vel=arrays["velocities"])
    with pytest.warns(UserWarning, match="left aside") as told:
        split = read_split(path, "train")
    assert "arrays left aside: mass, vel" in str(told[0].message)
    assert split.notes[-1].startswith("arrays left aside: mass, vel")
    refused(saved(tmp_path, {"position": arrays["positions"]}), "no array 'positions'", "it has position")


def test_evenly_spaced_times_are_found_behind_the_rounding_of_float32(tmp_path, arrays):
    """Rounded to 0.0625, frames 0.1 apart lie 0.0625 or 0.125 apart."""
    x = np.random.default_rng(0).standard_normal((5, 40, 3, 2))
    times = (1e6 + 0.1 * np.arange(40)).astype(np.float32)
    split = read_split(saved(tmp_path, arrays, positions=x, velocities=x, times=times), "train")
    np.testing.assert_allclose(np.diff(split.times), 0.1, rtol=0.02)
    assert np.ptp(np.diff(split.times)) < 1e-8
    times[20] += np.float32(0.25)
    uneven = read_split(saved(tmp_path, arrays, positions=x, velocities=x, times=np.sort(times)), "train")
    np.testing.assert_array_equal(uneven.times, np.sort(times))


def test_unequal_lengths_are_told_from_a_pickle_to_be_loaded(tmp_path, arrays):
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.zeros((4, 3, 2)), np.zeros((4, 2, 2))]
    refused(saved(tmp_path, arrays, positions=ragged), "lists of unequal length", "one file for each number")


def test_one_nan_is_found(tmp_path, arrays):
    arrays["positions"][3, 2, 1, 0] = np.nan
    refused(saved(tmp_path, arrays), "positions must be finite", "nan", "(3, 2, 1, 0)")


def test_paths_that_are_no_data_set(tmp_path):
    refused(tmp_path / "none.zarr", "no such data set")
    (tmp_path / "notes.txt").write_text("hello")
    refused(tmp_path / "notes.txt", "not a data set", "(npz, ", "zarr)")
    (tmp_path / "bad.npz").write_text("hello")
    refused(tmp_path / "bad.npz", "not a readable .npz")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "not a Zarr v3 group")


def text_table(path, split, samples):
    """One trajectory of one particle in one dimension, a frame a line: time and position."""
    times, x = np.loadtxt(path).T
    arrays = {"positions": x.reshape(1, -1, 1, 1), "times": times}
    return base.some_samples(checked_split(path, arrays, {}), samples)


def test_a_format_is_one_row(tmp_path, monkeypatch):
    """Whatever reads data sets takes a format that says how it is recognised and read, and nothing more."""
    row = base.Format("a table of text", lambda path: path.suffix == ".txt", text_table)
    monkeypatch.setitem(FORMATS, "table", row)
    path = tmp_path / "free.txt"
    path.write_text("0 1.0\n1 1.5\n2 2.0\n")
    with pytest.warns(UserWarning, match="differences|set to zero"):
        split = read_split(path, "train")
    np.testing.assert_array_equal(split.velocities.reshape(-1)[1:], 0.5)
    with pytest.warns(UserWarning, match="differences|set to zero"):
        assert read_samples(path, "train", range(3))[1] == 1
    with pytest.warns(UserWarning, match="differences|set to zero"):
        shape = declared_shape(path, "train")
    assert shape == (1, 3, 1, 1)
    with pytest.warns(UserWarning, match="differences|set to zero"):
        assert [len(block) for block in split_blocks(path, "train", range(1))] == [1]
    assert available_splits(path) == ()
    refused(tmp_path, "not a Zarr v3 group")
    (tmp_path / "notes.md").write_text("hello")
    refused(tmp_path / "notes.md", "not a data set", "(npz, ", "table)")
