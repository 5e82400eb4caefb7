"""Programs that time things, behind `make bench`. They may import everything; nothing imports them.

`forecasts`: every shipped model, and a tick of the picture (`rendering`). `layers` and, on a GPU, `gpu`: an EGNN
beside the published layout (`textbook`), by the clock of `timing`. All write into `out/bench/bench.json`.
"""
