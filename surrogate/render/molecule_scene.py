"""The scene of a molecule: elements by colour, sizes by covalent radius, bonds by distance. NumPy."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray
from surrogate.comparison.task_samples import MoleculeSample
from surrogate.render.colourings import Legend
from surrogate.render.linked_scene import LinkedPoints, linked_scene
from surrogate.render.scene import Scene
from surrogate.render.theme import DARK, Theme, blended, rgb
from surrogate.tasks.molecules.targets import ELEMENTS

BOND = 1.25
"""Atoms closer than so many times the sum of their covalent radii are joined."""
COVALENT = {1: 0.31, 6: 0.76, 7: 0.71, 8: 0.66, 9: 0.57}
"""[angstrom] (Cordero et al. 2008)."""
ELEMENT_COLOURS = {1: "#e8e8e8", 6: "#6b6f76", 7: "#4a6cff", 8: "#ff3b30", 9: "#7fd84e"}
"""As chemists draw them (Corey, Pauling, Koltun)."""
ATOM_SIZE = 0.45
"""Of an atom's ball, as a share of its covalent radius."""


def bonds(numbers: NDArray[np.int64], positions: FloatArray) -> NDArray[np.int64]:
    """Pairs of atoms (bonds, 2) that are joined, by distance."""
    reach = np.array([COVALENT[int(z)] for z in numbers])
    d = np.linalg.norm(positions[:, None] - positions, axis=-1)
    return np.argwhere(np.triu(d < BOND * (reach[:, None] + reach), 1))


def formula(numbers: list[int]) -> str:
    """C first, then H, then the others by name: C2H6O."""
    symbols = [ELEMENTS[z] for z in numbers]
    order = sorted(set(symbols), key=lambda s: (s != "C", s != "H", s))
    return "".join(f"{s}{symbols.count(s) if symbols.count(s) > 1 else ''}" for s in order)


def molecule_scene(sample: MoleculeSample, *, basis: FloatArray | None = None, theme: Theme = DARK) -> Scene:
    """A molecule with its properties, told and true; `basis` (3, 3) is the view."""
    numbers, positions = sample.numbers, sample.positions
    joined = bonds(numbers, positions)
    shades = {z: rgb(colour) for z, colour in ELEMENT_COLOURS.items()}
    colours = np.array([shades[int(z)] for z in numbers]).astype(np.uint8)
    grey = np.tile(blended(rgb(theme.muted), theme.background, np.array(0.8)), (len(joined), 1))
    words = [
        f"{name} {value:.4g} {sample.units[name]}"
        + (f" (true {sample.known[name]:.4g})" if name in sample.known else "")
        for name, value in sample.told.items()
    ]
    one = LinkedPoints(
        points=positions,
        colours=colours,
        radii=ATOM_SIZE * np.array([COVALENT[int(z)] for z in numbers]),
        links=joined,
        link_colours=grey,
        title=formula(numbers.tolist()),
        subtitle=f"{Path(sample.place.data).name}, molecule {sample.place.index}",
        footer=f"{sample.model}: {'   '.join(words)}",
        badge=sample.badge,
    )
    there = sorted(set(numbers.tolist()), key=lambda z: (z != 6, z))
    key = tuple((ELEMENTS[z], ELEMENT_COLOURS[z]) for z in there)
    headline = sample.turns or "not turned"
    return linked_scene([one], Legend(title="elements", key=key), headline=headline, basis=basis, theme=theme)
