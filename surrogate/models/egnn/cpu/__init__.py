"""How is an EGNN made fast on a CPU? Fused float32 kernels of the forward pass and of a training step."""
