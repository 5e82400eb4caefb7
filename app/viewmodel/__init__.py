"""State, session, actions and jobs of the application; no Qt, no VTK, so all of it is tested without a window."""
