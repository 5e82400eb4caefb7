"""Questions answered once in a while: `python -m surrogate.studies.NAME`. Nothing imports them.

`ablations` (what each part of the integrator gives), `laws` (five laws recovered from trajectories), `audit` (what
the published set can show), `time_to_accuracy`, `engine_page` (docs/engine.md); other files are parts of them.
"""
