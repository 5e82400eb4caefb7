"""File formats of data sets, one file each.

To add one, write its file (a :class:`physics.datasets.formats.base.Format`, as a rule made by
:func:`physics.datasets.formats.importer.importer`) and give it a row in FORMATS. A file whose name has the ending
of a format is of that format or refused; else, and where several have it, the first row that recognises it reads.
"""

from physics.datasets.formats.base import Format
from physics.datasets.formats.csv import CSV
from physics.datasets.formats.extxyz import EXTXYZ
from physics.datasets.formats.gsd import GSD
from physics.datasets.formats.h5md import H5MD
from physics.datasets.formats.lammps import LAMMPS
from physics.datasets.formats.mdanalysis import DCD, NETCDF, TRR, XTC
from physics.datasets.formats.molecules import GRO, PDB
from physics.datasets.formats.npy_set import NPY_SET
from physics.datasets.formats.npz import NPZ
from physics.datasets.formats.rebound import REBOUND
from physics.datasets.formats.xyz import XYZ
from physics.datasets.formats.zarr import ZARR

FORMATS: dict[str, Format] = {
    "npz": NPZ,
    "npy-set": NPY_SET,
    "csv": CSV,
    "lammps-dump": LAMMPS,
    "extxyz": EXTXYZ,
    "xyz": XYZ,
    "gro": GRO,
    "pdb": PDB,
    "xtc": XTC,
    "trr": TRR,
    "dcd": DCD,
    "netcdf": NETCDF,
    "h5md": H5MD,
    "gsd": GSD,
    "simulationarchive": REBOUND,
    "zarr": ZARR,
}
