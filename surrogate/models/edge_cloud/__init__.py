"""Regular group convolution on positions and directions: the edges of a point cloud are its points."""
