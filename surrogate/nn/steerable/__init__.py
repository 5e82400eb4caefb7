"""What are layers between representations of O(3) made of? Irreps, harmonics, tensor products, gates; n = 3."""
