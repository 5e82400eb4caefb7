"""What the window knows: frozen dataclasses and pure functions on them."""
