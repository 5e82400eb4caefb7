"""What a resumed run compares: the files that decide its own numbers, and no others (defect 24)."""

import shutil
from pathlib import Path

import pytest

from surrogate.models import MODELS
from surrogate.models.egnn.model import EGNN
from surrogate.models.gnn import GNN
from surrogate.models.integrator.model import Integrator
from surrogate.tasks import TASKS, task_class
from surrogate.tasks.dynamics.task import Dynamics
from surrogate.training.sources import ROOT, TRAINING, code_identity

CLASSES = {"egnn": EGNN, "gnn": GNN, "integrator": Integrator}
OURS = (
    "surrogate/training/step.py",
    "surrogate/training/divergence.py",
    "surrogate/tasks/dynamics/task.py",
    "surrogate/tasks/dynamics/streamed.py",
    "surrogate/tasks/dynamics/windows.py",
    "physics/datasets/reading.py",
    "physics/datasets/formats/npz.py",
    "physics/datasets/split.py",
)
"""Decide the numbers of every run of dynamics."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, to be edited."""
    root = tmp_path_factory.mktemp("tree")
    for package in ("surrogate", "physics"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def edited(name: str, root: Path, to: Path) -> Path:
    """A tree of links in which one file has another line."""
    for package in ("surrogate", "physics"):
        shutil.copytree(root / package, to / package, copy_function=lambda a, b: Path(b).symlink_to(a))
    (to / name).unlink()
    (to / name).write_text((root / name).read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    return to


@pytest.mark.parametrize("name", [*OURS, "surrogate/models/base.py", "surrogate/models/egnn/model.py"])
def test_an_edit_of_what_decides_its_numbers_is_seen(name: str, copied: Path, tmp_path: Path) -> None:
    then, now = (code_identity(Dynamics, EGNN, root) for root in (copied, edited(name, copied, tmp_path)))
    assert [key for key in now if then.get(key) != now[key]] == [name]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("egnn", "surrogate/models/integrator/model.py"),
        ("egnn", "surrogate/models/gnn.py"),
        ("egnn", "surrogate/models/egnn/recurrent.py"),
        ("gnn", "surrogate/models/egnn/model.py"),
        ("integrator", "surrogate/models/egnn/model.py"),
        ("egnn", "surrogate/training/progress_bar.py"),
        ("egnn", "surrogate/inference/forecaster.py"),
        ("egnn", "physics/datasets/executors.py"),
    ],
)
def test_an_edit_of_what_does_not_is_not(model: str, name: str, copied: Path, tmp_path: Path) -> None:
    before = code_identity(Dynamics, CLASSES[model], copied)
    assert code_identity(Dynamics, CLASSES[model], edited(name, copied, tmp_path)) == before


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_its_file_and_all_it_imports(model: str) -> None:
    """Also what a function imports when it is called: kernels."""
    row = MODELS[model]
    names = set(code_identity(Dynamics, row.model))
    assert f"surrogate/models/{row.module.replace('.', '/')}.py" in names
    assert "surrogate/models/__init__.py" not in names
    assert {"surrogate/models/base.py"} <= names
    if model in ("egnn", "integrator"):
        assert any(name.startswith(f"surrogate/models/{model}/cpu/") for name in names)
        assert "physics/kernels/jit.py" in names


@pytest.mark.parametrize("name", TASKS)
def test_every_pattern_stands_for_files(name: str) -> None:
    """A file that is renamed would silently be left out."""
    assert [pattern for pattern in (*TRAINING, *task_class(name).SOURCES) if not list(ROOT.glob(pattern))] == []
