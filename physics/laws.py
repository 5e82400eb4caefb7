"""A system's law by name: one row of FORCES, or a sum of them such as "gravity+coulomb".

Of a single law the parameters have their plain names ("eps"); of a sum each has its law's in front
("gravity.eps"). What a sum claims follows from its terms.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.forces import FORCES, Force

FloatArray = NDArray[np.float64]

NOT_NEGATIVE = ("eps", "kappa", "k")
POSITIVE = ("force_limit", "screening")
"""Limits of the parameters; the others take any finite number, `p` also "gauss"."""


def law_terms(law: str) -> tuple[str, ...]:
    """The rows of FORCES that a law adds up, each at most once.

    Raises
    ------
    InputError
        For an unknown name, or one that comes twice.
    """
    names = [name.strip() for name in law.split("+")] if isinstance(law, str) else [law]
    for name in names:
        if name not in FORCES:
            raise unknown_name("law", name, FORCES)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"law {name!r} comes twice in the sum {law!r}; each term may come once")
    return tuple(names)


def is_law(name: object) -> bool:
    """Whether this names a law or a sum of laws."""
    try:
        return bool(law_terms(name))  # type: ignore[arg-type]  # whatever a file holds
    except (InputError, TypeError):
        return False


def force_of(law: str) -> Force:
    """The row of a law; of a sum, what follows from its terms.

    A sum is conservative, isotropic or smooth at contact where every term is. Its code is that of its first term:
    kernels find the others in the packed parameters.
    """
    terms = law_terms(law)
    if len(terms) == 1:
        return FORCES[terms[0]]
    rows = [FORCES[name] for name in terms]
    couplings = sorted({row.couplings for row in rows} - {"none"})
    return Force(
        code=rows[0].code,
        defaults={
            f"{name}.{key}": value
            for name, row in zip(terms, rows, strict=True)
            for key, value in row.defaults.items()
        },
        conservative=all(row.conservative for row in rows),
        isotropic=all(row.isotropic for row in rows),
        smooth_at_contact=all(row.smooth_at_contact for row in rows),
        formula="; plus ".join(row.formula for row in rows),
        couplings=" and ".join(couplings) or "none",
    )


def term_values(law: str, parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each term's own parameters under their plain names."""
    terms = law_terms(law)
    if len(terms) == 1:
        return {terms[0]: dict(parameters)}
    return {name: {key: parameters[f"{name}.{key}"] for key in FORCES[name].defaults} for name in terms}


def singular_at_contact(law: str, parameters: Mapping[str, Any]) -> bool:
    """Whether coincident particles have no acceleration: an unsoftened term."""
    return any(
        not FORCES[name].smooth_at_contact or values.get("eps") == 0.0
        for name, values in term_values(law, parameters).items()
    )


def parameter_limits(name: str) -> str:
    """What a law's parameter may be, in words."""
    plain = name.rpartition(".")[2]
    if plain in NOT_NEGATIVE:
        return "0 or more"
    if plain in POSITIVE:
        return "above 0"
    return "a finite number, or gauss for n - 1" if plain == "p" else "a finite number"


def resolve_parameters(law: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a law: its defaults, overridden by `given`, checked.

    Raises
    ------
    InputError
        For an unknown law or parameter, or a value outside its range.
    """
    defaults = force_of(law).defaults
    resolved = dict(defaults)
    for name, value in given.items():
        if name not in defaults:
            raise _unknown_parameter(law, name, defaults)
        plain = name.rpartition(".")[2]
        if plain == "p" and value == "gauss":
            resolved[name] = "gauss"
            continue
        number = _number(value)
        if not math.isfinite(number):
            expected = "a finite number or 'gauss'" if plain == "p" else "a finite number"
            raise InputError(f"parameter {name} of law {law!r} must be {expected}; got {value!r:.60}")
        resolved[name] = number
        if plain in NOT_NEGATIVE and value < 0:
            raise InputError(f"parameter {name} of law {law!r} must be >= 0; got {value}")
        if plain in POSITIVE and value <= 0:
            raise InputError(f"parameter {name} of law {law!r} must be > 0; got {value}")
    return resolved


def _unknown_parameter(law: str, name: str, defaults: Mapping[str, Any]) -> InputError:
    """A name that only lacks its law in front is met with the full one."""
    full = [key for key in defaults if key.endswith(f".{name}")]
    if full:
        return InputError(
            f"unknown parameter of law {law!r} {name!r}; did you mean {' or '.join(map(repr, full))}? "
            "(a sum's parameters are named with their law)"
        )
    return unknown_name(f"parameter of law {law!r}", name, defaults)


def _number(value: object) -> float:
    """The float of a real number; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


_PACKED: dict[str, tuple[tuple[str, float], ...]] = {
    "reference": (("", 0.0), ("", 2.0), ("force_limit", 0.0)),
    "gravity": (("eps", 0.0), ("", 2.0), ("G", 0.0)),
    "spring": (("", 0.0), ("", 2.0), ("k", 0.0)),
    "yukawa": (("eps", 0.0), ("", 2.0), ("screening", 0.0)),
    "softcore": (("eps", 0.0), ("", 1.0), ("", 0.0)),
}
"""What each law but coulomb packs: the parameter of that name, else the number beside it."""


def packed_parameters(
    law: str,
    parameters: Mapping[str, Any],
    n_dims: int,
    fields: Fields = NO_FIELDS,
    boundary: Boundary = OPEN,
) -> FloatArray:
    """What kernels read: three numbers of the (first) law, the fields', the further terms', the boundary's.

    A single law in open space without fields packs to its three numbers; see :mod:`physics.kernels.pairs` for the
    rest. "gauss" becomes p = n_dims - 1.
    """
    terms = [(FORCES[name].code, _packed(name, own, n_dims)) for name, own in term_values(law, parameters).items()]
    around = boundary.packed(n_dims)
    first, more = terms[0][1], terms[1:]
    if not more and not around.size:
        return np.concatenate([first, fields.packed(n_dims)])
    further = [np.concatenate([[float(code)], numbers]) for code, numbers in more]
    return np.concatenate([first, fields.packed(n_dims, filled=True), [float(len(more))], *further, around])


def _packed(name: str, parameters: Mapping[str, Any], n_dims: int) -> FloatArray:
    """The three numbers of one law."""
    if name == "coulomb":
        p = float(n_dims - 1) if parameters["p"] == "gauss" else float(parameters["p"])
        return np.array([parameters["eps"], p, parameters["kappa"]])
    return np.array([float(parameters.get(key, fallback)) for key, fallback in _PACKED[name]])
