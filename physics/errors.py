"""The two ways a request is refused, bad input from outside and a simulation that cannot go on; two warnings."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: the message is one line that says what, where and what was expected.

    Commands print it on stderr and exit with status 2.
    """


class SimulationError(InputError):
    """A simulation that cannot start or go on (coincident particles, a non-finite state)."""


class EnergyWarning(UserWarning):
    """A run whose energy changed by far more than its steps explain: finite, but not to be believed."""


class StepWarning(UserWarning):
    """A run in which two particles passed each other faster than its steps can follow."""


def unknown_name(what: str, name: object, known: Iterable[str]) -> InputError:
    """An :class:`InputError` for a name that is not in a registry, with the nearest known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=len(names) or 1)
    likeness = [difflib.SequenceMatcher(None, one, str(name)).ratio() for one in near]
    nearest = [one for one, ratio in zip(near, likeness, strict=True) if ratio == likeness[0]]
    hint = f"; did you mean {' or '.join(map(repr, sorted(nearest)))}?" if nearest else ""
    return InputError(f"unknown {what} {name!r}{hint} (known: {', '.join(names)})")
