"""Sums and products of numbers of about thirty digits: two float64, one that rounds and what rounding took."""

from physics.kernels.jit import kernel

SPLITTER = 2.0**27 + 1.0
"""Splits a float64 into two halves."""


@kernel
def product_error(a: float, b: float) -> float:
    """A b minus its rounded value, exactly (Dekker's splitting into halves of 26 bits)."""
    split_a, split_b = SPLITTER * a, SPLITTER * b
    a_high, b_high = split_a - (split_a - a), split_b - (split_b - b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((a * b - a_high * b_high) - a_low * b_high) - a_high * b_low)


@kernel
def exact_sum(a: float, b: float) -> tuple[float, float]:
    """A + b, rounded, and what rounding took (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@kernel
def precise_sum(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """(a + a_low) + (b + b_low)."""
    total, low = exact_sum(a, b)
    return exact_sum(total, low + (a_low + b_low))


@kernel
def precise_product(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """(a + a_low) (b + b_low)."""
    high = a * b
    return exact_sum(high, product_error(a, b) + (a * b_low + a_low * b))
