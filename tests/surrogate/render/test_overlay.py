"""Words that fit their pane, and axis labels that do not overlap: plain functions, no OpenGL."""

import numpy as np
import pytest

from surrogate.render.orientation_axes import apart
from surrogate.render.text_wrapping import fitted, wrapped

SIZE = np.array([19.0, 15.0])
BADGE = "outside training: law coulomb (trained: nbody-reference); t = 3.1 to 14.1 (trained: 3.1)"


@pytest.mark.parametrize("n_lines", [1, 2, 3])
@pytest.mark.parametrize("width", [4, 10, 25, 40, 200])
def test_words_fit_and_a_cut_is_marked(width, n_lines):
    text = fitted(BADGE, width, n_lines, len)
    lines = text.split("\n")
    assert len(lines) <= n_lines
    longest_word = max(map(len, BADGE.split()))
    assert all(len(line) <= max(width, longest_word) for line in lines)
    assert len(lines[-1]) <= max(width, 3)
    whole = " ".join(lines)
    assert whole == BADGE or whole.endswith("...")
    assert not any(line.endswith("=") or line.startswith("=") for line in lines)
    kept = whole.removesuffix("...")
    assert BADGE.startswith(kept)
    if width == 200:
        assert text == BADGE
    if width == 40 and n_lines == 3:
        assert whole == BADGE
    assert fitted("", width, n_lines, len) == ""


def test_the_head_up_line_breaks_at_its_gaps():
    line = "world turned (0-1 by 60°)\nt = 8.90   n = 3   N = 5   coulomb"
    assert wrapped(line, 80) == line
    assert wrapped(line, 25).split("\n") == ["world turned (0-1 by 60°)", "t = 8.90   n = 3   N = 5", "coulomb"]
    assert wrapped(line, 16).split("\n")[-2:] == ["t = 8.90   n = 3", "N = 5   coulomb"]
    assert wrapped("", 16) == ""


@pytest.mark.parametrize("n", range(1, 9))
def test_labels_do_not_overlap(n):
    rng = np.random.default_rng(n)
    for places in (np.zeros((n, 2)), 12.0 * rng.standard_normal((n, 2)), 40.0 * rng.standard_normal((n, 2))):
        moved = apart(places, SIZE)
        for i in range(n):
            for j in range(i):
                assert (np.abs(moved[i] - moved[j]) >= SIZE - 0.5).any()


def test_labels_that_do_not_overlap_stay():
    places = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 16.0]])
    np.testing.assert_array_equal(apart(places, SIZE), places)
