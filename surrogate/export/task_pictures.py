"""What `surrogate.compare` writes of models of other tasks: a picture and its numbers."""

from io import BytesIO
from pathlib import Path

import numpy as np

from physics.files import atomic_write, write_csv, write_json
from surrogate.comparison.task_samples import GraphSample, MoleculeSample, TaskSample
from surrogate.export.still import SCALE, SIZES
from surrogate.render.painter import Painter
from surrogate.render.scene import Scene
from surrogate.render.task_scenes import TASK_SCENES


def png(scene: Scene) -> bytes:
    """A scene as a PNG file of SCALE pixels per layout pixel."""
    from PIL import Image

    width, height = SIZES[len(scene.panes)]
    with Painter.offscreen(scene, (SCALE * width, SCALE * height), scale=float(SCALE)) as painter:
        picture = painter.frame()
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def sample_files(sample: TaskSample, out: Path, command: str) -> list[Path]:
    """A picture, numbers and a description of one sample, in an existing folder; paths written."""
    scene, place = TASK_SCENES[type(sample)](sample), sample.place
    name = "graph" if isinstance(sample, GraphSample) else "molecule"
    atomic_write(out / f"{name}.png", png(scene))
    written = [out / f"{name}.png"]
    facts = {
        "model": sample.model, "digest": sample.digest, "data": Path(place.data).name, "split": place.split,
        "index": place.index, "rotation": sample.rotation, "outside_training": list(sample.outside),
    }  # fmt: skip
    if isinstance(sample, GraphSample):
        rows = [[k, *row] for k, row in enumerate(sample.z.tolist())]
        write_csv(out / "places.csv", [["node", *scene.labels], *rows])
        a, p = sample.adjacency, sample.probability
        pairs = np.argwhere(np.triu(np.ones_like(a), 1)).tolist()
        rows = [[i, j, int(a[i, j]), float(p[i, j])] for i, j in pairs]
        write_csv(out / "edges.csv", [["i", "j", "joined", "probability"], *rows])
        written += [out / "places.csv", out / "edges.csv"]
        facts |= {"wrong_percent": sample.wrong_percent, "f1": sample.f1}
    if isinstance(sample, MoleculeSample):
        facts |= {"told": dict(sample.told), "known": dict(sample.known), "units": dict(sample.units)}
    write_json(out / f"{name}.json", facts | {"command": command})
    return [*written, out / f"{name}.json"]
