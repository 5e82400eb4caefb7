"""EGNN as fused float32 kernels on the CPU: the forward pass, and a training step."""
