"""What acts on a system, as the one array that kernels read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from physics.boundaries import OPEN, Boundary
from physics.fields import NO_FIELDS, Fields
from physics.kernels.parameters import FloatArray
from physics.laws import FORMS, LAWS
from physics.laws.names import term_values


def packed_parameters(
    law: str, parameters: Mapping[str, Any], n_dims: int, fields: Fields = NO_FIELDS, boundary: Boundary = OPEN
) -> FloatArray:
    """What kernels read, in the layout of :mod:`physics.kernels.parameters`.

    A single law in open space without fields packs to its LAW_PARAMETERS numbers. "gauss" becomes p = n_dims - 1.
    """
    first, *further = (_packed(name, own, n_dims) for name, own in term_values(law, parameters).items())
    around = boundary.packed(n_dims)
    if not further and not around.size:
        return np.concatenate([first, fields.packed(n_dims)])
    return np.concatenate([first, fields.packed(n_dims, filled=True), [float(len(further))], *further, around])


def _packed(law: str, values: Mapping[str, Any], n_dims: int) -> FloatArray:
    """The numbers of one law."""
    row = LAWS[law]
    by_mass = row.couplings == ("masses",)
    return np.array([FORMS.index(row.pair), by_mass, *row.constants(values, n_dims)], dtype=np.float64)
