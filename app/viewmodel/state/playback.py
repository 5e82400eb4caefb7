"""The one clock of all panes: where it stands, how it runs on, what happens at its ends."""

from dataclasses import dataclass, replace
from typing import Literal

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

FRAMES_A_SECOND = 10.0
"""Of stored data at speed 1, whatever the unit of their times."""


Ending = Literal["once", "loop", "rock"]


ENDINGS: tuple[Ending, ...] = ("once", "loop", "rock")


@dataclass(frozen=True)
class Playback:
    """The one clock of all panes.

    Attributes
    ----------
    position : float
        Frame number, between frames while playing.
    playing : bool
    speed : float
        Units of time per second (`ComparisonResult.clock_unit`).
    loop : bool
        Play again from the start at the end; else stop there.
    rock : bool
        A loop that turns round at either end instead of jumping back to the start.
    backwards : bool
        On the way back of a rock.
    every_frame : bool
        Skip no frame, however slow the drawing; else keep to the time, however many frames are skipped.
    mark_in, mark_out : int or None
        The frames between which it plays; None for the first and the last.
    """

    position: float = 0.0
    playing: bool = True
    speed: float = 1.0
    loop: bool = True
    rock: bool = False
    backwards: bool = False
    every_frame: bool = False
    mark_in: int | None = None
    mark_out: int | None = None

    @property
    def ending(self) -> Ending:
        """What happens at the end."""
        return ("rock" if self.rock else "loop") if self.loop else "once"

    def bounds(self, n_frames: int) -> tuple[int, int]:
        """First and last frame that are played."""
        last = max(n_frames - 1, 0)
        first = min(self.mark_in or 0, last)
        return first, max(first, last if self.mark_out is None else min(self.mark_out, last))


def advanced(playback: Playback, step: float, n_frames: int) -> Playback:
    """The clock some frames on: within the marks, and at an end what `ending` says.

    Parameters
    ----------
    step : float
        Frames, not negative; at most one where every frame is to be seen.
    """
    first, last = playback.bounds(n_frames)
    if playback.every_frame:
        step = min(step, 1.0)
    if playback.rock and playback.loop:
        span = float(last - first)
        if span == 0:
            return replace(playback, position=float(first))
        # as far along the way there and back as it is, the way back behind the way there
        along = min(max(playback.position - first, 0.0), span)
        along = ((2.0 * span - along if playback.backwards else along) + step) % (2.0 * span)
        back = along > span
        return replace(playback, position=first + (2.0 * span - along if back else along), backwards=back)
    position = max(playback.position, float(first)) + step
    if position < last + 1:
        return replace(playback, position=position)
    if playback.loop:
        return replace(playback, position=float(first))
    return replace(playback, position=float(last), playing=False)


def step_on_ladder(ladder: tuple[float, ...], value: float, steps: int) -> float:
    """The value some steps up or down a ladder from the one nearest to `value`; its ends at most."""
    nearest = min(range(len(ladder)), key=lambda k: abs(ladder[k] - value))
    return ladder[min(max(nearest + steps, 0), len(ladder) - 1)]
