"""What acts on each particle by itself: a uniform electric and magnetic field, linear drag, a harmonic trap.

    m dv/dt = (pair forces) + q E + q B v - gamma v - k x

B is an antisymmetric matrix, so that it exists in every dimension; in three, B_ij = sum_k epsilon_ijk b_k gives
the usual q v x b.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from physics.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fields:
    """Uniform fields, drag and trap.

    Attributes
    ----------
    electric : (n_dims,) float64, or empty for none [force/charge]
    magnetic : (n_dims, n_dims) float64 antisymmetric, or empty for none [force time/(charge length)]
    drag : float
        gamma >= 0 [mass/time].
    trap : float
        k [force/length], about the origin; negative pushes outward.

    Raises
    ------
    InputError
        For shapes that do not fit each other, a matrix that is not antisymmetric, or values that are not finite.
    """

    electric: FloatArray = ()  # type: ignore[assignment]  # read by __post_init__
    magnetic: FloatArray = ()  # type: ignore[assignment]
    drag: float = 0.0
    trap: float = 0.0

    def __post_init__(self) -> None:
        electric, magnetic = finite_numbers("electric", self.electric), finite_numbers("magnetic", self.magnetic)
        if electric.ndim != 1:
            raise InputError(f"electric must be (n_dims,); got shape {electric.shape}")
        if magnetic.size and (magnetic.ndim != 2 or magnetic.shape[0] != magnetic.shape[1]):
            raise InputError(f"magnetic must be (n_dims, n_dims); got shape {magnetic.shape}")
        if magnetic.size and not np.array_equal(magnetic, -magnetic.T):
            i, j = map(int, np.argwhere(magnetic != -magnetic.T)[0])
            raise InputError(
                f"magnetic must be antisymmetric; got {magnetic[i, j]:g} at ({i}, {j}) and {magnetic[j, i]:g} at "
                f"({j}, {i})"
            )
        if electric.size and magnetic.size and len(electric) != len(magnetic):
            raise InputError(f"electric has {len(electric)} dimensions but magnetic has {len(magnetic)}")
        drag, trap = (float(finite_numbers(name, getattr(self, name))) for name in ("drag", "trap"))
        if drag < 0:
            raise InputError(f"drag must be >= 0; got {drag:g}")
        for name, value in (("electric", electric), ("magnetic", magnetic), ("drag", drag), ("trap", trap)):
            object.__setattr__(self, name, value)

    @property
    def n_dims(self) -> int | None:
        """The one dimension they are for; None for any."""
        return len(self.electric) or len(self.magnetic) or None

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return bool(np.any(self.electric) or np.any(self.magnetic) or self.drag or self.trap)

    @property
    def on_velocity(self) -> bool:
        """Whether a force depends on the velocity: not every integrator takes these."""
        return bool(np.any(self.magnetic) or self.drag)

    def packed(self, n_dims: int, *, filled: bool = False) -> FloatArray:
        """What kernels read behind the law's parameters: gamma, k, E, then B row by row.

        Empty for no fields, unless `filled`: then zeros keep the place.

        Raises
        ------
        InputError
            Where the fields are for another dimension.
        """
        if self.n_dims not in (None, n_dims):
            raise InputError(f"fields are for n = {self.n_dims}; the state has n = {n_dims}")
        if not self.any and not filled:
            return np.empty(0)
        electric = self.electric if self.electric.size else np.zeros(n_dims)
        magnetic = self.magnetic if self.magnetic.size else np.zeros((n_dims, n_dims))
        return np.concatenate([[self.drag, self.trap], electric, magnetic.ravel()])

    @property
    def names(self) -> tuple[str, ...]:
        """What there is, in words."""
        there = {
            "electric field": np.any(self.electric),
            "magnetic field": np.any(self.magnetic),
            "drag": self.drag,
            "trap": self.trap,
        }
        return tuple(name for name, value in there.items() if value)

    def padded(self, n_dims: int) -> "Fields":
        """The same in more dimensions, where nothing acts along the new axes.

        Raises
        ------
        InputError
            Where there would be fewer.
        """
        if self.n_dims in (None, n_dims):
            return self
        assert self.n_dims is not None
        if n_dims < self.n_dims:
            raise InputError(f"fields are for n = {self.n_dims} and cannot be cut to n = {n_dims}")
        more = (0, n_dims - self.n_dims)
        electric = np.pad(self.electric, more) if self.electric.size else self.electric
        magnetic = np.pad(self.magnetic, (more, more)) if self.magnetic.size else self.magnetic
        return Fields(electric, magnetic, self.drag, self.trap)

    def transformed(self, matrix: FloatArray) -> "Fields":
        """As seen after every position and velocity x became matrix @ x: R E, R B R^T."""
        turned = matrix @ self.magnetic @ matrix.T if self.magnetic.size else self.magnetic
        turned = 0.5 * (turned - turned.T) if turned.size else turned  # antisymmetric to the last digit
        electric = matrix @ self.electric if self.electric.size else self.electric
        return Fields(electric, turned, self.drag, self.trap)


def finite_numbers(name: str, values: ArrayLike) -> FloatArray:
    """A read-only float64 copy of `values`; refused under their `name` unless all are finite numbers."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers; got {values!r:.60}") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite; got {array[~np.isfinite(array)][0]}")
    array.setflags(write=False)
    return array


NO_FIELDS = Fields()


def field_energies(fields: Fields, charges: FloatArray, positions: FloatArray) -> dict[str, FloatArray]:
    """Each particle's energy in the electric field, -q E.x, and in the trap, k x^2 / 2, (..., N) each [energy].

    Parameters
    ----------
    charges : (N,) float64
    positions : (..., N, n) float64
    """
    electric = fields.electric if fields.electric.size else np.zeros(positions.shape[-1])
    return {
        "electric": np.asarray(-charges * (positions @ electric)),
        "trap": np.asarray(0.5 * fields.trap * (positions**2).sum(axis=-1)),
    }
