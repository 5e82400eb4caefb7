"""The candidates for a pair force: the registry FORMS, and laws that are a form, or a sum of forms, of channels.

A form is linear in its strengths. Strengths are positive where they repel, but for stiffnesses, which attract.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from physics.types import FloatArray

COUPLING = {"constant": "", "charges": "q_i q_j ", "masses": "m_i m_j "}
"""What a channel's force is multiplied by, as formulas have it."""
Shape = Callable[..., Sequence[FloatArray]]
"""(r, *shape parameters) -> for each strength the force of strength 1 divided by r, (R,) each."""


@dataclass(frozen=True)
class Form:
    """A radial function.

    Attributes
    ----------
    strengths : tuple of str
        Parameters that the force is proportional to.
    shapes : tuple of str
        The others.
    dimensions : tuple of str
        What a shape parameter is: "length" (positive), "softening" (a length below most distances), "exponent".
    radial : Shape
    text : str
        The force along r_ij, with its parameters in braces.
    """

    strengths: tuple[str, ...]
    shapes: tuple[str, ...]
    dimensions: tuple[str, ...]
    radial: Shape
    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return self.strengths + self.shapes


def _softened(r: FloatArray, p: float, s: float) -> list[FloatArray]:
    return [(r**2 + s**2) ** (-(p + 1) / 2)]


def _yukawa(r: FloatArray, length: float, s: float) -> list[FloatArray]:
    rho = np.sqrt(r**2 + s**2)
    return [(1 + rho / length) * np.exp(-rho / length) / rho**3]


def _truncated(r: FloatArray, p: float, s: float, cutoff: float) -> list[FloatArray]:
    return [np.where(r < cutoff, _softened(r, p, s)[0], 0.0)]


def _shifted(r: FloatArray, p: float, s: float, cutoff: float) -> list[FloatArray]:
    """The force less its value at the cut-off: it ends without a jump."""
    at_cutoff = cutoff * _softened(np.array(cutoff), p, s)[0]
    return [np.where(r < cutoff, _softened(r, p, s)[0] - at_cutoff / r, 0.0)]


FORMS: Mapping[str, Form] = {
    "spring": Form(("k",), (), (), lambda r: [-np.ones_like(r)], "-{k} r"),
    "spring-rest": Form(("k",), ("rest",), ("length",), lambda r, rest: [rest / r - 1], "-{k} (r - {rest})"),
    "polynomial": Form(
        ("k1", "k2", "k3"), (), (), lambda r: [-np.ones_like(r), -r, -(r**2)], "-{k1} r - {k2} r^2 - {k3} r^3"
    ),
    "power": Form(("k",), ("p",), ("exponent",), lambda r, p: _softened(r, p, 0.0), "{k} / r^{p}"),
    "soft-core": Form(("k",), ("s",), ("softening",), lambda r, s: _softened(r, 1.0, s), "{k} r / (r^2 + {s}^2)"),
    "softened-power": Form(
        ("k",), ("p", "s"), ("exponent", "softening"), _softened, "{k} r / (r^2 + {s}^2)^(({p} + 1)/2)"
    ),
    "yukawa": Form(
        ("k",),
        ("length", "s"),
        ("length", "softening"),
        _yukawa,
        "{k} r (1 + d/{length}) exp(-d/{length}) / d^3, d^2 = r^2 + {s}^2",
    ),
    "gaussian": Form(
        ("k",),
        ("width",),
        ("length",),
        lambda r, width: [np.exp(-((r / width) ** 2) / 2)],
        "{k} r exp(-r^2 / (2 {width}^2))",
    ),
    "soft-sphere": Form(
        ("k",),
        ("cutoff",),
        ("length",),
        lambda r, cutoff: [np.maximum(cutoff / r - 1, 0.0)],
        "{k} ({cutoff} - r) for r < {cutoff}, else 0",
    ),
    "truncated-power": Form(
        ("k",),
        ("p", "s", "cutoff"),
        ("exponent", "softening", "length"),
        _truncated,
        "{k} r / (r^2 + {s}^2)^(({p} + 1)/2) for r < {cutoff}, else 0",
    ),
    "shifted-power": Form(
        ("k",),
        ("p", "s", "cutoff"),
        ("exponent", "softening", "length"),
        _shifted,
        "{k} (f(r) - f({cutoff})) for r < {cutoff}, else 0, f(r) = r / (r^2 + {s}^2)^(({p} + 1)/2)",
    ),
}
"""Forms of a single term, from few parameters to many."""
SUMMED = ("spring", "power", "soft-core", "softened-power", "yukawa")
"""Forms that sums of two are made of."""


@dataclass(frozen=True)
class Term:
    """A form of one channel."""

    form: str
    coupling: str


@dataclass(frozen=True)
class Candidate:
    """A law: the sum of its terms.

    Attributes
    ----------
    terms : tuple of Term
    """

    terms: tuple[Term, ...]

    @property
    def name(self) -> str:
        """Names of the forms, "+" between them."""
        return "+".join(term.form for term in self.terms)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Strengths of all terms, then shapes of all; numbered where there are several terms."""
        ends = [str(i + 1) if len(self.terms) > 1 else "" for i in range(len(self.terms))]
        forms = [FORMS[term.form] for term in self.terms]
        strengths = [name + end for form, end in zip(forms, ends, strict=True) for name in form.strengths]
        return (*strengths, *(name + end for form, end in zip(forms, ends, strict=True) for name in form.shapes))

    @property
    def n_strengths(self) -> int:
        """How many parameters the force is linear in."""
        return sum(len(FORMS[term.form].strengths) for term in self.terms)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What each shape parameter is."""
        return tuple(kind for term in self.terms for kind in FORMS[term.form].dimensions)

    def columns(self, r: FloatArray, shapes: Sequence[float] | FloatArray) -> list[tuple[str, FloatArray]]:
        """For each strength its channel and the force of strength 1 divided by r, (R,)."""
        found, at = [], 0
        for term in self.terms:
            form = FORMS[term.form]
            own = shapes[at : at + len(form.shapes)]
            at += len(form.shapes)
            found += [(term.coupling, column) for column in form.radial(r, *own)]
        return found

    def coefficients(
        self, r: FloatArray, values: Sequence[float] | FloatArray, couplings: Sequence[str]
    ) -> FloatArray:
        """Force divided by r in each channel: (C, R), in the units of r and the values."""
        strengths, shapes = values[: self.n_strengths], values[self.n_strengths :]
        found = np.zeros((len(couplings), *r.shape))
        for strength, (coupling, column) in zip(strengths, self.columns(r, shapes), strict=True):
            found[couplings.index(coupling)] += strength * column
        return found

    def formula(self, texts: Sequence[str]) -> str:
        """The force of j on i along r_ij, with texts in place of the parameters."""
        given = dict(zip(self.parameters, texts, strict=True))
        parts = []
        for i, term in enumerate(self.terms):
            form, end = FORMS[term.form], str(i + 1) if len(self.terms) > 1 else ""
            text = form.text.format(**{name: given[name + end] for name in form.parameters})
            coupling = COUPLING[term.coupling]
            parts.append(f"{coupling}[{text}]" if coupling or len(self.terms) > 1 else text)
        return " + ".join(parts)


def candidates(couplings: Sequence[str], n_terms: int) -> list[Candidate]:
    """Laws of so many terms (1 or 2) for a model of these channels; two terms of a channel are of SUMMED forms."""
    if n_terms == 1:
        return [Candidate((Term(form, coupling),)) for coupling in couplings for form in FORMS]
    found = []
    for i, one in enumerate(couplings):
        for a, first in enumerate(SUMMED):
            others = [Term(form, one) for form in SUMMED[a:] if (first, form) != ("spring", "spring")]
            others += [Term(form, other) for other in couplings[i + 1 :] for form in SUMMED]
            found += [Candidate((Term(first, one), other)) for other in others]
    return found
