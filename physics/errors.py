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
    """An :class:`InputError` for a name that is not in a registry, with the nearest known one."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InputError(f"unknown {what} {name!r}{hint} (known: {', '.join(names)})")
