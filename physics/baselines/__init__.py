"""What forecasts are measured against.

- `references`: forecasts that know the law.
- `orientation`: what the published set's clamp does to isotropy, and the windows that it leaves alone.
"""
