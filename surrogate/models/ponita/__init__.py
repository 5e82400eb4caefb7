"""Group convolution on positions and a fixed grid of orientations."""
