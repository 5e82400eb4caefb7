"""What `surrogate.compare` writes of models of other tasks: a picture and its numbers. `PICTURES` by task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from physics.errors import InputError
from physics.files import atomic_write, write_csv, write_json
from surrogate.comparison.ground_truth import rotation_of
from surrogate.export.still import SCALE, SIZES
from surrogate.inference.graph_autoencoder import GraphAutoencoder
from surrogate.inference.property_predictor import PropertyPredictor
from surrogate.render.graph_scene import graph_scene
from surrogate.render.molecule_scene import molecule_scene
from surrogate.render.painter import Painter
from surrogate.render.scene import Scene
from surrogate.tasks.autoencoder.graph_set import GraphSet, read_graphs
from surrogate.tasks.molecules.molecule_set import read_molecules
from surrogate.tasks.molecules.targets import ELEMENTS, TARGETS


@dataclass(frozen=True)
class Place:
    """One sample of a set."""

    data: str
    split: str
    index: int

    def refuse_beyond(self, count: int) -> None:
        """Raise InputError where the set has no such sample."""
        if not 0 <= self.index < count:
            raise InputError(f"{self.data}: index {self.index}; it has 0 to {count - 1}")

    def facts(self, model: Any) -> dict[str, Any]:
        """What is shown, as plain JSON."""
        place = {"data": Path(self.data).name, "split": self.split, "index": self.index}
        return {"model": model.name, "digest": model.digest, **place}


def png(scene: Scene) -> bytes:
    """A scene as a PNG file of SCALE pixels per layout pixel."""
    from PIL import Image

    width, height = SIZES[len(scene.panes)]
    with Painter.offscreen(scene, (SCALE * width, SCALE * height), scale=float(SCALE)) as painter:
        picture = painter.frame()
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def graph_files(
    model: GraphAutoencoder, where: Place, out: Path, turned: Mapping[str, Any], command: str
) -> list[Path]:
    """graph.png, places.csv, edges.csv and graph.json of one graph of a set.

    Parameters
    ----------
    where : Place
    out : Path
        An existing folder.
    turned : mapping
        rotate, random_seed, reflect: of :func:`surrogate.comparison.ground_truth.rotation_of`, for the places.
    """
    graphs = read_graphs(where.data, where.split)
    where.refuse_beyond(len(graphs))
    graph = graphs.graph(where.index)
    rotation = rotation_of(model.n_dims, **turned)
    z = model.encode(graph[None])[0].astype(np.float64) @ rotation.matrix.T
    probability = model.decode(z[None])[0]
    outside = model.outside_training(GraphSet(graph[None], np.array([len(graph)])))
    scene = graph_scene(
        z,
        graph,
        probability,
        model=model.name,
        name=f"{Path(where.data).name}, graph {where.index}",
        badge=f"outside training: {'; '.join(outside)}" if outside else "",
        headline=f"n = {model.n_dims}   {rotation.turns or 'not turned'}",
    )
    atomic_write(out / "graph.png", png(scene))
    write_csv(out / "places.csv", [["node", *scene.labels], *([k, *row] for k, row in enumerate(z.tolist()))])
    pairs = np.argwhere(np.triu(np.ones_like(graph), 1))
    rows = [[i, j, int(graph[i, j]), float(probability[i, j])] for i, j in pairs.tolist()]
    write_csv(out / "edges.csv", [["i", "j", "joined", "probability"], *rows])
    facts = {**where.facts(model), "rotation": rotation.matrix, "outside_training": outside, "command": command}
    write_json(out / "graph.json", facts)
    return [out / name for name in ("graph.png", "places.csv", "edges.csv", "graph.json")]


def molecule_files(
    model: PropertyPredictor, where: Place, out: Path, turned: Mapping[str, Any], command: str
) -> list[Path]:
    """molecule.png and molecule.json of one molecule of a set; parameters as of `graph_files`."""
    molecules = read_molecules(where.data, where.split)
    where.refuse_beyond(len(molecules))
    one = molecules.part(slice(where.index, where.index + 1))
    n = int(one.n_atoms[0])
    told = {name: float(values[0]) for name, values in model.of(one).items()}
    known = {name: float(one.targets[name][0]) for name in told if name in one.targets}
    words = [
        f"{name} {value:.4g} {TARGETS[name].unit}" + (f" (true {known[name]:.4g})" if name in known else "")
        for name, value in told.items()
    ]
    outside = model.outside_training(one)
    rotation = rotation_of(3, **turned)
    scene = molecule_scene(
        one.numbers[0, :n],
        one.positions[0, :n] @ rotation.matrix.T,
        title=formula(one.numbers[0, :n].tolist()),
        subtitle=f"{Path(where.data).name}, molecule {where.index}",
        footer=f"{model.name}: {'   '.join(words)}",
        badge=f"outside training: {'; '.join(outside)}" if outside else "",
    )
    atomic_write(out / "molecule.png", png(scene))
    facts = {**where.facts(model), "told": told, "known": known, "units": model.units()}
    facts |= {"outside_training": outside, "command": command}
    write_json(out / "molecule.json", facts)
    return [out / "molecule.png", out / "molecule.json"]


PICTURES: dict[str, Callable[..., list[Path]]] = {"autoencoder": graph_files, "molecules": molecule_files}
"""By task."""


def formula(numbers: list[int]) -> str:
    """C first, then H, then the others by name: C2H6O."""
    symbols = [ELEMENTS[z] for z in numbers]
    order = sorted(set(symbols), key=lambda s: (s != "C", s != "H", s))
    return "".join(f"{s}{symbols.count(s) if symbols.count(s) > 1 else ''}" for s in order)
