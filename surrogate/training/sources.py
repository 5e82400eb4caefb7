"""Which source files decide the numbers of a run: a resumed run has the same ones.

They are the files of the training step, those the task names (`Task.SOURCES`), and the model's own: its module and
what that imports from the packages that models are made of. The file of another model is none of them.
"""

import ast
import hashlib
import inspect
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

from physics import __version__
from surrogate.tasks.base import Task

ROOT = Path(__file__).resolve().parents[2]
TRAINING = (
    "surrogate/tasks/base.py",
    "surrogate/training/distributed.py",
    "surrogate/training/divergence.py",
    "surrogate/training/flat_state.py",
    "surrogate/training/loop.py",
    "surrogate/training/state.py",
    "surrogate/training/step.py",
    "surrogate/training/whole_epoch_loop.py",
    "surrogate/training/whole_epochs.py",
)
"""What makes a training step and keeps its state, whatever is learned."""
PARTS = ("surrogate/models/", "surrogate/nn/", "physics/kernels/")
"""Where a model's imports are followed."""


@cache
def code_identity(task: type[Task], model: type, root: Path = ROOT) -> dict[str, str]:
    """A digest of every source file that decides a run's numbers, and the versions of what they rest on.

    Parameters
    ----------
    task, model : type
        The classes of the run.
    root : Path
        The tree whose files are read.
    """
    patterns = (*TRAINING, *task.SOURCES)
    files = {path for pattern in patterns for path in root.glob(pattern)} | model_sources(model, root)
    names = {path: path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name for path in files}
    digests = {names[path]: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in sorted(files)}
    return {"isotwin": __version__, "torch": torch.__version__, "numpy": version("numpy"), **digests}


def model_sources(model: type, root: Path = ROOT) -> set[Path]:
    """The file of a model and those that it imports, directly or not, from `PARTS`."""
    file = Path(inspect.getfile(model)).resolve()
    waiting, found = [root / file.relative_to(ROOT) if file.is_relative_to(ROOT) else file], set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, root)
    return found


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """The files within `PARTS` that a file imports, at its head or in a function; no package's own `__init__`."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for module in modules:
            name = module.replace(".", "/") + ".py"
            if name.startswith(PARTS) and (root / name).is_file():
                yield root / name
