"""What a file is that the user opens: a scenario, a data set, or a checkpoint."""

from pathlib import Path

from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.ground_truth import before_the_turn
from physics.errors import InputError
from resources.shipped import FILE_NAME


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
    if _may_be_data(place):
        splits = available_splits(place)
        split = "test" if "test" in splits or not splits else splits[0]
        found = Setup(scenario="", data=path, split=split)
        before_the_turn(found, 1.0)  # read, and kept for what is shown next
        return found
    if place.name == FILE_NAME or (place / FILE_NAME).is_file() or (place / "best").is_dir():
        from surrogate.inference.loading import load  # PyTorch: not to open data

        load(place)
        return Setup(scenario="", model=path)
    raise InputError(
        f"{path}: not something to open; expected a checkpoint, a run, a data set (.zarr, .npz, or a format that "
        "python -m physics.convert --list names) or a scenario"
    )


def _may_be_data(place: Path) -> bool:
    """Whether a path has the ending of a format of data sets, or looks like one inside."""
    from physics.datasets.formats import FORMATS

    if place.is_dir():
        return (place / "zarr.json").is_file() or FORMATS["npy-set"].recognises(place)
    return any(place.name.lower().endswith(row.endings) or row.recognises(place) for row in FORMATS.values())
