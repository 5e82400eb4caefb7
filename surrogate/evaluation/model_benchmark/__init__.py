"""Registered models: how good is each, where all are trained alike and scored on the same windows.

`entries.py` has the models and their forms, `published.py` what others found, `recipes.py` how each is trained,
`jobs.py` what is trained and scored (each result a file), `symmetries.py` and `costs.py` the other columns,
`rows.py` what results come to over seeds, `tables.py` and `figures.py` what is shown of them, `command.py` puts
it together.
"""
