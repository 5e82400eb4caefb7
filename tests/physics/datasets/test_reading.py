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


def test_paths_that_are_no_data_set(tmp_path):
    refused(tmp_path / "none.zarr", "no such data set")
    (tmp_path / "notes.txt").write_text("hello")
    refused(tmp_path / "notes.txt", "expected a Zarr folder or an .npz file")
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
    with pytest.warns(UserWarning, match="finite differences|set to zero"):
        split = read_split(path, "train")
    np.testing.assert_array_equal(split.velocities.reshape(-1), 0.5)
    with pytest.warns(UserWarning, match="finite differences|set to zero"):
        assert read_samples(path, "train", range(3))[1] == 1
    with pytest.warns(UserWarning, match="finite differences|set to zero"):
        shape = declared_shape(path, "train")
    assert shape == (1, 3, 1, 1)
    with pytest.warns(UserWarning, match="finite differences|set to zero"):
        assert [len(block) for block in split_blocks(path, "train", range(1))] == [1]
    assert available_splits(path) == ()
    refused(tmp_path, "not a Zarr v3 group")
    (tmp_path / "notes.md").write_text("hello")
    refused(tmp_path / "notes.md", "expected a Zarr folder, an .npz file or a table of text")
