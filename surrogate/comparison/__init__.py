"""Truth and forecasts on the same frames: what is drawn, written and measured side by side.

`subjects` makes a comparison of a scenario or of stored data, `ground_truth` its truth under a world rotation,
`forecasts` what is put beside it, `extent` how much of that where there are many particles; `comparison` is the
value that render, export and app share.
"""
