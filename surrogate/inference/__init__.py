"""From a checkpoint to a forecast in the units, shapes and dtypes users come with.

`loading` is `load()`, `forecaster` what it returns; `given_arrays` checks what users give, `batched_forward` runs
the network in its own units, `adaptive_rounds` chooses how many rounds, `training_range` says what lies outside.
`mixed_sizes` is `forecast_many()`, of systems of any sizes. `rollout` makes trajectories of forecasts;
`outside_model` is `package.module:callable`.
"""
