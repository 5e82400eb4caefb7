"""The task of this project so far: the state one horizon later."""
