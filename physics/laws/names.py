"""A system's law by name: one row of LAWS, or a sum of them such as "gravity+coulomb".

Of a single law the parameters have their plain names ("eps"); of a sum each has its law's in front
("gravity.eps"). What a sum claims follows from its terms.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from physics.errors import InputError, unknown_name
from physics.laws import LAWS
from physics.laws.base import Claims, Parameter


def law_terms(law: str) -> tuple[str, ...]:
    """The rows of LAWS that a law adds up, each at most once.

    Raises
    ------
    InputError
        For an unknown name, or one that comes twice.
    """
    names = [name.strip() for name in law.split("+")] if isinstance(law, str) else [law]
    for name in names:
        if name not in LAWS:
            raise unknown_name("law", name, LAWS)
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


def law_claims(law: str) -> Claims:
    """What a law claims; a sum is conservative, isotropic or smooth at contact where every term is."""
    rows = {name: LAWS[name] for name in law_terms(law)}
    if len(rows) == 1:
        return next(iter(rows.values()))
    return Claims(
        parameters={
            f"{term}.{name}": parameter for term, row in rows.items() for name, parameter in row.parameters.items()
        },
        conservative=all(row.conservative for row in rows.values()),
        isotropic=all(row.isotropic for row in rows.values()),
        smooth_at_contact=all(row.smooth_at_contact for row in rows.values()),
        formula="; plus ".join(row.formula for row in rows.values()),
        couplings=tuple(sorted({name for row in rows.values() for name in row.couplings})),
    )


def term_values(law: str, parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each term's own parameters under their plain names."""
    terms = law_terms(law)
    if len(terms) == 1:
        return {terms[0]: dict(parameters)}
    return {name: {key: parameters[f"{name}.{key}"] for key in LAWS[name].parameters} for name in terms}


def singular_at_contact(law: str, parameters: Mapping[str, Any]) -> bool:
    """Whether coincident particles have no acceleration: an unsoftened term."""
    return any(
        not LAWS[name].smooth_at_contact or values.get("eps") == 0.0
        for name, values in term_values(law, parameters).items()
    )


def resolve_parameters(law: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a law: its defaults, overridden by `given`, checked.

    Raises
    ------
    InputError
        For an unknown law or parameter, or a value outside its range.
    """
    claims = law_claims(law)
    resolved: dict[str, Any] = dict(claims.defaults)
    for name, value in given.items():
        if name not in claims.parameters:
            raise _unknown_parameter(law, name, claims.parameters)
        parameter = claims.parameters[name]
        if parameter.or_gauss and value == "gauss":
            resolved[name] = "gauss"
            continue
        resolved[name] = _number(value)
        if not math.isfinite(resolved[name]):
            expected = "a finite number or 'gauss'" if parameter.or_gauss else "a finite number"
            raise InputError(f"parameter {name} of law {law!r} must be {expected}; got {value!r:.60}")
        if not parameter.allowed.holds(resolved[name]):
            raise InputError(
                f"parameter {name} of law {law!r} must be {parameter.allowed.comparison}; got {value}"
            )
    return resolved


def _unknown_parameter(law: str, name: str, known: Mapping[str, Parameter]) -> InputError:
    """A name that only lacks its law in front is met with the full one."""
    full = [key for key in known if key.endswith(f".{name}")]
    if full:
        return InputError(
            f"unknown parameter of law {law!r} {name!r}; did you mean {' or '.join(map(repr, full))}? "
            "(a sum's parameters are named with their law)"
        )
    return unknown_name(f"parameter of law {law!r}", name, known)


def _number(value: object) -> float:
    """The float of a real number; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
