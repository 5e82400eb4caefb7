"""The samples of a data set, and their errors where these were measured."""

from dataclasses import dataclass

from app.viewmodel.state.setup import Setup

SampleError = tuple[int, float]
"""A sample and the root mean square of its position error; infinite where the forecast is not finite."""


@dataclass(frozen=True)
class Browser:
    """The samples of a data set by their error.

    Attributes
    ----------
    errors : tuple of (int, float)
        Samples and their errors, the worst first; empty for the order of the file.
    setup : Setup or None
        For which they were measured.
    progress : float or None
        0 to 1 while they are measured.
    """

    errors: tuple[SampleError, ...] = ()
    setup: Setup | None = None
    progress: float | None = None


def same_data(a: Setup | None, b: Setup) -> bool:
    """Whether two setups browse the same split of the same data set with the same model."""
    keys = ("data", "split", "model", "effort")
    return a is not None and all(getattr(a, key) == getattr(b, key) for key in keys)
