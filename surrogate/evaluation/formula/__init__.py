"""The learned pair force as a closed form: candidates, their fit to the data, and the choice among them."""
