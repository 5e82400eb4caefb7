"""Questions answered once in a while: `python -m surrogate.studies.NAME`. Nothing imports them."""
