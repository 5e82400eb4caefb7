"""What makes and reads data sets; the command is :mod:`physics.generate`.

- Asked for: `presets` (which states, under which law), `request` (checked), `plan` (what it would take).
- Made: `chunks` (one task of it), `crews` (who does the tasks).
- Read: `reading` (whole splits, or some samples), `blocks` (splits larger than memory).
"""
