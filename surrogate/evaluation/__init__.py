"""How good is a forecast? Errors, equivariance, roll-out metrics, and the benchmark of several models."""
