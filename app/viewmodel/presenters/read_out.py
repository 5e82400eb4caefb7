"""What the panel of read-outs shows: a table, single numbers, a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadOut:
    """The numbers of one frame.

    Attributes
    ----------
    sources : tuple of str
        Column heads: the model, the contrast model, the engine, as far as there are any.
    table : tuple of (str, tuple of str)
        A quantity and its value for each source; empty where it has none.
    lines : tuple of (str, str)
        Single numbers: of the chained roll-out, of the motion itself.
    explanation : str
        A sentence that reads them.
    """

    sources: tuple[str, ...] = ()
    table: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    explanation: str = ""
