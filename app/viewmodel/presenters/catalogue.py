"""What is shipped and can be chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Catalogue:
    """Names to choose from.

    Attributes
    ----------
    scenarios : mapping of str to str
        Names and titles.
    models : tuple of str
    lessons : mapping of str to str
        Names and titles.
    """

    scenarios: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    lessons: Mapping[str, str] = field(default_factory=dict)
