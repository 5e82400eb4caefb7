"""Long work: child processes, and what runs there.

`runner` is the interface, `process_runner` the window's side, `child` the other. There `ground_truth` simulates,
`preview` forecasts the frames on the screen, `comparison` all of them, `symmetry` measures; `export`, `opening`
and `tasks` are what else may be asked for.
"""
