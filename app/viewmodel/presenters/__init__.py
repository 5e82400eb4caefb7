"""What the window shows, made from the state by pure functions.

`scene` goes to the painter, `readouts` and `verdicts` are its numbers and sentences, `particles` and `model_rows`
its tables.
"""
