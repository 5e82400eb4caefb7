"""Long work: child processes, and what runs there."""
