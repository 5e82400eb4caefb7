"""What are models made of? `edges`, `graph`, `mlp`, `row_tiles`, `steerable` features of n = 3, `cpu` kernels."""
