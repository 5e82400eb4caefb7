"""File formats of data sets, one file each.

To add one, write its file (:class:`physics.datasets.formats.base.Format`) and give it a row in FORMATS. The first
row that recognises a path reads it.
"""

from physics.datasets.formats.base import Format
from physics.datasets.formats.npz import NPZ
from physics.datasets.formats.zarr import ZARR

FORMATS: dict[str, Format] = {"zarr": ZARR, "npz": NPZ}
