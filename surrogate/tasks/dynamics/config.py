"""The [data] section of a configuration: which windows of which data sets."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataConfig:
    """What to train on.

    Attributes
    ----------
    paths : tuple of str
        Data sets; several are mixed in every batch (dimensions may differ, N may not).
    input_frame, target_frame : int
        The window; -1 takes the data set's task (contract.md).
    windows : str
        "task": that window only (the published protocol). "all": any window of the same length in a
        trajectory, drawn anew each epoch.
    train_samples, valid_samples : int
        Use the first so many trajectories; 0 takes all.
    stream : str
        "never": read data sets into memory. "always": read them block by block into a temporary file that is
        mapped, so that memory stays bounded. "auto": where they are too large for half of the free memory.
    """

    paths: tuple[str, ...] = ()
    input_frame: int = -1
    target_frame: int = -1
    windows: str = "task"
    train_samples: int = 0
    valid_samples: int = 0
    stream: str = "auto"
