"""General graphs: edge lists of many systems of any size in one batch, within a radius or to the nearest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.nn.neighbours import neighbour_list

BLOCK_EDGES = 32
"""At most so many edges of a receiver are one block: what is padded stays below that for each receiver."""


@dataclass(frozen=True)
class Blocks:
    """Where edges are when each receiver's are one block, or several where they are many; padded by zeros.

    Attributes
    ----------
    n_blocks, width : int
    places : (E,) int64 tensor
    receivers : (n_blocks,) int64 tensor or None
        None where each receiver has one block.
    """

    n_blocks: int
    width: int
    places: Tensor
    receivers: Tensor | None

    def of(self, values: Tensor) -> Tensor:
        """Edge values as (n_blocks, width, F)."""
        if len(values) == self.n_blocks * self.width:
            return values.view(self.n_blocks, self.width, -1)
        padded = values.new_zeros(self.n_blocks * self.width, values.shape[-1])
        return padded.index_copy(0, self.places, values).view(self.n_blocks, self.width, -1)


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

    def softmax(self, values: Tensor) -> Tensor:
        """See Edges."""
        receivers = self.receivers - self.first
        at = receivers.unsqueeze(-1).expand_as(values)
        nothing = values.new_full((self.last - self.first, values.shape[-1]), -math.inf)
        largest = nothing.scatter_reduce(0, at, values.detach(), "amax")
        e = (values - largest.index_select(0, receivers)).exp()
        return e / self.sums(e).index_select(0, receivers)

    def outer_sums(self, a: Tensor, b: Tensor) -> Tensor:
        """See Edges."""
        blocks = self._blocks
        made = torch.bmm(blocks.of(a).transpose(1, 2), blocks.of(b))
        if blocks.receivers is None:
            return made
        zeros = made.new_zeros(self.last - self.first, *made.shape[1:])
        return zeros.index_add(0, blocks.receivers, made)

    def forms(self, a: Tensor, matrices: Tensor, b: Tensor) -> Tensor:
        """See Edges."""
        blocks = self._blocks
        of_blocks = matrices if blocks.receivers is None else matrices.index_select(0, blocks.receivers)
        made = torch.bmm(blocks.of(a), of_blocks).flatten(0, 1).index_select(0, blocks.places)
        return (made * b).sum(-1, keepdim=True)

    def rows(self, values: Tensor) -> Tensor:
        """See Edges; a view."""
        return values[self.first : self.last]

    @cached_property
    def _blocks(self) -> "Blocks":
        degrees = self.begins.diff()[self.first : self.last]
        width = min(max(int(degrees.max()), 1), BLOCK_EDGES) if len(degrees) else 1
        counts = (degrees + width - 1).div(width, rounding_mode="floor").clamp_min(1)
        starts = counts.cumsum(0) - counts
        receivers = self.receivers - self.first
        number = torch.arange(self.n_edges, device=receivers.device) + self.begins[self.first]
        places = starts[receivers] * width + number - self.begins[self.receivers]
        n_blocks = int(counts.sum())
        several = torch.repeat_interleave(counts) if n_blocks > len(degrees) else None
        return Blocks(n_blocks, width, places, several)

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

    def repeated(self, count: int) -> "Graph":
        """See Edges."""
        n, n_edges = len(self.begins) - 1, self.n_edges
        copies = torch.arange(count, device=self.begins.device).unsqueeze(-1)
        receivers, senders = ((ends + n * copies).flatten() for ends in (self.receivers, self.senders))
        begins = torch.cat([(self.begins[:-1] + n_edges * copies).flatten(), self.begins[-1:] * count])
        shifts, more = (None if t is None else t.repeat(count, 1) for t in (self.shifts, self.attributes))
        return Graph(receivers, senders, begins, self.sizes.repeat(count), shifts, 0, count * n, more)

    def system_means(self, values: Tensor) -> Tensor:
        """See Edges."""
        system = torch.repeat_interleave(self.sizes)
        sums = values.new_zeros(len(self.sizes), values.shape[-1]).index_add(0, system, values)
        return (sums / self.sizes.clamp_min(1).unsqueeze(-1)).index_select(0, system)
