"""What was measured of all models on one initial state."""

from dataclasses import dataclass

from app.viewmodel.state.setup import Setup


@dataclass(frozen=True)
class ModelRow:
    """What one model does here.

    Attributes
    ----------
    model : str
        Shipped name or path.
    label : str
        Its name, with its effort where that is not the usual one.
    reason : str
        Why it does not fit this state; then there are no numbers.
    error_median, error_end : float or None [length]
        Root mean square of the position error one horizon ahead: the median over the frames, the last frame.
    valid_time : float or None [time]
        How long its chained roll-out stays below a tenth of the truth's RMS radius.
    valid_to_end : bool
        Whether that is as long as it was watched.
    equivariance : float or None
    evaluations : float or None
        Of one forecast, the mean over the frames.
    force_evaluations : float or None
        For each pair, of models that sub-step close pairs.
    milliseconds : float or None
        For one frame, with all frames forecast together.
    """

    model: str
    label: str
    reason: str = ""
    error_median: float | None = None
    error_end: float | None = None
    valid_time: float | None = None
    valid_to_end: bool = False
    equivariance: float | None = None
    evaluations: float | None = None
    force_evaluations: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True)
class ModelTable:
    """What the models do on one state.

    Attributes
    ----------
    rows : tuple of ModelRow
    setup : Setup or None
        What they were measured on.
    progress : float or None
        0 to 1 while it is measured.
    opened : tuple of str
        Paths of models that the user opened or trained.
    of_tasks : tuple of (str, str)
        The same of other tasks than dynamics: task and path.
    """

    rows: tuple[ModelRow, ...] = ()
    setup: Setup | None = None
    progress: float | None = None
    opened: tuple[str, ...] = ()
    of_tasks: tuple[tuple[str, str], ...] = ()
