"""CSV tables: other names of columns, what may be missing, and gaps, each named."""

import numpy as np
import pytest

from physics.datasets.reading import read_split
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def written(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_the_least_that_is_needed(tmp_path):
    split = read_split(written(tmp_path, "time,x0\n0,1\n1,2\n2,4\n"), "any")
    np.testing.assert_array_equal(split.positions, np.array([1.0, 2, 4]).reshape(1, 3, 1, 1))
    assert split.units == {}


def test_other_names_and_separators(tmp_path):
    text = "Frame;ID;X;Y;vx;vy;q;colour\n" + "".join(
        f"{t};{i};{t}.5;{i};1;0;{i};red\n" for i in (10, 9) for t in (1, 0)
    )
    split = read_split(written(tmp_path, text, "a.tsv"), "any")
    np.testing.assert_array_equal(split.charges, [[9, 10]])  # ids by size, not by alphabet
    np.testing.assert_array_equal(split.positions[0, :, 0], [[0.5, 9], [1.5, 9]])
    np.testing.assert_array_equal(split.velocities[0, 0], [[1, 0], [1, 0]])
    assert "no times: frames are counted" in split.notes
    assert "columns left aside: colour" in split.notes


def test_quotes_a_mark_of_encoding_and_names_of_particles(tmp_path):
    rows = [f'{t},"Sun, the",0,star\n{t},Earth,{t + 1},planet\n' for t in (0, 1)]
    text = "\ufefftime,particle,x0,species\n" + "".join(rows)
    split = read_split(written(tmp_path, text), "any")
    np.testing.assert_array_equal(split.positions[0, :, 0, 0], [1, 2])
    assert split.species.tolist() == [[0, 1]]
    assert "species are 0 = planet, 1 = star" in split.notes


def test_what_is_kept_of_the_last_file_is_nobody_elses_and_goes_with_it(tmp_path, monkeypatch):
    path = written(tmp_path, "time,x0\n0,1\n1,2\n")
    read_split(path, "any").positions[...] = 7
    np.testing.assert_array_equal(read_split(path, "any").positions.reshape(-1), [1, 2])
    monkeypatch.setattr("numpy.loadtxt", lambda *_, **__: pytest.fail("read again"))
    np.testing.assert_array_equal(read_split(path, "any").positions.reshape(-1), [1, 2])
    with pytest.raises(pytest.fail.Exception, match="read again"):
        read_split(written(tmp_path, "time,x0\n0,1\n1,25\n"), "any")


def test_sources_of_an_export_of_ours_are_samples(tmp_path):
    rows = [
        f"{k},{k / 2},0,{source},{k + add},1\n" for source, add in (("truth", 0), ("forecast", 5)) for k in (0, 1)
    ]
    split = read_split(written(tmp_path, "step,time,particle,source,x0,v0\n" + "".join(rows)), "any")
    np.testing.assert_array_equal(split.positions.reshape(2, 2), [[5, 6], [0, 1]])
    np.testing.assert_array_equal(split.times, [0, 0.5])
    assert "samples are 0 = forecast, 1 = truth" in split.notes
    assert "columns left aside: step" in split.notes


HEAD = "sample,time,particle,x0,x1,charge\n"
REFUSED = {
    "no time": ("x0,x1\n1,2\n", "expected columns"),
    "no positions": ("time,particle\n1,2\n", "expected columns"),
    "gap in names": ("time,x0,x2\n1,2,3\n", "expected columns"),
    "a name twice": ("time,x0,x0\n1,2,3\n", "expected columns"),
    "velocities of fewer": ("time,x0,x1,v0\n1,2,3,4\n", "2 columns x0, ... and 1 columns v0"),
    "no rows": (HEAD, "no rows"),
    "a word": (HEAD + "0,0,0,1,two,0\n", "two"),
    "a short row": (HEAD + "0,0,0,1,2,0\n0,1,0\n", "row"),
    "nan": (HEAD + "0,0,0,nan,2,0\n0,1,0,1,2,0\n", "positions must be finite"),
    "time without end": (HEAD + "0,inf,0,1,2,0\n", "time must be finite; row 0"),
    "a missing row": (
        HEAD + "0,0,a,1,2,0\n0,0,b,1,2,0\n0,1,a,1,2,0\n",
        "0 rows of sample 0, time 1, particle b",
        "expected one row each",
    ),
    "a row twice": (HEAD + "0,0,a,1,2,0\n0,0,a,1,2,0\n0,1,a,1,2,0\n", "2 rows of sample 0, time 0, particle a"),
    "another number of frames": (HEAD + "0,0,a,1,2,0\n0,1,a,1,2,0\n1,0,a,1,2,0\n", "sample 1 has 1 frames"),
    "other times": (HEAD + "0,0,a,1,2,0\n0,1,a,1,2,0\n1,0,a,1,2,0\n1,1.5,a,1,2,0\n", "expected the same times"),
    "charges change": (HEAD + "0,0,a,1,2,0\n0,1,a,1,2,3\n", "charge of particle 0 changes from 0.0 to 3.0"),
    "all particles once": (HEAD + "".join(f"{k},{k},{k},1,2,0\n" for k in range(50)), "expected a row for each"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_line(case, tmp_path):
    text, *words = REFUSED[case]
    refused(written(tmp_path, text), *words)
