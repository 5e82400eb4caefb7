"""What is kept on disk and read back, every value checked: sessions, autosaves, preferences, lessons."""
