"""Truth and forecasts on the same frames: what is drawn, written and measured side by side.

`forecasts` makes a comparison of a scenario or of stored data, `ground_truth` its truth under a world rotation;
`comparison` is the value that render, export and app share.
"""
