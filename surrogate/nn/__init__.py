"""What are models made of? `edges` of all pairs, `mlp`, `row_tiles` for large systems, `cpu` for kernels."""
