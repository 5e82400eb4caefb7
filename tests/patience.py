"""How long a test waits for what must come: as long as a busy machine takes. Only what never comes meets it."""

PATIENCE = 300.0
"""Seconds."""
