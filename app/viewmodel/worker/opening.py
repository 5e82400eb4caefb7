"""What a file is that the user opens: a scenario, a data set, or a checkpoint."""

from pathlib import Path

from app.viewmodel.state.setup import Setup
from physics.errors import InputError
from resources.shipped import FILE_NAME


def describe_file(path: str) -> Setup:
    """The part of a Setup that a file stands for: a scenario, a data set, or a checkpoint.

    Raises
    ------
    InputError
        One line, for anything else.
    """
    from physics.datasets.reading import available_splits, read_samples
    from physics.scenarios import load_scenario
    from surrogate.inference.loading import load

    place = Path(path)
    if not place.exists():
        raise InputError(f"{path}: no such file")
    if place.suffix == ".toml":
        load_scenario(path)
        return Setup(scenario=path)
    is_zarr = place.is_dir() and (place / "zarr.json").is_file()
    if place.suffix == ".npz" or is_zarr:
        splits = available_splits(place)
        split = "test" if "test" in splits or not splits else splits[0]
        read_samples(place, split, range(1))
        return Setup(scenario="", data=path, split=split)
    if place.name == FILE_NAME or (place / FILE_NAME).is_file() or (place / "best").is_dir():
        load(place)
        return Setup(scenario="", model=path)
    raise InputError(
        f"{path}: not something to open; expected a checkpoint, a run, a data set (.zarr, .npz) or a scenario"
    )
