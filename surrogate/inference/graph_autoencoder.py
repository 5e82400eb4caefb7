"""`GraphAutoencoder`: a trained autoencoder of graphs, from users' matrices to places of nodes and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.errors import InputError
from surrogate.tasks.autoencoder.graph_set import GraphSet, checked
from surrogate.tasks.autoencoder.networks import GraphEncoder
from surrogate.tasks.autoencoder.task import drawn_noise

MARGIN = 0.1
"""Of the density of graphs, beyond which they are said to be outside of those trained on."""


class GraphAutoencoder:
    """A trained network that places the nodes of graphs, and finds their edges from the places.

    Attributes
    ----------
    network : GraphEncoder
    name, device, digest : str
    card : mapping
        Data, training and validation error.
    task : str
    """

    task = "autoencoder"

    def __init__(
        self, network: GraphEncoder, *, name: str, info: Mapping[str, Any], digest: str, device: str
    ) -> None:
        if not isinstance(info["card"], dict):
            raise TypeError("card")
        self.network = network.to(device).eval()
        self.name, self.card, self.digest, self.device = name, info["card"], digest, device

    def __repr__(self) -> str:
        return f"GraphAutoencoder({self.name!r}, n = {self.n_dims})"

    @property
    def n_dims(self) -> int:
        """Of the space in which nodes are placed."""
        return self.network.embedding

    @torch.no_grad()
    def encode(
        self, adjacency: NDArray[Any], n_nodes: NDArray[Any] | None = None, seed: int = 0
    ) -> NDArray[np.float32]:
        """Places of nodes.

        Parameters
        ----------
        adjacency : (samples, M, M) array of 0 and 1
        n_nodes : (samples,) array of int, optional
            M each by default.
        seed : int
            Of the noise that nodes begin with: another seed gives other places for the same edges.

        Returns
        -------
        (samples, M, n) float32 array
            0 from `n_nodes` on.

        Raises
        ------
        InputError
            Where a matrix is no undirected graph.
        """
        graphs = self._graphs(adjacency, n_nodes)
        z = np.zeros((len(graphs), graphs.adjacency.shape[1], self.n_dims), dtype=np.float32)
        for n in np.unique(graphs.n_nodes):
            chosen = graphs.n_nodes == n
            a = torch.as_tensor(graphs.adjacency[chosen, :n, :n], dtype=torch.float32, device=self.device)
            shape = (len(a), int(n), self.network.noise)
            noise = drawn_noise([seed, int(n)], shape, torch.float32, self.device)
            z[chosen, :n] = self.network.encode(a, noise).cpu().numpy()
        return z

    @torch.no_grad()
    def decode(self, z: NDArray[Any], n_nodes: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Probabilities of edges (samples, M, M) of places (samples, M, n); 0 on diagonals and from `n_nodes` on.

        Raises
        ------
        InputError
            Where the places are not of this network's n.
        """
        z = np.asarray(z, dtype=np.float32)
        if z.ndim != 3 or z.shape[2] != self.n_dims:
            raise InputError(f"places must be (samples, M, {self.n_dims}); got {z.shape}")
        found = self.network.decode(torch.as_tensor(z, device=self.device)).sigmoid().cpu().numpy()
        sizes = np.full(len(z), z.shape[1]) if n_nodes is None else np.asarray(n_nodes)
        inside = np.arange(z.shape[1]) < sizes[:, None]
        kept = inside[:, :, None] & inside[:, None, :] & ~np.eye(z.shape[1], dtype=bool)
        return np.where(kept, found, np.float32(0.0))

    def outside_training(self, graphs: GraphSet) -> list[str]:
        """In what graphs differ from those that the network was trained on; empty where in nothing."""
        found = []
        sizes, density = set(self.card.get("sizes", ())), self.card.get("density")
        if others := sorted(set(graphs.n_nodes.tolist()) - sizes):
            low, high = min(sizes, default=0), max(sizes, default=0)
            found.append(f"{', '.join(map(str, others))} nodes (trained: {low} to {high})")
        if density:
            low, high = density[0] - MARGIN, density[2] + MARGIN
            if outside := int(((graphs.densities() < low) | (graphs.densities() > high)).sum()):
                trained = f"{density[0]:g} to {density[2]:g}"
                found.append(f"other densities in {outside} of {len(graphs)} graphs (trained: {trained})")
        return found

    @staticmethod
    def _graphs(adjacency: NDArray[Any], n_nodes: NDArray[Any] | None) -> GraphSet:
        a = np.asarray(adjacency)
        sizes = np.full(len(a), a.shape[-1]) if n_nodes is None else np.asarray(n_nodes)
        return checked("graphs", {"adjacency": a, "n_nodes": sizes})
