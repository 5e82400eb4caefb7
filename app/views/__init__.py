"""The Qt widgets: each draws a ViewState and calls Session intents, and decides nothing."""
