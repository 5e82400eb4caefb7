"""Features that turn with the space: blocks of channels of a degree and a parity.

A feature is a tuple of tensors, one a block: (..., (2 l + 1) C), component after component, each with C channels.
So a degree-0 block is an ordinary feature array, and a Cartesian vector a degree-1 block of one channel. Features
side by side are tuples side by side: f + g is of the irreps of f + those of g.
"""

from typing import NamedTuple

from torch import Tensor

from physics.errors import InputError

Feature = tuple[Tensor, ...]


class Block(NamedTuple):
    """`channels` copies of the irreducible representation of O(3) of one degree l >= 0 and parity +1 or -1."""

    channels: int
    degree: int
    parity: int

    @property
    def width(self) -> int:
        """Numbers in it."""
        return self.channels * (2 * self.degree + 1)


Irreps = tuple[Block, ...]


def irreps(text: str) -> Irreps:
    """Blocks of a text such as "32x0e+32x1o": channels, degree, e (even) or o (odd).

    Raises
    ------
    InputError
    """
    blocks = []
    for term in text.replace(" ", "").split("+"):
        channels, _, rest = term.partition("x")
        if not (channels.isdigit() and rest[:-1].isdigit() and rest[-1] in "eo"):
            raise InputError(f"irreps must be like '32x0e+32x1o'; got {text!r}")
        blocks.append(Block(int(channels), int(rest[:-1]), 1 if rest[-1] == "e" else -1))
    return tuple(blocks)


def natural_irreps(channels: int, degree: int, reflections: bool = True) -> Irreps:
    """Blocks of degrees 0 to `degree`, of parity (-1)^l as spherical harmonics; all even without reflections."""
    return tuple(Block(channels, k, (-1) ** k if reflections else 1) for k in range(degree + 1))


def components(block: Tensor, degree: int) -> Tensor:
    """A block (..., (2 l + 1) C) as (..., 2 l + 1, C)."""
    return block.view(*block.shape[:-1], 2 * degree + 1, block.shape[-1] // (2 * degree + 1))
