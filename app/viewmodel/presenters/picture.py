"""What of a View can be shown of a comparison, in names and numbers; pure Python and NumPy."""

from collections.abc import Mapping

from surrogate.render import COLOURINGS

LAYOUT_NAMES: Mapping[str, str] = {"twin": "side by side", "overlay": "one over the other"}


def colouring_label(name: str, hidden_axis: int | None = None) -> str:
    """For menus: "speed", "coordinate x4", "hidden coordinate" where no axis is chosen."""
    label = COLOURINGS[name].label
    if "{axis}" in label:
        return "hidden coordinate" if hidden_axis is None else label.format(axis=hidden_axis)
    return label
