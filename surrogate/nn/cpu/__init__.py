"""Float32 register tiles, products on them, threads: what fused kernels are made of."""
