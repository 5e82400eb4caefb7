"""REBOUND archives: test particles, snapshots that repeat, forces that are no gravity, a name beyond ASCII."""

import numpy as np
import pytest
import rebound

from physics.datasets.formats import base
from physics.datasets.formats.importer import checked
from physics.datasets.formats.rebound import _load
from physics.datasets.reading import read_split
from physics.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def read(path):
    """In this process: the reader is not what is tested here."""
    return checked(path, _load(path, "", base.Hints()))


def planets(mass=1e-3):
    simulation = rebound.Simulation()
    simulation.add(m=1.0)
    simulation.add(m=mass, a=1.0)
    return simulation


def saved(path, simulation, times=(0.0, 0.5, 1.0)):
    for time in times:
        simulation.integrate(time)
        simulation.save_to_file(str(path))
    return path


def test_test_particles_and_the_law(tmp_path):
    simulation = planets(mass=0.0)
    simulation.G, simulation.softening = 4.0, 0.25
    split = read(saved(tmp_path / "a.sa", simulation))
    assert split.masses.tolist() == [[1, 0]]
    assert split.recipe == {"law": "gravity", "parameters": {"G": 4.0, "eps": 0.25}}
    assert split.units == {}
    none = planets()
    none.gravity = "none"
    assert read(saved(tmp_path / "b.sa", none)).recipe == {}


def test_a_repeated_snapshot_is_left_out_and_said(tmp_path):
    split = read(saved(tmp_path / "a.bin", planets(), (0.0, 0.5, 0.5, 1.0)))
    np.testing.assert_array_equal(split.times, [0, 0.5, 1])
    assert any("repeat a time" in note for note in split.notes)


def test_particles_that_come_are_refused(tmp_path):
    simulation = planets()
    path = saved(tmp_path / "a.bin", simulation, (0.0,))
    simulation.add(m=0.1, a=3.0)
    saved(path, simulation, (1.0,))
    with pytest.raises(InputError, match="frame 1 has 3 particles, frame 0 has 2"):
        read(path)


def test_a_name_that_is_not_ascii(tmp_path):
    path = saved(tmp_path / "a.bin", planets()).rename(tmp_path / "Größe.bin")
    assert len(read_split(path, "any").times) == 3
