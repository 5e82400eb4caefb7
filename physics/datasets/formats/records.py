"""Walks over binary trajectories: what each record declares must lie within the file.

They read headers alone. What passes is given to a library's reader, which may trust sizes blindly.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from physics.errors import InputError

XTC_MAGIC, TRR_MAGIC, DCD_MARK = 1995, 1993, 84
DIMENSIONS = 10
"""The tag of a list of dimensions in NetCDF."""
SMALL = 9
"""XTC stores up to so many atoms without compression."""


class _CutError(Exception):
    """A file ends within a record."""


def _integers(stream: BinaryIO, count: int, order: str = ">") -> tuple[int, ...]:
    raw = stream.read(4 * count)
    if len(raw) < 4 * count:
        raise _CutError
    return struct.unpack(f"{order}{count}i", raw)


def walk_xtc(path: Path) -> None:
    """Refuse an XTC file whose frames do not follow each other to its end.

    Notes
    -----
    **Source** the format as GROMACS documents it: magic, atoms, step, time, box, atoms again, then coordinates.
    """
    _walk(path, _xtc_frame)


def _xtc_frame(stream: BinaryIO) -> tuple[int, int]:
    magic, atoms = _integers(stream, 2)
    if magic != XTC_MAGIC:
        raise ValueError(f"magic number {magic}; expected {XTC_MAGIC}")
    *_, again = _integers(stream, 12)
    if again != atoms:
        raise ValueError(f"{again} coordinates for {atoms} atoms")
    if atoms <= SMALL:
        return atoms, 12 * max(atoms, 0)
    *_, packed = _integers(stream, 9)
    return atoms, packed + -packed % 4


def walk_trr(path: Path) -> None:
    """Refuse a TRR file whose frames do not follow each other to its end.

    Notes
    -----
    **Source** the format as GROMACS documents it: magic, a name, sizes of blocks, atoms, step, then the blocks.
    """
    _walk(path, _trr_frame)


def _trr_frame(stream: BinaryIO) -> tuple[int, int]:
    magic, _, length = _integers(stream, 3)
    if magic != TRR_MAGIC or not 0 < length <= 256:
        raise ValueError(f"magic number {magic}; expected {TRR_MAGIC}")
    stream.seek(length + -length % 4, 1)
    *sizes, atoms, _, _ = _integers(stream, 13)
    number = max(sizes[2] // 9, max(sizes[7:10]) // max(3 * atoms, 1))
    if min(sizes) < 0 or number not in (4, 8) or any(size not in (0, 3 * atoms * number) for size in sizes[7:10]):
        raise ValueError(f"blocks of {', '.join(map(str, sizes))} bytes for {atoms} atoms")
    return atoms, sum(sizes) + 2 * number  # time and lambda come before the blocks


def _walk(path: Path, frame: Callable[[BinaryIO], tuple[int, int]]) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        number = 0
        while stream.tell() < size:
            try:
                atoms, rest = frame(stream)
            except _CutError:
                raise InputError(f"{path}: frame {number} is cut off") from None
            except ValueError as error:
                raise InputError(f"{path}: frame {number} is damaged: {error}") from None
            end = stream.tell() + rest
            if atoms < 1 or atoms > 8 * size or rest < 0:
                raise InputError(f"{path}: declares {atoms} atoms, which its {size} bytes cannot hold")
            if end > size:
                raise InputError(f"{path}: frame {number} is cut off: it ends at byte {end} of {size}")
            stream.seek(end)
            number += 1


def walk_dcd(path: Path) -> None:
    """Refuse a DCD file that does not hold the frames that its header declares.

    Notes
    -----
    **Source** the format as CHARMM and NAMD write it: Fortran records of 84 bytes, of titles, of the number of
    atoms, then of each frame a cell and three coordinates.
    **Deviations** files with fixed atoms, a fourth dimension or markers of 64 bits are left to their reader.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        try:
            order = "<" if _integers(stream, 1, "<")[0] == DCD_MARK else ">"
            stream.seek(0)
            mark, _, *numbers = _integers(stream, 23, order)
            if mark != DCD_MARK or numbers[8] or numbers[11]:
                return
            titles = _integers(stream, 1, order)[0]
            stream.seek(titles + 4, 1)
            before, atoms, _ = _integers(stream, 3, order)
        except _CutError:
            raise InputError(f"{path}: its header is cut off") from None
        if titles < 0 or before != 4:
            raise InputError(f"{path}: damaged: expected records of titles and of the number of atoms")
        frame = 3 * (4 * atoms + 8) + (56 if numbers[10] else 0)
        if atoms < 1 or frame > size:
            raise InputError(f"{path}: declares {atoms} atoms, which its {size} bytes cannot hold")
        held, rest = divmod(size - stream.tell(), frame)
        if rest or held < numbers[0]:
            raise InputError(f"{path}: is cut off: it declares {numbers[0]} frames and holds {held}")


def walk_netcdf(path: Path) -> None:
    """Refuse a NetCDF file that declares more records, or longer dimensions, than its bytes could hold.

    Notes
    -----
    **Source** the classic format of Unidata: magic, number of records, then dimensions, each a name and a length.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        try:
            _, records, tag, count = _integers(stream, 4)
            if tag not in (0, DIMENSIONS) or not 0 <= count <= size:
                raise InputError(f"{path}: damaged: expected a list of dimensions")
            lengths = [max(records, 0)]  # -1: a stream whose records were not counted
            for _ in range(count):
                (length,) = _integers(stream, 1)
                if length < 0:
                    raise _CutError
                stream.seek(length + -length % 4, 1)
                lengths += _integers(stream, 1)
        except (_CutError, OSError):
            raise InputError(f"{path}: its header is cut off or damaged") from None
    if min(lengths) < 0 or max(lengths) > size:
        raise InputError(f"{path}: declares a length of {max(lengths)}, which its {size} bytes cannot hold")


def lammps_clock(path: Path) -> tuple[float, float] | None:
    """The first time of a DCD file of LAMMPS and the time between frames; None for a file of others.

    Its header has the time of a step in the units of LAMMPS's style, where CHARMM has its own.
    """
    with path.open("rb") as stream:
        head = stream.read(512)
    if b"LAMMPS" not in head:
        return None
    order = "<" if head[0] == DCD_MARK else ">"
    start, between = struct.unpack_from(f"{order}2i", head, 12)
    (step,) = struct.unpack_from(f"{order}f", head, 44)
    return start * float(step), between * float(step)
