"""What the worker answers with where a sample of another task than dynamics is asked for."""

from dataclasses import dataclass

from app.viewmodel.state.setup import Setup
from physics.types import FloatArray
from surrogate.comparison.task_samples import TaskSample


@dataclass(frozen=True, eq=False)
class SampleResult:
    """A sample of a set beside what a model makes of it, as a Setup asks for it.

    Attributes
    ----------
    setup : Setup
    sample : TaskSample
    """

    setup: Setup
    sample: TaskSample

    @property
    def n_dims(self) -> int:
        """Dimensions of the space it is drawn in."""
        return self.sample.n_dims

    @property
    def rotation(self) -> FloatArray:
        """The world rotation it was made under, (n, n)."""
        return self.sample.rotation

    @property
    def n_samples(self) -> int:
        """Of the part of the set that is browsed."""
        return self.sample.place.count

    @property
    def splits(self) -> tuple[str, ...]:
        """Parts of the set; none where it is one by itself."""
        return self.sample.place.splits
