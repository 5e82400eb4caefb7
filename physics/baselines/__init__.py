"""What forecasts are measured against.

- `references`: forecasts that know the law.
- `floors`: the errors that those leave on any window of a data set, in one call.
- `orientation`: what the published set's clamp does to isotropy, and the windows that it leaves alone.
"""
