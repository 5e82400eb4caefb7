"""What a law is: its pair force, its parameters, and what it claims."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from physics.kernels.parameters import FloatArray, PairConstants


class PairForce(NamedTuple):
    """The pair force and energy as functions of the softened distance s; kernels of :mod:`physics.kernels.jit`.

    `strength` is `PairConstants.scale` times the product of two charges or masses. The confinement, the softening
    and the clamp are no part of it.

    Attributes
    ----------
    coefficients : callable
        (constants, s2, count): for the first `count` squared distances s2, in place, the force over the strength
        and the separation. `s2` holds GROUP numbers more than are asked for, above zero, so that whole vectors can
        be worked on (:mod:`physics.kernels.inverse_cube`).
    coefficient : callable
        (strength, s2, constants) -> C in the force C r_ij of j on i, of one pair.
    energy : callable
        (strength, s2, constants) -> potential energy of one pair, of which C is -dU/ds / s.
    """

    coefficients: Callable[[PairConstants, FloatArray, int], None]
    coefficient: Callable[[float, float, PairConstants], float]
    energy: Callable[[float, float, PairConstants], float]


@dataclass(frozen=True)
class Range:
    """Values that a parameter may have: in words, as a comparison, and the comparison itself."""

    words: str
    comparison: str
    holds: Callable[[float], bool]


FINITE = Range("a finite number", "a finite number", math.isfinite)
NOT_NEGATIVE = Range("0 or more", ">= 0", lambda value: value >= 0)
POSITIVE = Range("above 0", "> 0", lambda value: value > 0)


@dataclass(frozen=True)
class Parameter:
    """A law's parameter; the one called "eps" is a softening: without it coincident particles are refused.

    Attributes
    ----------
    default : float
    allowed : Range
        Of finite numbers.
    or_gauss : bool
        Whether it may also be "gauss", which is n - 1 in n dimensions.
    """

    default: float
    allowed: Range = FINITE
    or_gauss: bool = False

    @property
    def limits(self) -> str:
        """What it may be, in words."""
        return f"{self.allowed.words}, or gauss for n - 1" if self.or_gauss else self.allowed.words


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a law or a sum of laws claims; the tests check every claim and nothing more.

    Attributes
    ----------
    parameters : mapping of str to Parameter
    conservative : bool
        The acceleration is minus the gradient of the energy over the mass, everywhere.
    isotropic : bool
        The law commutes with every element of O(n).
    smooth_at_contact : bool
        Finite for coincident particles.
    formula : str
        For people.
    couplings : tuple of str
        What scales a pair's force, as k_i k_j: "charges", "masses", or nothing; of a sum those of all terms.
    """

    parameters: Mapping[str, Parameter]
    conservative: bool = True
    isotropic: bool = True
    smooth_at_contact: bool = True
    formula: str
    couplings: tuple[str, ...] = ("charges",)

    @property
    def defaults(self) -> dict[str, float]:
        """Parameter names and default values."""
        return {name: parameter.default for name, parameter in self.parameters.items()}


@dataclass(frozen=True, kw_only=True)
class Law(Claims):
    """A law: what it claims, and how it is computed.

    Attributes
    ----------
    pair : PairForce
    constants : callable
        (values, n_dims) -> PairConstants: what kernels need to know of the parameters' values.
    integrator, dt : str, float or None [time]
        Those that the law is defined with, if it is.
    """

    pair: PairForce
    constants: Callable[[Mapping[str, Any], int], PairConstants]
    integrator: str | None = None
    dt: float | None = None
