"""The configuration of dynamics: which windows of which data sets ([data]), and its keys of [train]."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataConfig:
    """What to train on.

    Attributes
    ----------
    paths : tuple of str
        Data sets; several are mixed in every batch (dimensions may differ, N may not).
    input_frame, target_frame : int
        The window; -1 takes the data set's task (docs/training.md).
    horizon : float [time]
        Instead of a target frame: the target is so much later than the input; 0 asks for none.
    windows : str
        "task": that window only (the published protocol). "all": any two frames of a trajectory that are as far
        apart, drawn anew each epoch. Of one trajectory, or with "all" of few, each window is a sample.
    train_samples, valid_samples : int
        Use the first so many trajectories; 0 takes all.
    stream : str
        "never": read data sets into memory. "always": read them block by block into a temporary file that is
        mapped, so that memory stays bounded. "auto": where they are too large for half of the free memory.
    """

    paths: tuple[str, ...] = ()
    input_frame: int = -1
    target_frame: int = -1
    horizon: float = 0.0
    windows: str = "task"
    train_samples: int = 0
    valid_samples: int = 0
    stream: str = "auto"


@dataclass(frozen=True)
class LossConfig:
    """What dynamics adds to [train].

    Attributes
    ----------
    loss : str
        "mse"; or "relative": each data set's MSE over that of x + v t, so that easy and hard sets weigh alike.
    saturation : float
        Samples with an error far above this count as this: a loss e / (1 + e / saturation), so that chaotic
        windows do not rule the gradient; 0 is off.
    saturation_form : str
        "bounded", as above; or "log": saturation log(1 + e / saturation), whose gradient never vanishes, so that
        training gets started where all errors are far above.
    velocity_weight : float
        Weight of the velocity error for models that give velocities with their positions.
    velocity_epochs : int
        Epochs of the separate velocity head, with the position weights frozen.
    augment : str
        "rotations": every window is turned by a random rotation of its own, another one in every epoch, for models
        that are not equivariant; or "none".
    """

    loss: str = "mse"
    saturation: float = 0.0
    saturation_form: str = "bounded"
    velocity_weight: float = 0.0
    velocity_epochs: int = 0
    augment: str = "none"
