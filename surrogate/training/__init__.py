"""How anything is trained: configuration, loop, restart, divergence, sweeps, several processes."""
