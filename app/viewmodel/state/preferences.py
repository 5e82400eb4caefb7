"""What the application remembers from one start to the next."""

from dataclasses import dataclass
from typing import Literal

N_RECENT = 10

MAX_TRAIL = 600
"""Longest trail that can be asked for [frame]."""


@dataclass(frozen=True)
class Preferences:
    """How the window starts.

    Attributes
    ----------
    theme : "dark" or "light"
    scenario : str
    model : str
        Empty for the shipped default.
    trail : int
        Frames a trail reaches back.
    loop : bool
        Play again from the start at the end.
    layout, geometry : str
        Of the docks and the window, as Qt encodes them (base 64); empty for the default.
    recent : tuple of str
        Paths opened last, the newest first.
    autosave : bool
        Keep a copy of the session to restore after a crash.
    welcomed : bool
        The card of the first run was seen.
    """

    theme: Literal["dark", "light"] = "dark"
    scenario: str = "bound"
    model: str = ""
    trail: int = 60
    loop: bool = True
    layout: str = ""
    geometry: str = ""
    recent: tuple[str, ...] = ()
    autosave: bool = True
    welcomed: bool = False
