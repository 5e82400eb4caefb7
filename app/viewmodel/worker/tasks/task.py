"""What the runner asks of a task."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]
Part = Callable[[Any], None]


class Task(ABC):
    """Work for a child process."""

    @abstractmethod
    def run(self, progress: Progress, cancelled: Cancelled, part: Part) -> Any:
        """Do it, and return all of it.

        Parameters
        ----------
        progress : callable
            Gets 0 to 1.
        cancelled : callable
            True when to stop early; what is returned then is not looked at.
        part : callable
            Gets what there is so far.
        """
