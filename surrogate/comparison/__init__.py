"""Truth and forecasts on the same frames: what is drawn, written and measured side by side."""
