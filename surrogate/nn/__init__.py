"""What models are made of: edges of all pairs, dense layers."""
