"""What the window shows, made from the state by pure functions."""
