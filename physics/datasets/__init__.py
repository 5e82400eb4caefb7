"""What makes and reads data sets; the command is :mod:`physics.generate`.

- Asked for: `presets` (which states, under which law), `request` (checked), `plan` (what it would take).
- Made: `chunks` (one task of it), `executors` (what does the tasks).
- Read: `reading` (whole splits, some samples, or block by block), `formats` (one file a file format), `split`
  (what is read), `manifest` (what says that our files are whole).
"""
