"""The view basis V: which three directions of n dimensions are drawn. Changes no number."""

from dataclasses import replace

import numpy as np

from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.state.matrices import trackball
from app.viewmodel.state.tours import orthonormal
from app.viewmodel.state.view import Rows
from app.viewmodel.store import Store
from physics.types import FloatArray


class BasisIntents:
    """Three axes, the hidden axis, dragging, reset."""

    def __init__(self, store: Store, view: ViewIntents, tours: TourIntents) -> None:
        self._store, self._view, self._tours = store, view, tours
        self._dragged: Rows | None = None

    def choose_axis(self, place: int, axis: int) -> None:
        """Draw an axis in the first, second or third place; the axis that was there takes the other's place."""
        state = self._store.state
        if state.n_dims <= 3 or not 0 <= axis < state.n_dims:
            return
        axes = list(state.view.axes or (0, 1, 2))
        if axis in axes:
            axes[axes.index(axis)] = axes[place]
        axes[place] = axis
        self._tours.pause()
        self._view.set(axes=tuple(axes), basis=None)

    def reset(self) -> None:
        """The default view basis: up to three dimensions the axes, above all of them aslant."""
        self._tours.pause()
        self._view.set(axes=None, basis=None)

    def choose_hidden(self, axis: int | None) -> None:
        """The axis that colours, depth, the radial tour and Alt+drag call hidden; None for the most hidden one."""
        if axis is None or 0 <= axis < self._store.state.n_dims:
            self._view.set(hidden_axis=axis, colour_range=None)

    def drag(self, drag: tuple[float, float], right: FloatArray, up: FloatArray, *, begins: bool = False) -> None:
        """Turn the view basis so that the direction dragged goes into the hidden axis; one undo step a drag."""
        state = self._store.state
        if state.result is None or state.n_dims < 2:
            return
        if begins:
            self._tours.pause()
            self._store.remember()
        # to turn the world by R shows what turning V by R^T shows
        turned = orthonormal_view(trackball(drag, right, up, state.basis, state.hidden_axis).T @ state.basis)
        self._store.publish(view=replace(self._store.state.view, basis=rows_of(turned), axes=None))


def orthonormal_view(basis: FloatArray) -> FloatArray:
    """A view basis mended: its columns orthonormal again, those without an axis still zero."""
    drawn = np.linalg.norm(basis, axis=0) > 0.5
    mended = np.zeros_like(basis)
    mended[:, drawn] = orthonormal(basis[:, drawn])
    return mended


def rows_of(matrix: FloatArray) -> Rows:
    """A matrix as nested tuples."""
    return tuple(map(tuple, matrix.tolist()))
