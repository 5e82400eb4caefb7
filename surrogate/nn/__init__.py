"""What are models made of? Edges of all pairs, dense layers."""
