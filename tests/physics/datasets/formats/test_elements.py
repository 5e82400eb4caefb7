"""Names of particles: numbers, chemical elements, or anything."""

import numpy as np
from ase.data import atomic_masses, chemical_symbols

from physics.datasets.formats.elements import MASSES, SYMBOLS, named_species


def test_the_table_is_that_of_ase():
    assert list(SYMBOLS) == chemical_symbols[1:]
    np.testing.assert_allclose(MASSES, atomic_masses[1:], rtol=1e-9)


def test_elements_have_masses_and_say_so():
    arrays, notes = named_species(["O", "H", "H"])
    np.testing.assert_array_equal(arrays["species"], [8, 1, 1])
    np.testing.assert_array_equal(arrays["masses"], [15.999, 1.008, 1.008])
    assert "masses are those of the elements" in notes[0]


def test_numbers_stay_and_other_names_are_numbered():
    assert named_species(["3", "1", "3"])[0]["species"].tolist() == [3, 1, 3]
    arrays, notes = named_species(["CA", "B1", "CA"])
    assert arrays["species"].tolist() == [1, 0, 1]
    assert "masses" not in arrays
    assert notes == ("species are 0 = B1, 1 = CA",)
    assert notes[0].count(",") < 9
    assert named_species([f"X{k}" for k in range(500)])[1][0].endswith(", ...")
