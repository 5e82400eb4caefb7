"""E(n)-equivariant graph networks (EGNN): the model, its recurrent form, and CPU kernels."""
