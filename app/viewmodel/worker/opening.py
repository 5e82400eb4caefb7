"""What a file is that the user opens: a scenario, a data set, or a checkpoint."""

from collections.abc import Sequence
from pathlib import Path

from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.ground_truth import before_the_turn
from physics.errors import InputError
from resources.shipped import FILE_NAME
from surrogate.comparison.task_samples import SAMPLES, splits_of, task_of_set
from surrogate.tasks import DEFAULT


def describe_file(path: str) -> Setup:
    """The part of a Setup that a file stands for: a scenario, a data set, or a checkpoint.

    Raises
    ------
    InputError
        One line, for anything else.
    """
    from physics.datasets.reading import available_splits
    from physics.scenarios import load_scenario

    place = Path(path)
    if not place.exists():
        raise InputError(f"{path}: no such file")
    if place.suffix == ".toml":
        load_scenario(path)
        return Setup(scenario=path)
    if task := task_of_set(place):
        split = _first_split(splits_of(path))
        SAMPLES[task].read(path, split)
        return Setup(scenario="", task=task, data=path, split=split)
    if _may_be_data(place):
        found = Setup(scenario="", data=path, split=_first_split(available_splits(place)))
        try:
            before_the_turn(found, 1.0)  # read, and kept for what is shown next
        except InputError as error:
            if not _are_molecules(place):
                raise error from None
            return Setup(scenario="", task="molecules", data=path)
        return found
    if place.name == FILE_NAME or (place / FILE_NAME).is_file() or (place / "best").is_dir():
        from surrogate.inference.loading import load_predictor  # PyTorch: not to open data

        task = load_predictor(place).task
        if task == DEFAULT:
            return Setup(scenario="", model=path)
        data, split = _trained_on(place)
        return Setup(scenario="", task=task, task_model=path, data=data, split=split)
    raise InputError(
        f"{path}: not something to open; expected a checkpoint, a run, a data set (.zarr, .npz, or a format that "
        "python -m physics.convert --list names), a set of graphs or molecules, or a scenario"
    )


def _first_split(splits: Sequence[str]) -> str:
    return "test" if "test" in splits or not splits else splits[0]


def _trained_on(run: Path) -> tuple[str, str]:
    """The first set that a run of another task was trained on, if it is still there, and its part for tests."""
    from surrogate.training.config import load_config

    file = run / "config.toml"
    paths = load_config(str(file)).data.paths if file.is_file() else ()
    if not paths or not Path(paths[0]).exists():
        return "", "test"
    return paths[0], _first_split(splits_of(paths[0]))


def _are_molecules(place: Path) -> bool:
    """Whether an XYZ file that is no trajectory is a set of molecules."""
    if place.suffix.lower() not in (".xyz", ".extxyz"):
        return False
    try:
        SAMPLES["molecules"].read(str(place), "test")
    except InputError:
        return False
    return True


def _may_be_data(place: Path) -> bool:
    """Whether a path has the ending of a format of data sets, or looks like one inside."""
    from physics.datasets.formats import FORMATS

    if place.is_dir():
        return (place / "zarr.json").is_file() or FORMATS["npy-set"].recognises(place)
    return any(place.name.lower().endswith(row.endings) or row.recognises(place) for row in FORMATS.values())
