"""A sketch on the screen and in words: from pixels to the drawn space, and whose error is how large."""

from app.viewmodel.state.sketch import CLOSEST, Sketch, scores
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import short_number


def verdict(sketch: Sketch, comparison: Comparison) -> list[tuple[str, ...]]:
    """The scores as rows of words: who, error at the end, along the path, share of the straight line's error."""
    made = scores(sketch, comparison)
    if not made:
        return []
    names = {"you": "You", "model": "Model", "straight": "x + v t"}
    line = max(made["straight"].end, CLOSEST)
    rows: list[tuple[str, ...]] = [("", "end", "path", "ratio")]
    for name, title in names.items():
        score = made[name]
        rows.append((title, short_number(score.end), short_number(score.path), f"{score.end / line:.2g}×"))
    return rows


def shown_coordinates(n_dims: int) -> str:
    """In what space the user draws, where that is not all of it."""
    if n_dims <= 3:
        return ""
    return f"You draw in the three coordinates that are shown; this scene has {n_dims}."
