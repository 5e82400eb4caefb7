"""General graphs: edge lists of many systems of any size in one batch, within a radius or to the nearest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.nn.neighbours import neighbour_list


@dataclass(frozen=True)
class Graph:
    """Directed edges among M particles of S systems, sorted by receivers; an `Edges` whose node arrays are (M, F).

    Nothing is padded: systems stand one after the other. What it holds of positions are shifts alone, so that
    forecasts are differentiable with respect to positions.

    Attributes
    ----------
    receivers, senders : (E,) int64 tensor
    begins : (M + 1,) int64 tensor
        Where each receiver's edges begin, and E.
    sizes : (S,) int64 tensor
        Particles of each system.
    shifts : (E, n) tensor or None
        Of the sender's image: r_ij = x_i - x_j - shift [length].
    first, last : int
        Receivers of this part.
    attributes : (E, numbers) tensor or None
        What is given with each edge.
    """

    receivers: Tensor
    senders: Tensor
    begins: Tensor
    sizes: Tensor
    shifts: Tensor | None
    first: int
    last: int
    attributes: Tensor | None = None

    @classmethod
    def of_edges(
        cls,
        receivers: Tensor,
        senders: Tensor,
        sizes: Sequence[int],
        shifts: Tensor | None = None,
        attributes: Tensor | None = None,
    ) -> "Graph":
        """A graph of given edges, in any order.

        Parameters
        ----------
        receivers, senders : (E,) integer tensor
            Numbers of particles, counted through all systems.
        sizes : sequence of int
            Particles of each system.
        shifts : (E, n) tensor, optional [length]
        attributes : (E, numbers) tensor, optional

        Raises
        ------
        InputError
            For edges of particles that are not there, or between systems.
        """
        particles = torch.as_tensor(sizes, dtype=torch.int64)
        n = int(particles.sum())
        ends = torch.stack([receivers, senders]).long().cpu()
        if ends.numel() and not 0 <= int(ends.min()) <= int(ends.max()) < n:
            raise InputError(
                f"edges must be among particles 0 to {n - 1}; got {int(ends.min())} to {int(ends.max())}"
            )
        system = torch.repeat_interleave(torch.arange(len(particles)), particles)[ends]
        if not torch.equal(*system):
            wrong = int((system[0] != system[1]).nonzero()[0])
            raise InputError(
                f"edge {wrong} is between systems {int(system[0, wrong])} and {int(system[1, wrong])}"
            )
        order = torch.argsort(ends[0], stable=True)
        ends = ends[:, order]
        begins = torch.searchsorted(ends[0].contiguous(), torch.arange(n + 1))
        sorted_shifts, more = (None if t is None else t[order.to(t.device)] for t in (shifts, attributes))
        device = receivers.device
        r, s, starts, counts = (t.to(device) for t in (ends[0], ends[1], begins, particles))
        return cls(r, s, starts, counts, sorted_shifts, 0, n, more)

    @classmethod
    def near(
        cls,
        x: Tensor,
        sizes: Sequence[int],
        *,
        cutoff: float = math.inf,
        nearest: int = 0,
        box: Tensor | None = None,
    ) -> "Graph":
        """Each particle's neighbours at positions x (M, n): see :func:`surrogate.nn.neighbours.neighbour_list`.

        Parameters
        ----------
        x : (M, n) tensor [length]
        sizes : sequence of int
            Particles of each system.
        cutoff : float [length]
        nearest : int
        box : (S, n) tensor, optional [length]
            Periods; 0 for an open axis.
        """
        firsts = np.concatenate([[0], np.cumsum(np.asarray(sizes, dtype=np.int64))])
        sides = None if box is None else box.detach().double().cpu().numpy()
        where = x.detach().double().cpu().numpy()
        found = neighbour_list(where, firsts, cutoff=cutoff, nearest=nearest, box=sides)
        shifts = None
        if found.shifts is not None and sides is not None:
            system = np.repeat(np.arange(len(sizes)), sizes)[found.receivers]
            shifts = torch.as_tensor(found.shifts * sides[system]).to(x)
        starts = np.searchsorted(found.receivers, np.arange(len(where) + 1))
        arrays = (found.receivers, found.senders, starts, np.asarray(sizes, dtype=np.int64))
        r, s, begins, counts = (torch.as_tensor(a, device=x.device) for a in arrays)
        return cls(r, s, begins, counts, shifts, 0, len(where))

    def with_matrices(self, matrices: Sequence[Tensor]) -> "Graph":
        """The graph with one attribute: of each system a matrix (N, N), whose [i, j] is that of j to i."""
        sizes = self.sizes.cpu()
        starts, widths = (torch.repeat_interleave(t, sizes) for t in (sizes.cumsum(0) - sizes, sizes))
        begins = torch.repeat_interleave((sizes**2).cumsum(0) - sizes**2, sizes)
        start, width, begin = (t.to(self.receivers.device)[self.receivers] for t in (starts, widths, begins))
        at = begin + (self.receivers - start) * width + self.senders - start
        return replace(self, attributes=torch.cat([m.flatten() for m in matrices])[at].unsqueeze(-1))

    @property
    def n_edges(self) -> int:
        """See Edges."""
        return len(self.senders)

    def at_receivers(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.index_select(0, self.receivers)

    def at_senders(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.index_select(0, self.senders)

    def displacements(self, x: Tensor) -> Tensor:
        """See Edges."""
        r = self.at_receivers(x) - self.at_senders(x)
        return r if self.shifts is None else r - self.shifts

    def differences(self, values: Tensor) -> Tensor:
        """See Edges."""
        return self.at_receivers(values) - self.at_senders(values)

    def sums(self, values: Tensor) -> Tensor:
        """See Edges."""
        zeros = values.new_zeros(self.last - self.first, values.shape[-1])
        return zeros.index_add(0, self.receivers - self.first, values)

    def means(self, values: Tensor) -> Tensor:
        """See Edges."""
        senders = self.begins.diff()[self.first : self.last].clamp_min(1)
        return self.sums(values) / senders.unsqueeze(-1)

    def part(self, first: int, last: int) -> "Graph":
        """See Edges."""
        offset = self.begins[self.first]
        rows = slice(int(self.begins[first] - offset), int(self.begins[last] - offset))
        shifts, more = (None if t is None else t[rows] for t in (self.shifts, self.attributes))
        return Graph(self.receivers[rows], self.senders[rows], self.begins, self.sizes, shifts, first, last, more)

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """See Edges."""
        begins, pieces, first = self.begins.cpu(), [], self.first
        while first < self.last:
            end = int(torch.searchsorted(begins, begins[first] + most, right=True)) - 1
            last = min(max(end, first + 1), self.last)
            pieces.append((first, last))
            first = last
        return pieces

    def system_means(self, values: Tensor) -> Tensor:
        """See Edges."""
        system = torch.repeat_interleave(self.sizes)
        sums = values.new_zeros(len(self.sizes), values.shape[-1]).index_add(0, system, values)
        return (sums / self.sizes.clamp_min(1).unsqueeze(-1)).index_select(0, system)
