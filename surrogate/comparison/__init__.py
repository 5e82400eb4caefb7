"""Truth and forecasts on the same frames: what is drawn, written and measured side by side.

`build` makes a comparison of a scenario or of stored data: `ground_truth` has its truth under a world rotation,
`forecasts` what a model makes of it; `comparison` is the value that render, export and app share.
"""
