"""How does a learned pair law move particles? By rounds of two-body steps.

`model` is the whole, `pair_law` what is learned, `rounds` the steps in PyTorch and `cpu` in Numba; `conserved`
restores angular momentum and energy, `node_features` adds an EGNN's stream.
"""
