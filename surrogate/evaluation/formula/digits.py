"""Numbers with as many digits as their standard errors leave; no PyTorch, so that the window may ask for them."""

import math

DIGITS = 4
MOST_DIGITS = 6
"""Significant digits of a value in a formula: at most, and at least where its error is small (DIGITS)."""
PLAIN = (-3, 5)
"""Powers of ten of a value that is written without an exponent."""


def rounded(value: float, error: float) -> str:
    """A value for a formula: to the first digit of its error; DIGITS to MOST_DIGITS where that is small."""
    if not (value and math.isfinite(value)):
        return f"{value:g}"
    digits = DIGITS
    if 0 < error < math.inf:
        digits = _power(value) - _power(error) + 1
        digits = min(max(digits, DIGITS if error < 1e-3 * abs(value) else 2), MOST_DIGITS)
    number = float(f"{value:.{digits - 1}e}")
    power = _power(number)
    if PLAIN[0] <= power < PLAIN[1]:
        text = f"{number:.{max(digits - 1 - power, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits}g}"


def with_error(value: float, error: float) -> str:
    """A value and its standard error, both to the second digit of the error, with one power of ten for the two."""
    if not (0 < error < math.inf and math.isfinite(value)):
        return f"{value:.{MOST_DIGITS}g} +- {error:.2g}"
    power = _power(max(abs(value), error))
    if PLAIN[0] <= power < PLAIN[1]:
        power = 0
    value, error = value / 10.0**power, error / 10.0**power
    decimals = max(1 - _power(error), 0)
    if decimals > MOST_DIGITS:  # what is left of the error is its size alone
        text = f"{value:.{MOST_DIGITS}f} +- {error:.0e}"
    else:
        text = f"{value:.{decimals}f} +- {error:.{decimals}f}"
    return f"({text})e{power:+03d}" if power else text


def _power(value: float) -> int:
    """The power of ten of its first digit; 0 of none."""
    return math.floor(math.log10(abs(value))) if value else 0
