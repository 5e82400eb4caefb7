"""What is chosen like a scenario but is none: a shipped set of another task, with a model for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources import EXAMPLES
from resources.shipped import shipped_models_of_task


@dataclass(frozen=True)
class TaskScenario:
    """A row of TASK_SCENARIOS.

    Attributes
    ----------
    title, task : str
    data : str
        A file of resources/examples.
    model : str
        A shipped one.
    """

    title: str
    task: str
    data: str
    model: str


TASK_SCENARIOS: dict[str, TaskScenario] = {
    "graphs": TaskScenario("Graphs: Erdos-Renyi", "autoencoder", "graphs-sample.npz", "autoencoder-er"),
    "communities": TaskScenario(
        "Graphs: communities", "autoencoder", "communities-sample.npz", "autoencoder-community"
    ),
    "molecules": TaskScenario("Molecules: QM9", "molecules", "qm9-sample.npz", "egnn-qm9-alpha"),
}
"""By the name that stands for `Setup.scenario`."""


def task_scenarios() -> dict[str, TaskScenario]:
    """Those whose models ship."""
    return {n: row for n, row in TASK_SCENARIOS.items() if row.model in shipped_models_of_task(row.task)}


def setup_fields(name: str) -> Mapping[str, Any]:
    """What a row is in a Setup."""
    row = TASK_SCENARIOS[name]
    return {"scenario": name, "task": row.task, "data": str(EXAMPLES / row.data), "task_model": row.model}


def example_of(task: str) -> str:
    """The shipped set of a task, for a model that comes without one."""
    return str(EXAMPLES / next(row.data for row in TASK_SCENARIOS.values() if row.task == task))


def model_of(task: str) -> str:
    """A shipped model of a task, for a set that comes without one; empty where none ships."""
    return next((row.model for row in task_scenarios().values() if row.task == task), "")
