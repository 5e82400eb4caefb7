"""What is learned? The contract of a task (base.py), a folder a task, and the literal registry `TASKS`.

A new task is a folder with a subclass of `Task`, a row here, and configurations that say `task = "its-name"`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from physics.errors import unknown_name

if TYPE_CHECKING:  # PyTorch, which names and readers of sets do without
    from surrogate.tasks.base import Task

DEFAULT = "dynamics"
"""The task of a configuration that names none."""

TASKS: dict[str, str] = {
    "autoencoder": "surrogate.tasks.autoencoder.task:Autoencoder",
    "molecules": "surrogate.tasks.molecules.task:Molecules",
    "dynamics": "surrogate.tasks.dynamics.task:Dynamics",
}
"""`module:class` by name; a task is imported when it is asked for."""


def task_class(name: str, where: str = "task") -> "type[Task]":
    """The class of a task.

    Parameters
    ----------
    name : str
        A key of `TASKS`.
    where : str
        What the name was found in, for the message.

    Raises
    ------
    InputError
    """
    if not isinstance(name, str) or name not in TASKS:
        raise unknown_name(where, name, TASKS)
    module, _, attribute = TASKS[name].partition(":")
    found: type[Task] = getattr(import_module(module), attribute)
    return found
