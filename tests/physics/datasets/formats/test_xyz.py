"""XYZ and extended XYZ beyond what ASE writes: comments with times, other columns, boxes, refusals."""

import numpy as np
import pytest

from physics.datasets.reading import read_split
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def written(tmp_path, *frames, name="a.xyz"):
    path = tmp_path / name
    path.write_text(
        "".join(f"{len(rows)}\n{comment}\n" + "".join(f"{row}\n" for row in rows) for comment, rows in frames)
    )
    return path


ROWS = ["A 0 0 0", "B 1 1 1"], ["A 0 0 1", "B 1 1 2"]


@pytest.mark.parametrize(
    ("comments", "times", "counted"),
    [
        (("i = 0, time = 0.000, E = 1.5", "i = 1, time = 0.500, E = 1.5"), [0, 0.5], ""),
        (("Atoms. Timestep: 0", "Atoms. Timestep: 100"), [0, 100], "steps"),
        (("t=1e-3", "t=2e-3"), [1e-3, 2e-3], ""),
        (("step 1", "start 2"), [0, 1], "frames"),
        (("", ""), [0, 1], "frames"),
    ],
)
def test_comments_tell_times(comments, times, counted, tmp_path):
    split = read_split(written(tmp_path, *zip(comments, ROWS, strict=True)), "any")
    np.testing.assert_array_equal(split.times, times)
    assert any(f"{counted} are counted" in note for note in split.notes) == bool(counted)


def test_columns_that_plain_xyz_does_not_name_are_left_aside(tmp_path):
    split = read_split(written(tmp_path, *(("", [f"{row} 9 9 9" for row in rows]) for rows in ROWS)), "any")
    assert split.first_state == 1
    assert any("3 more columns left aside" in note for note in split.notes)
    assert any("species are 0 = A, 1 = B" in note for note in split.notes)


def test_a_last_line_without_an_end_is_read_and_said(tmp_path):
    path = written(tmp_path, ("", ROWS[0]), ("", ROWS[1]))
    path.write_text(path.read_text().rstrip("\n"))
    split = read_split(path, "any")
    assert split.positions[0, 1, 1, 2] == 2
    assert any("the last line has no end" in note for note in split.notes)


EXTENDED = "Properties=id:I:1:species:S:1:pos:R:3:velo:R:3:charge:R:1"


def test_columns_of_others_by_their_names(tmp_path):
    """OVITO's names, ids out of order, a box that is not periodic."""
    rows = [["2 Xx 1 2 3 4 5 6 -1", "1 Yy 0 0 0 1 0 0 1"], ["1 Yy 1 0 0 1 0 0 1", "2 Xx 5 7 9 4 5 6 -1"]]
    comments = [f'Lattice="9 0 0 0 9 0 0 0 9" pbc="F F F" {EXTENDED} Timestep={k}' for k in (0, 1)]
    split = read_split(written(tmp_path, *zip(comments, rows, strict=True)), "any")
    assert split.charges.tolist() == [[1, -1]]
    assert split.species.tolist() == [[1, 0]]
    np.testing.assert_array_equal(split.positions[0, :, 1], [[1, 2, 3], [5, 7, 9]])
    np.testing.assert_array_equal(split.velocities[0, 0], [[1, 0, 0], [4, 5, 6]])
    assert split.box is None
    assert split.units == {"time": "step"}


def test_two_dimensions(tmp_path):
    rows = [["0 0", "1 1"], ["0 1", "1 2"]]
    split = read_split(written(tmp_path, *(("Properties=pos:R:2", part) for part in rows)), "any")
    assert split.positions.shape == (1, 2, 2, 2)
    assert split.species is None


PLAIN = "Properties=species:S:1:pos:R:3"
REFUSED = {
    "ragged": ([("", ROWS[0]), ("", ROWS[1][:1])], "frame 1 has 1 particles, frame 0 has 2"),
    "names change": ([("", ROWS[0]), ("", ["A 0 0 1", "C 1 1 2"])], "name of particle 1 changes from B to C"),
    "nan": ([("", ["A nan 0 0"])] * 2, "positions must be finite"),
    "short row": ([("", ["A 0 0 0", "B 1"])] * 2, "frame 0"),
    "one frame": ([("", ROWS[0])], "one frame is too few"),
    "properties": ([("Properties=pos:Q:3", ["0 0 0"])] * 2, "expected name:kind:columns"),
    "no pos": ([("Properties=forces:R:3", ["0 0 0"])] * 2, "no column pos"),
    "huge properties": ([("Properties=pos:R:1000000000000", ["0 0 0"])] * 2, "expected name:kind:columns"),
    "tilted": ([(f'Lattice="1 0 0 1 1 0 0 0 1" {PLAIN}', ["A 0 0 0"])] * 2, "not rectangular"),
    "lattice": ([(f'Lattice="1 0 0" {PLAIN}', ["A 0 0 0"])] * 2, "expected Lattice of nine numbers"),
    "flat box": ([(f'Lattice="1 0 0 0 1 0 0 0 0" {PLAIN}', ["A 0 0 0"])] * 2, "box must be positive"),
    "columns change": ([(PLAIN, ["A 0 0 0"]), (f"{PLAIN}:q:R:1", ["A 0 0 0 1"])], "frame 1 has other columns"),
    "time": ([(f"{PLAIN} time=soon", ["A 0 0 0"])] * 2, "soon"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_line(case, tmp_path):
    frames, *words = REFUSED[case]
    refused(written(tmp_path, *frames), *words)


@pytest.mark.parametrize(("count", "words"), [(10**12, "declares 1000000000000"), (-3, ""), (0, "declares 0")])
def test_declared_counts(count, words, tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(f"{count}\n\nA 0 0 0\n")
    refused(path, words)
    path.write_text(f"1\n\nA 0 0 0\n{count}\n\nA 0 0 0\n")
    refused(path, "frame 1", "declares")
