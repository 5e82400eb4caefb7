"""CGENN: message passing by multivectors of a Clifford algebra. `layers` are its layers, `model` the network."""
