"""How good is a forecast? Errors, equivariance, roll-out metrics, and the benchmark of several models.

`metrics` are numbers of arrays alone; `evaluation_set` cuts a data set into the windows they are taken on. On
these: `single_forecasts` (what `evaluate` writes), `rollout_metrics`, `benchmark`, `pair_law_recovery` (a learned
force against the true one); `model_card` measures runs and ships one of them.
"""
