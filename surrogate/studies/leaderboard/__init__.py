"""Every model on every N-body benchmark of the field: `python -m surrogate.studies.leaderboard`.

`columns.py` has the benchmarks and what was published on them, `recipes.py` the models and how they are trained,
`jobs.py` what is trained and measured (each result a file), `floors.py` those that know the law, `page.py` and
`figures.py` what is shown of the files.
"""
