"""EGNN and GNN laid out the published way: an edge list, gather, concatenate, index_add.

Nobody forecasts with these: tests hold the package's own layouts against them, `surrogate.bench.layers` their
speed. The weights come from a state dict of the package's model; nothing else is shared with it. Source: Satorras,
Hoogeboom, Welling, "E(n) Equivariant Graph Neural Networks" (2021), eq. 3-7 and its published code.
"""

import torch
from torch import Tensor
from torch.nn.functional import linear, silu

Weights = dict[str, Tensor]
Edges = tuple[Tensor, Tensor]


def edge_list(n_systems: int, n: int) -> Edges:
    """Receivers i and senders j of all ordered pairs inside each system, in flattened node numbers."""
    i, j = torch.nonzero(~torch.eye(n, dtype=torch.bool), as_tuple=True)
    starts = n * torch.arange(n_systems)[:, None]
    return (starts + i).reshape(-1), (starts + j).reshape(-1)


def _one_layer(weights: Weights, name: str, values: Tensor) -> Tensor:
    return linear(values, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def _two_layers(weights: Weights, name: str, values: Tensor) -> Tensor:
    return _one_layer(weights, f"{name}.2", silu(_one_layer(weights, f"{name}.0", values)))


def _summed(values: Tensor, receivers: Tensor, n_nodes: int) -> Tensor:
    return values.new_zeros(n_nodes, values.shape[1]).index_add(0, receivers, values)


def egnn(
    weights: Weights,
    form: str,
    layers: int,
    x: Tensor,
    v: Tensor,
    q: Tensor,
    edges: Edges | None = None,
    shift: float = 0.0,
) -> Tensor:
    """Positions that an EGNN forecasts.

    Parameters
    ----------
    weights : dict of str to Tensor
    form : str
        "init", "recurrent" or "none".
    layers : int
    x, v : (B, N, n) tensor
    q : (B, N) tensor
    edges : pair of tensors, optional
        :func:`edge_list`, where it is known already.
    shift : float
        Added to r_ij, to break it on purpose.

    Returns
    -------
    (B, N, n) tensor
    """
    n_systems, n, d = x.shape
    i, j = edge_list(n_systems, n) if edges is None else edges
    x, v, q = x.reshape(-1, d), v.reshape(-1, d), q.reshape(-1, 1)
    v_start = v
    h = _one_layer(weights, "embedding", v.pow(2).sum(1, keepdim=True).add(1e-16).sqrt())
    r = x.index_select(0, i) - x.index_select(0, j) + shift
    d2_start = r.pow(2).sum(1, keepdim=True)
    attributes = torch.cat([q.index_select(0, i) * q.index_select(0, j), d2_start], dim=1)
    if form == "none":
        u = r / (d2_start + 1e-16).sqrt()
        products = [(a * b).sum(1, keepdim=True) for a, b in ((u, v[i]), (u, v[j]), (v[i], v[j]))]
        attributes = torch.cat([attributes, *products], dim=1)
    for layer in range(layers):
        name = f"layers.{layer}"
        r = x.index_select(0, i) - x.index_select(0, j)
        if shift:
            r = r + shift
        d2 = r.pow(2).sum(1, keepdim=True)
        m = torch.cat([h.index_select(0, i), h.index_select(0, j), d2, attributes], dim=1)
        m = silu(_one_layer(weights, f"{name}.edge_out", silu(_one_layer(weights, f"{name}.edge_in", m))))
        update = _summed(r * _two_layers(weights, f"{name}.phi_x", m), i, len(x)) / (n - 1)
        if form == "none":
            x = x + update
        elif form == "init":
            x = x + update + _two_layers(weights, f"{name}.phi_v", h) * v_start
        else:
            v = _two_layers(weights, f"{name}.phi_v", h) * v + update
            x = x + v
        h = h + _two_layers(weights, f"{name}.phi_h", torch.cat([h, _summed(m, i, len(x))], dim=1))
    return x.reshape(n_systems, n, d)


def gnn(weights: Weights, layers: int, x: Tensor, v: Tensor, q: Tensor) -> Tensor:
    """Positions (B, N, n) that a GNN forecasts; arguments as for :func:`egnn`."""
    n_systems, n, d = x.shape
    i, j = edge_list(n_systems, n)
    x, v, q = x.reshape(-1, d), v.reshape(-1, d), q.reshape(-1, 1)
    h = _one_layer(weights, "embedding", torch.cat([x, v], dim=1))
    for layer in range(layers):
        name = f"layers.{layer}"
        m = silu(_two_layers(weights, f"{name}.phi_e", torch.cat([h[i], h[j], q[i] * q[j]], dim=1)))
        h = h + _two_layers(weights, f"{name}.phi_h", torch.cat([h, _summed(m, i, len(x))], dim=1))
    return _two_layers(weights, "readout", h).reshape(n_systems, n, d)
