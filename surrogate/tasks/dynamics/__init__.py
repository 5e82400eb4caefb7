"""The dynamics of particles: the state one horizon later.

`task` is the task, `config` its settings; `windows` are cut from data sets, `streamed` from those larger than
memory; `batches` mixes them, one by one or on the device for many steps at a time.
"""
