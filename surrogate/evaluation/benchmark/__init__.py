"""Learned models beside baselines that know the law, at equal cost.

`measurements` is the whole of it: `models` and `baselines` on the same windows, a `summary` of each, their
`rollouts`; `tables` and `figures` show the result.
"""
