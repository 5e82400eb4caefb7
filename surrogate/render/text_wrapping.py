"""Words that fit their pane: wrapped at gaps and between words, cut with dots only where nothing else helps."""

import textwrap
from collections.abc import Callable

from surrogate.render.captions import GAP

TIED = "\u00a0=\u00a0"
"""An equation is not broken at the end of a line."""


def wrapped(text: str, n_letters: int) -> str:
    """Each line of the text on lines of at most `n_letters`: broken where it has gaps, else between words."""
    lines = []
    for line in text.split("\n"):
        started = ""
        for part in line.split(GAP):
            joined = f"{started}{GAP}{part}" if started else part
            if len(joined) > n_letters and started:
                lines.append(started)
                joined = part
            started = joined
        lines.append(textwrap.fill(started, max(n_letters, 8)))
    return "\n".join(lines)


def fitted(text: str, width: float, n_lines: int, measured: Callable[[str], float]) -> str:
    """The text on at most `n_lines` lines no wider than `width`, the last one cut with dots if there is more.

    Parameters
    ----------
    text : str
    width : float [pixel]
    n_lines : int
    measured : callable
        Width of a line of text [pixel].
    """
    if not text or measured(text) <= width:
        return text
    words, lines = text.replace(" = ", TIED).split(" "), list[str]()
    while words and len(lines) < n_lines - 1:
        count = 1
        while count < len(words) and measured(" ".join(words[: count + 1])) <= width:
            count += 1
        lines.append(" ".join(words[:count]))
        words = words[count:]
    rest = " ".join(words)
    if rest and measured(rest) > width:
        low, high = 0, len(rest)  # the longest beginning that fits with its dots
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if measured(f"{rest[:middle].rstrip()}...") <= width else (low, middle - 1)
        rest = f"{rest[:low].rstrip(' ,;:(')}..."
    return "\n".join([*lines, rest] if rest else lines).replace(TIED, " = ")
