"""H5MD beyond the common: times as steps, fixed elements, groups, links out of the file, sizes that are not so."""

import h5py
import numpy as np
import pytest

from physics.datasets.formats import base
from physics.datasets.formats.h5md import _load
from physics.datasets.formats.importer import checked
from physics.datasets.reading import read_split
from physics.errors import InputError
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

X = np.random.default_rng(0).standard_normal((4, 3, 2))


def read(path):
    """In this process: the reader is not what is tested here."""
    return checked(path, _load(path, "", base.Hints()))


def refusal(path, *words):
    with pytest.raises(InputError) as caught:
        read(path)
    for word in words:
        assert word in str(caught.value)


def written(tmp_path, change=lambda file: None, name="all"):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file[f"particles/{name}/position/value"] = X
        change(file)
    return path


def test_times_at_equal_distances_are_a_number(tmp_path):
    def change(file):
        element = file["particles/all/position"]
        element["time"] = 0.5
        element["time"].attrs["offset"] = 2.0
        element["step"] = 10

    split = read(written(tmp_path, change))
    np.testing.assert_array_equal(split.times, [2.0, 2.5, 3.0, 3.5])
    assert split.units == {}


def test_steps_and_frames_are_counted_where_there_are_no_times(tmp_path):
    assert read(written(tmp_path)).units == {"time": "frame"}
    split = read(
        written(tmp_path, lambda file: file["particles/all/position"].create_dataset("step", data=[0, 5, 10, 15]))
    )
    assert split.units == {"time": "step"}
    np.testing.assert_array_equal(split.times, [0, 5, 10, 15])


def test_particles_that_change_places_are_sorted(tmp_path):
    def change(file):
        group = file["particles/all"]
        ids = np.array([[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0]])
        group["id/value"] = ids
        group["position/value"][...] = np.stack([X[k][ids[k]] for k in range(4)])
        group["velocity/value"] = np.stack([X[k][ids[k]] for k in range(4)])
        group["mass"] = 2.0

    split = read(written(tmp_path, change))
    np.testing.assert_array_equal(split.positions[0], X)
    np.testing.assert_array_equal(split.velocities[0], X)
    assert (split.masses == 2).all()


def test_velocities_at_other_frames_are_left_aside(tmp_path):
    split = read(written(tmp_path, lambda file: file.create_dataset("particles/all/velocity/value", data=X[:2])))
    assert split.first_state == 1
    assert any("velocity is not at the frames" in note for note in split.notes)


def test_alike_groups_are_samples_and_all_stands_for_all(tmp_path):
    def change(file):
        file["particles/b/position/value"] = X + 1

    split = read(written(tmp_path, change, name="a"))
    np.testing.assert_array_equal(split.positions, [X, X + 1])
    assert "groups of particles are taken for samples: a, b" in split.notes
    assert len(read(written(tmp_path, change, name="all"))) == 1
    refusal(
        written(tmp_path, lambda file: file.create_dataset("particles/b/position/value", data=X[:, :2]), "a"),
        "unlike",
    )


def test_links_to_other_files_are_not_followed(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = X

    def external(file):
        file["particles/all/velocity/value"] = h5py.ExternalLink("secret.h5", "/x")

    def group(file):
        file["particles/all/velocity"] = h5py.ExternalLink("secret.h5", "/")

    def virtual(file):
        layout = h5py.VirtualLayout(shape=X.shape, dtype=X.dtype)
        layout[...] = h5py.VirtualSource(str(secret), "x", shape=X.shape)
        file["particles/all"].create_group("velocity").create_virtual_dataset("value", layout)

    def raw(file):
        (tmp_path / "raw.bin").write_bytes(X.tobytes())
        external = [(str(tmp_path / "raw.bin"), 0, X.nbytes)]
        file["particles/all"].create_group("velocity").create_dataset(
            "value", shape=X.shape, dtype="f8", external=external
        )

    for change in (external, group, virtual, raw):
        refusal(written(tmp_path, change), "another file, which is not followed")
    refused(written(tmp_path, external), "another file, which is not followed")

    def soft(file):
        file["x"] = X
        file["particles/all/velocity/value"] = h5py.SoftLink("/x")

    np.testing.assert_array_equal(read(written(tmp_path, soft)).velocities[0], X)


def test_hostile_datasets(tmp_path, monkeypatch):
    def huge(file):
        del file["particles/all/position/value"]
        file["particles/all/position"].create_dataset(
            "value", shape=(10**4, 10**8, 3), dtype="f8", chunks=(1, 1000, 3)
        )

    def empty(file):
        del file["particles/all/position/value"]
        file["particles/all/position"].create_dataset("value", shape=(4, 3, 2), dtype="f8", chunks=(1, 3, 2))

    def objects(file):
        del file["particles/all/position/value"]
        file["particles/all/position"].create_dataset("value", data=["a", "b"], dtype=h5py.string_dtype())

    refused(written(tmp_path, huge), "declares 24000.0 GB")
    refusal(written(tmp_path, empty), "holds nothing")
    refusal(written(tmp_path, objects), "must be numbers; got dtype object")
    refusal(
        written(tmp_path, lambda file: file.create_dataset("particles/all/mass", data=np.ones(7))), "must be (3,)"
    )
    nan = written(
        tmp_path, lambda file: file["particles/all/position/value"].write_direct(np.full(X.shape, np.nan))
    )
    refusal(nan, "positions must be finite")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = X
    refused(path, "no group 'particles'")
    with h5py.File(path, "w") as file:
        file["particles"] = h5py.SoftLink("/particles")
    refused(path)


def test_boxes(tmp_path):
    def box(edges, boundary=("periodic", "periodic")):
        def change(file):
            group = file.create_group("particles/all/box")
            group.attrs["dimension"], group.attrs["boundary"] = 2, list(boundary)
            if edges is not None:
                group["edges"] = edges

        return written(tmp_path, change)

    np.testing.assert_array_equal(read(box(np.array([50.0, 60.0]))).box, [[50, 60]])
    np.testing.assert_array_equal(read(box(np.diag([50.0, 60.0]))).box, [[50, 60]])
    assert read(box(None)).box is None
    assert read(box(np.array([5.0, 6.0]), ("none", "none"))).box is None
    refusal(box(np.array([[5.0, 1.0], [0.0, 5.0]])), "not rectangular")
    refusal(box(np.array([5.0, 6.0, 7.0])), "edges must be")

    def moving(file):
        group = file.create_group("particles/all/box")
        group.attrs["dimension"], group.attrs["boundary"] = 2, ["periodic"] * 2
        group["edges/value"] = np.full((4, 2), 50.0) + np.arange(4)[:, None]

    split = read(written(tmp_path, moving))
    assert any("changes in time" in note for note in split.notes)


def test_read_in_a_process_of_its_own_it_is_the_same(tmp_path):
    path = written(tmp_path)
    np.testing.assert_array_equal(read_split(path, "any").positions, read(path).positions)
