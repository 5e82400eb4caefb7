"""GRO, PDB, and trajectories that have their names beside them."""

import shutil

import numpy as np
import pytest

from physics.convert import main
from physics.datasets.formats.molecules import element_of
from physics.datasets.formats.records import walk_dcd, walk_netcdf, walk_trr, walk_xtc
from physics.datasets.reading import read_split
from physics.errors import InputError
from tests.physics.datasets.files import refused
from tests.physics.datasets.formats.written import FRAMES, NUMBERS, SYMBOLS, WRITERS, N, Source

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def source(rng):
    return Source(rng)


@pytest.mark.parametrize(
    ("residue", "atom", "element"),
    [
        ("SOL", "OW", "O"),
        ("SOL", "HW1", "H"),
        ("ALA", "CA", "C"),
        ("CA", "CA", "Ca"),
        ("NA+", "NA", "Na"),
        ("ALA", "1HB", "H"),
        ("MOL", "XYZ1", "XYZ1"),
    ],
)
def test_elements_by_names(residue, atom, element):
    assert element_of(residue, atom) == element


def test_names_are_those_of_a_second_file(tmp_path, source):
    path = WRITERS["trr"](tmp_path, source).path
    other = tmp_path / "other"
    other.mkdir()
    names = shutil.move(WRITERS["gro"](other, source).path, tmp_path / "conf.gro")
    assert read_split(path, "any").species is None
    main([str(path), str(names), "--out", str(tmp_path / "a.npz")])
    split = read_split(tmp_path / "a.npz", "any")
    assert split.positions.shape == (1, FRAMES, N, 3)
    np.testing.assert_array_equal(split.species[0], NUMBERS)
    lines = names.read_text().splitlines(keepends=True)
    names.write_text("".join(["x\n", "5\n", *lines[2:7], lines[8]]))
    with pytest.raises(InputError, match=r"conf.gro: names 5 particles; run.trr has 6"):
        main([str(path), str(names), "--out", str(tmp_path / "b.npz")])


PSF = """PSF

       1 !NTITLE
 REMARKS water

       {count} !NATOM
{atoms}
       0 !NBOND: bonds

"""


def test_charges_are_those_of_a_topology(tmp_path, source):
    """A PSF file, which no library of ours writes: in the columns of NAMD."""
    path = WRITERS["dcd"](tmp_path, source).path
    atoms = [
        f"{i + 1:>8} WAT  {i + 1:<4} {SYMBOLS[i].upper():<4} {SYMBOLS[i].upper():<4} {SYMBOLS[i].upper():<4} "
        f"{source.charges[i]:>10.6f}    {source.masses[i]:>10.4f}           0"
        for i in range(N)
    ]
    (tmp_path / "run.psf").write_text(PSF.format(count=N, atoms="\n".join(atoms)))  # goes before the PDB beside it
    split = read_split(path, "any")
    np.testing.assert_allclose(split.charges[0], source.charges)
    np.testing.assert_allclose(split.masses[0], source.masses)
    np.testing.assert_array_equal(split.species[0], NUMBERS)
    assert split.units["charge"] == "e"
    other = (tmp_path / "run.psf").rename(tmp_path / "other.psf")
    main([str(path), str(other), "--out", str(tmp_path / "a.npz")])
    np.testing.assert_allclose(read_split(tmp_path / "a.npz", "any").charges[0], source.charges)
    with pytest.raises(InputError, match=r"run.pdb: names particles; expected one such file"):
        main([str(path), str(other), str(tmp_path / "run.pdb"), "--out", str(tmp_path / "b.npz")])
    other.write_text("PSF\n\nnonsense")
    with pytest.raises(InputError, match=r"run\.dcd: damaged"):
        main([str(path), str(other), "--out", str(tmp_path / "b.npz")])


def test_velocities_and_more_digits_of_a_gro(tmp_path):
    rows = [
        f"{1:>5}SOL     OW{1:>5}{x:12.8f}{0.5:12.8f}{0.25:12.8f}{v:12.8f}{0:12.8f}{-1:12.8f}\n"
        for x, v in ((0.12345678, 1.5), (0.2, 1.5))
    ]
    path = tmp_path / "a.gro"
    path.write_text("".join(f"water, t= {k}.5\n1\n{row}   0 0 0\n" for k, row in enumerate(rows)))
    split = read_split(path, "any")
    np.testing.assert_allclose(split.positions[0, 0, 0], [1.2345678, 5, 2.5])
    np.testing.assert_allclose(split.velocities[0, 0, 0], [15, 0, -10])
    np.testing.assert_array_equal(split.times, [0.5, 1.5])
    assert split.box is None


ATOM = "ATOM      1  O   HOH A   1       1.000   2.000   {z}  1.00  0.00           O\n"


def test_refused_in_a_line(tmp_path):
    gro, pdb = tmp_path / "a.gro", tmp_path / "a.pdb"
    row = "    1SOL     OW    1   0.126   1.624   1.679\n"
    for text, words in (
        (f"t\n2\n{row}{row}1 1 1\nt\n1\n{row}1 1 1\n", "frame 1 has 1 particles, frame 0 has 2"),
        (f"t\n1000000000000\n{row}", "declares 1000000000000"),
        (f"t\n1\n{row}1 1\n", "a box of 3 or 9 numbers"),
        (f"t\n1\n{row}1 1 1 0 0 0.5 0 0 0\n", "triclinic"),
        (f"t\n1\n{row}", "cut off"),
        (f"t\n1\n{row.replace('0.126', 'nan  ')}1 1 1\n" * 2, ""),
    ):
        gro.write_text(text)
        refused(gro, words)
    cell = "CRYST1   10.000   10.000   10.000  90.00  90.00 {angle:>6} P 1           1\n"
    for text, words in (
        (cell.format(angle="90.00") + "END\n", "not a PDB file"),
        (cell.format(angle="60.00") + 2 * (ATOM.format(z="3.000") + "ENDMDL\n"), "triclinic"),
        (ATOM.format(z="3.000") + "ENDMDL\n" + 2 * ATOM.format(z="3.000"), "frame 1 has 2 particles"),
        (2 * (ATOM.format(z="three") + "ENDMDL\n"), "three"),
        (2 * (ATOM.format(z="  nan") + "ENDMDL\n"), "must be finite"),
    ):
        pdb.write_text(text)
        refused(pdb, words)


@pytest.mark.parametrize(("place", "value"), [(4, 2**31 - 1), (28, 2**31 - 1), (12, 2**30), (16, -8), (40, 2**29)])
def test_lengths_of_a_netcdf_file(place, value, tmp_path, source):
    """Of records, of the first name, of the list of dimensions; each beyond the file."""
    path = WRITERS["netcdf"](tmp_path, source).path
    walk_netcdf(path)
    raw = bytearray(path.read_bytes())
    raw[place : place + 4] = (value % 2**32).to_bytes(4, "big")
    path.write_bytes(raw)
    with pytest.raises(InputError, match=path.name):
        walk_netcdf(path)
    path.write_bytes(raw[:20])
    refused(path)


WALKS = {"xtc": (walk_xtc, 4), "trr": (walk_trr, 64), "dcd": (walk_dcd, 348)}
"""And where a file of `written.py` has its number of atoms."""


@pytest.mark.parametrize("name", WALKS)
def test_walks_find_what_is_not_there(name, tmp_path, source):
    """Sizes that readers would trust (more atoms, none, fewer bytes) are refused before a library reads them."""
    walk, place = WALKS[name]
    path = WRITERS[name](tmp_path, source).path
    walk(path)
    raw, order = path.read_bytes(), "little" if name == "dcd" else "big"
    assert int.from_bytes(raw[place : place + 4], order) == N
    for atoms in (2**31 - 1, 500, 0, -1):
        damaged = bytearray(raw)
        damaged[place : place + 4] = (atoms % 2**32).to_bytes(4, order)
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=path.name):
            walk(path)
        refused(path)
    for size in range(8, len(raw), 13):
        path.write_bytes(raw[:size])
        try:
            walk(path)
        except InputError:
            continue
        assert size in (len(raw) * k // FRAMES for k in range(1, FRAMES)), size
