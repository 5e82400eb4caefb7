"""What are fused CPU kernels made of? Float32 register tiles, products on them, threads."""
