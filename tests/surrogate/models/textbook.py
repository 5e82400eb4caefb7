"""EGNN and GNN written the textbook way: an edge list, gather, concatenate, index_add. Slow and plain on purpose.

The weights come from a state dict of the package's model; nothing else is shared with it.
"""

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def edge_list(n_systems: int, n: int) -> tuple[Tensor, Tensor]:
    """Receivers i and senders j of all ordered pairs inside each system, in flattened node numbers."""
    pairs = [(b * n + i, b * n + j) for b in range(n_systems) for i in range(n) for j in range(n) if i != j]
    receivers, senders = zip(*pairs, strict=True)
    return torch.tensor(receivers), torch.tensor(senders)


def linear(weights: Weights, name: str, values: Tensor) -> Tensor:
    result = values @ weights[f"{name}.weight"].T
    bias = weights.get(f"{name}.bias")
    return result if bias is None else result + bias


def silu(values: Tensor) -> Tensor:
    return values / (1 + torch.exp(-values))


def two_layers(weights: Weights, name: str, values: Tensor) -> Tensor:
    return linear(weights, f"{name}.2", silu(linear(weights, f"{name}.0", values)))


def summed(messages: Tensor, receivers: Tensor, n_nodes: int) -> Tensor:
    return torch.zeros(n_nodes, messages.shape[1], dtype=messages.dtype).index_add(0, receivers, messages)


def egnn(weights: Weights, form: str, layers: int, x: Tensor, v: Tensor, q: Tensor, shift: float = 0.0) -> Tensor:
    """Forecast positions of models.md section 5; `shift` is added to r_ij to break it on purpose."""
    n_systems, n, d = x.shape
    i, j = edge_list(n_systems, n)
    x, v, q = x.reshape(-1, d), v.reshape(-1, d), q.reshape(-1, 1)
    v_start = v
    h = linear(weights, "embedding", v.pow(2).sum(1, keepdim=True).add(1e-16).sqrt())
    r = x[i] - x[j] + shift
    d2_start = r.pow(2).sum(1, keepdim=True)
    attributes = torch.cat([q[i] * q[j], d2_start], dim=1)
    if form == "none":
        u = r / (d2_start + 1e-16).sqrt()
        products = [(a * b).sum(1, keepdim=True) for a, b in ((u, v[i]), (u, v[j]), (v[i], v[j]))]
        attributes = torch.cat([attributes, *products], dim=1)
    for layer in range(layers):
        name = f"layers.{layer}"
        r = x[i] - x[j] + shift
        d2 = r.pow(2).sum(1, keepdim=True)
        m = torch.cat([h[i], h[j], d2, attributes], dim=1)
        m = silu(linear(weights, f"{name}.edge_out", silu(linear(weights, f"{name}.edge_in", m))))
        pull = summed(r * two_layers(weights, f"{name}.phi_x", m), i, len(x)) / (n - 1)
        if form == "none":
            x = x + pull
        elif form == "init":
            x = x + pull + two_layers(weights, f"{name}.phi_v", h) * v_start
        else:
            v = two_layers(weights, f"{name}.phi_v", h) * v + pull
            x = x + v
        h = h + two_layers(weights, f"{name}.phi_h", torch.cat([h, summed(m, i, len(x))], dim=1))
    return x.reshape(n_systems, n, d)


def gnn(weights: Weights, layers: int, x: Tensor, v: Tensor, q: Tensor) -> Tensor:
    """Forecast positions of models.md section 2."""
    n_systems, n, d = x.shape
    i, j = edge_list(n_systems, n)
    x, v, q = x.reshape(-1, d), v.reshape(-1, d), q.reshape(-1, 1)
    h = linear(weights, "embedding", torch.cat([x, v], dim=1))
    for layer in range(layers):
        name = f"layers.{layer}"
        m = silu(two_layers(weights, f"{name}.phi_e", torch.cat([h[i], h[j], q[i] * q[j]], dim=1)))
        h = h + two_layers(weights, f"{name}.phi_h", torch.cat([h, summed(m, i, len(x))], dim=1))
    return two_layers(weights, "readout", h).reshape(n_systems, n, d)
