"""What of a View can be shown of a comparison, in names and numbers; pure Python and NumPy."""

from collections.abc import Mapping
from dataclasses import replace

from app.viewmodel.state.view_state import View
from surrogate.comparison.comparison import Comparison
from surrogate.render import COLOURINGS

LAYOUT_NAMES: Mapping[str, str] = {"twin": "side by side", "overlay": "one over the other"}


def possible_colourings(law_known: bool) -> tuple[str, ...]:
    """Names of the colourings that mean something."""
    return tuple(name for name, row in COLOURINGS.items() if law_known or not row.needs_law)


def colouring_label(name: str, hidden_axis: int | None = None) -> str:
    """For menus: "speed", "coordinate x4", "hidden coordinate" where no axis is chosen."""
    label = COLOURINGS[name].label
    if "{axis}" in label:
        return "hidden coordinate" if hidden_axis is None else label.format(axis=hidden_axis)
    return label


def fitting(view: View, comparison: Comparison) -> View:
    """The view without what this comparison cannot show: axes of more dimensions, colours of an unknown law."""
    n = comparison.truth.n_dims
    if view.axes is not None and (n <= 3 or max(view.axes) >= n):
        view = replace(view, axes=None)
    if view.basis is not None and len(view.basis) != n:
        view = replace(view, basis=None)
    if view.hidden_axis is not None and view.hidden_axis >= n:
        view = replace(view, hidden_axis=None)
    if view.colour_by not in possible_colourings(comparison.law_known):
        view = replace(view, colour_by="charge", colour_range=None)
    return view
