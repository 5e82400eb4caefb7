"""The dynamics of particles: the state one horizon later. `task` is the task; the other files make its data."""
