"""`TASK_SCENES`: from a sample of another task than dynamics to its scene."""

from collections.abc import Callable

from surrogate.comparison.task_samples import GraphSample, MoleculeSample, TaskSample
from surrogate.render.graph_scene import graph_scene
from surrogate.render.molecule_scene import molecule_scene
from surrogate.render.scene import Scene

TASK_SCENES: dict[type[TaskSample], Callable[..., Scene]] = {
    GraphSample: graph_scene,
    MoleculeSample: molecule_scene,
}
"""By the class of the sample; called with it, and `basis=` and `theme=`."""
