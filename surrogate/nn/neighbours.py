"""Neighbour lists by cells: within a cut-off radius or the nearest, in open and periodic boxes."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.kernels.jit import inlined_kernel, kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
GRIDDED = 3
"""Axes that are cut into cells; along others, all is one cell."""
PER_CELL = 2.0
"""Particles a cell is to hold on average where no cut-off says how large it is."""


class NeighbourList(NamedTuple):
    """Directed edges, sorted by receivers.

    Attributes
    ----------
    receivers, senders : (E,) int64 array
        Numbers of particles, counted through all systems.
    shifts : (E, n) int64 array or None
        The sender's image: it stands at x_j + shift * box. None in open boxes.
    """

    receivers: IntArray
    senders: IntArray
    shifts: IntArray | None


class _Cells(NamedTuple):
    """One system's particles sorted into cells."""

    counts: IntArray  # cells along each axis
    widths: FloatArray  # inf where all is one cell without an edge
    box: FloatArray  # 0 where open
    inside: FloatArray  # (N, n) positions, wrapped where periodic
    wraps: IntArray  # (N, n) boxes taken off by that
    place: IntArray  # (N, n) the cell of each
    starts: IntArray
    order: IntArray
    packed: FloatArray  # (N, n) positions, wrapped, in that order


def neighbour_list(
    x: FloatArray,
    starts: IntArray,
    *,
    cutoff: float = math.inf,
    nearest: int = 0,
    box: FloatArray | None = None,
) -> NeighbourList:
    """Neighbours of every particle among those of its own system.

    Parameters
    ----------
    x : (M, n) float64 array [length]
        All systems' particles, one system after the other.
    starts : (S + 1,) int64 array
        Where each system begins, and M.
    cutoff : float [length]
        At most so far; inf is everybody, in open boxes.
    nearest : int
        So many at most, the nearest ones; 0 is all. Of several equally far, the first in the list.
    box : (S, n) array, optional [length]
        Periods along the axes, 0 for an open one. A particle then meets images, those of itself included.

    Raises
    ------
    InputError
        For a cut-off or a number that asks for nothing, or for infinitely many images.
    """
    if not cutoff > 0:
        raise InputError(f"cutoff must be positive; got {cutoff}")
    if nearest < 0:
        raise InputError(f"neighbours must be >= 0; got {nearest}")
    sides = np.zeros((len(starts) - 1, x.shape[1])) if box is None else np.asarray(box, dtype=np.float64)
    if not np.isfinite(cutoff) and not nearest and sides.any():
        raise InputError("a periodic box needs a cut-off radius or a number of neighbours")
    receivers, senders, shifts = _neighbours(
        np.ascontiguousarray(x), np.asarray(starts, dtype=np.int64), cutoff, nearest, sides
    )
    return NeighbourList(receivers, senders, shifts if sides.any() else None)


@kernel
def _neighbours(
    x: FloatArray, starts: IntArray, cutoff: float, nearest: int, box: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    n_dims, used, periodic = x.shape[1], 0, _any(box)
    room = (nearest if nearest else 16) * len(x) + 1
    receivers, senders = np.empty(room, np.int64), np.empty(room, np.int64)
    shifts = np.empty((room if periodic else 0, n_dims), np.int64)
    # of one receiver: senders, squared distances, images
    near, far = np.empty(nearest or 64, np.int64), np.empty(nearest or 64)
    images = np.empty((nearest or 64, n_dims), np.int64)
    offset, image = np.empty(n_dims, np.int64), np.empty(n_dims, np.int64)
    reach, at = np.empty(n_dims, np.int64), np.empty(n_dims)
    for system in range(len(starts) - 1):
        first, last = starts[system], starts[system + 1]
        cells = _sorted_into_cells(x[first:last], cutoff, box[system])
        for i in range(last - first):
            ring = 1
            while True:
                radius = _reached(cells, cutoff, ring if nearest else 0, reach)
                found, near, images = _found(
                    cells, i, radius, nearest, reach, near, far, images, offset, image, at
                )
                if found == nearest or radius == cutoff:  # all there are
                    break
                ring *= 2
            while used + found > len(senders):
                receivers, senders = _longer(receivers), _longer(senders)
                shifts = _longer_rows(shifts)
            for slot in range(found):
                receivers[used], senders[used] = first + i, first + near[slot]
                if periodic:
                    for k in range(n_dims):
                        shifts[used, k] = images[slot, k] + cells.wraps[i, k] - cells.wraps[near[slot], k]
                used += 1
    return receivers[:used], senders[:used], shifts[:used]


@inlined_kernel
def _found(
    cells: _Cells,
    i: int,
    radius: float,
    nearest: int,
    reach: IntArray,
    near: IntArray,
    far: FloatArray,
    images: IntArray,
    offset: IntArray,
    image: IntArray,
    at: FloatArray,
) -> tuple[int, IntArray, IntArray]:
    """How many are within the radius of particle i, or the nearest of them; who; and which of their images."""
    inside, packed, order, begins, n_dims = cells.inside, cells.packed, cells.order, cells.starts, len(reach)
    found, more, limit = 0, True, radius * radius
    for k in range(n_dims):
        offset[k] = -reach[k]
    while more:
        cell, itself = _cell_behind(cells, i, offset, image), True
        for k in range(n_dims):
            at[k] = inside[i, k] - image[k] * cells.box[k]
            itself = itself and image[k] == 0
        for slot in range(begins[cell], begins[cell + 1]) if cell >= 0 else range(0):
            d2 = 0.0
            for k in range(n_dims):
                gap = at[k] - packed[slot, k]
                d2 += gap * gap
            if not d2 <= limit:
                continue
            j = order[slot]
            if itself and j == i:
                continue
            if nearest:
                found = _inserted(near, far, images, found, j, d2, image)
                if found == nearest:
                    limit = min(limit, far[found - 1])
                continue
            if found == len(near):
                near, images = _longer(near), _longer_rows(images)
            near[found] = j
            for k in range(n_dims):
                images[found, k] = image[k]
            found += 1
        more = _next(offset, reach)
    return found, near, images


@kernel
def _sorted_into_cells(x: FloatArray, cutoff: float, box: FloatArray) -> _Cells:
    """Cells at least as wide as the cut-off, no more of them than particles."""
    n, n_dims = x.shape
    counts, widths = np.ones(n_dims, np.int64), np.full(n_dims, np.inf)
    inside, wraps, low = x.copy(), np.zeros((n, n_dims), np.int64), np.zeros(n_dims)
    gridded = min(n_dims, GRIDDED)
    along = max((n / PER_CELL) ** (1.0 / gridded), 1.0)  # cells along an axis, if all were alike
    for k in range(n_dims):
        side = box[k]
        if side > 0.0:
            for i in range(n):
                wraps[i, k] = int(np.floor(x[i, k] / side))
                inside[i, k] = x[i, k] - wraps[i, k] * side
        elif k < gridded and n > 0:
            low[k], side = _span(x, k)
        if k < gridded and side > 0.0:
            fitting = min(side / cutoff, along) if np.isfinite(cutoff) else along
            counts[k] = max(int(fitting), 1)
        if box[k] > 0.0 or counts[k] > 1:
            widths[k] = side / counts[k]
    place = np.zeros((n, n_dims), np.int64)
    cell_of, total = np.zeros(n, np.int64), 1
    for k in range(n_dims):
        total *= counts[k]
    starts, order = np.zeros(total + 1, np.int64), np.empty(n, np.int64)
    for i in range(n):
        for k in range(n_dims):
            if counts[k] > 1:
                place[i, k] = min(max(int((inside[i, k] - low[k]) / widths[k]), 0), counts[k] - 1)
            cell_of[i] = cell_of[i] * counts[k] + place[i, k]
        starts[cell_of[i] + 1] += 1
    for cell in range(total):
        starts[cell + 1] += starts[cell]
    filled = starts.copy()
    for i in range(n):
        order[filled[cell_of[i]]] = i
        filled[cell_of[i]] += 1
    return _Cells(counts, widths, box, inside, wraps, place, starts, order, inside[order])


@inlined_kernel
def _reached(cells: _Cells, cutoff: float, rings: int, reach: IntArray) -> float:
    """The radius within which so many rings of cells hold everybody (0: the cut-off); sets each axis' rings."""
    radius = cutoff
    for k in range(len(reach)):
        radius = min(radius, rings * cells.widths[k]) if rings else cutoff
    everything = True
    for k in range(len(reach)):
        reach[k] = 0
        if np.isfinite(cells.widths[k]):
            reach[k] = int(np.ceil(min(radius / cells.widths[k], 1e9)))
            if cells.box[k] == 0.0:
                reach[k] = min(reach[k], cells.counts[k] - 1)
            everything = everything and cells.box[k] == 0.0 and reach[k] == cells.counts[k] - 1
    return cutoff if everything else radius


@inlined_kernel
def _cell_behind(cells: _Cells, i: int, offset: IntArray, image: IntArray) -> int:
    """The cell so many cells away from particle i's, -1 outside; sets which image of it."""
    cell = 0
    for k in range(len(offset)):
        at = cells.place[i, k] + offset[k]
        image[k] = 0
        if cells.box[k] > 0.0:
            image[k] = at // cells.counts[k]
            at -= image[k] * cells.counts[k]
        elif at < 0 or at >= cells.counts[k]:
            return -1
        cell = cell * cells.counts[k] + at
    return cell


@inlined_kernel
def _next(offset: IntArray, reach: IntArray) -> bool:
    """The next offset within -reach to reach, the last axis first; False after the last."""
    for k in range(len(offset) - 1, -1, -1):
        offset[k] += 1
        if offset[k] <= reach[k]:
            return True
        offset[k] = -reach[k]
    return False


@inlined_kernel
def _inserted(
    near: IntArray, far: FloatArray, images: IntArray, found: int, j: int, d2: float, image: IntArray
) -> int:
    """Insert a candidate into the nearest so far, which are sorted; how many there are."""
    slot = found
    while slot > 0 and (d2 < far[slot - 1] or (d2 == far[slot - 1] and j < near[slot - 1])):
        slot -= 1
    if slot == len(near):
        return found
    last = min(found, len(near) - 1)
    for k in range(last, slot, -1):
        near[k], far[k] = near[k - 1], far[k - 1]
        for axis in range(len(image)):
            images[k, axis] = images[k - 1, axis]
    near[slot], far[slot] = j, d2
    for axis in range(len(image)):
        images[slot, axis] = image[axis]
    return min(found + 1, len(near))


@inlined_kernel
def _any(box: FloatArray) -> bool:
    """Whether any axis of any system is periodic."""
    for system in range(box.shape[0]):
        for k in range(box.shape[1]):
            if box[system, k] > 0.0:
                return True
    return False


@inlined_kernel
def _span(x: FloatArray, k: int) -> tuple[float, float]:
    """The least coordinate along an axis, and how far the largest is from it."""
    low, high = x[0, k], x[0, k]
    for i in range(1, len(x)):
        low, high = min(low, x[i, k]), max(high, x[i, k])
    return low, high - low


@kernel
def _longer(values: IntArray) -> IntArray:
    longer = np.empty(2 * len(values), np.int64)
    for k in range(len(values)):
        longer[k] = values[k]
    return longer


@kernel
def _longer_rows(values: IntArray) -> IntArray:
    longer = np.empty((2 * len(values), values.shape[1]), np.int64)
    for k in range(len(values)):
        for axis in range(values.shape[1]):
            longer[k, axis] = values[k, axis]
    return longer
