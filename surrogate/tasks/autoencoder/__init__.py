"""The task of graph autoencoding: a place for every node, from which the edges of the graph are decoded."""
