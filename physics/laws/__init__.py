"""The laws: what each particle pair does to each other, with what each law claims of itself.

One file a law. To add one, write its file (:class:`physics.laws.base.Law`: pair force and energy, parameters,
claims) and give it a row in LAWS; the tests are parametrised over LAWS and ask for what the row claims.

- `names`: a law by its name, or a sum of laws such as "gravity+coulomb"; `packing`: its parameters for kernels.
- `inverse_power`: the pair force that several laws share.
"""

from physics.kernels.dispatch import choice
from physics.laws.base import Law
from physics.laws.coulomb import COULOMB
from physics.laws.gravity import GRAVITY
from physics.laws.reference import REFERENCE
from physics.laws.softcore import SOFTCORE
from physics.laws.spring import SPRING
from physics.laws.yukawa import YUKAWA

LAWS: dict[str, Law] = {
    "coulomb": COULOMB,
    "reference": REFERENCE,
    "gravity": GRAVITY,
    "spring": SPRING,
    "yukawa": YUKAWA,
    "softcore": SOFTCORE,
}

FORMS = tuple(dict.fromkeys(law.pair for law in LAWS.values()))
"""The different pair forces; kernels know each by its place."""

pair_coefficients = choice(tuple(form.coefficients for form in FORMS))
"""(form, constants, s2, count): :attr:`PairForce.coefficients` of a form, in kernels."""
pair_coefficient = choice(tuple(form.coefficient for form in FORMS))
"""(form, strength, s2, constants): :attr:`PairForce.coefficient`."""
pair_energy = choice(tuple(form.energy for form in FORMS))
"""(form, strength, s2, constants): :attr:`PairForce.energy`."""
