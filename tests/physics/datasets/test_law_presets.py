"""The presets made for recovering a law: what they draw, what they store, what they run under."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.datasets.presets import PRESETS
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from physics.laws import LAWS
from physics.observables import momentum

NAMES = [name for name in PRESETS if name.startswith("law-")]


def made(folder, name):
    request = request_from_options(name, {"train": "3", "valid": "2"}, 2, 5, None, {"dt": "0.01"})
    generate(request, folder / name, workers=1)
    return request


@pytest.fixture(scope="module")
def laws(tmp_path_factory):
    """A few trajectories of each."""
    folder = tmp_path_factory.mktemp("laws")
    for name in [*NAMES, "charged-iso"]:
        made(folder, name)
    return folder


def test_every_law_but_the_published_one_has_a_preset():
    assert {PRESETS[name].law for name in NAMES} == LAWS.keys() - {"reference"}


@pytest.mark.parametrize("name", NAMES)
def test_it_stores_what_scales_its_force_and_runs_under_it(name, laws):
    split, row = read_split(laws / name, "train"), PRESETS[name]
    law = LAWS[row.law]
    assert split.recipe["law"] == row.law
    assert (np.ptp(split.masses) > 0.1) == (law.couplings == ("masses",))
    assert split.charges.any() == (law.couplings == ("charges",))
    system = System(split.charges[1], split.masses[1], row.law, split.recipe["parameters"])
    path = simulate(system, State(split.positions[1, 0], split.velocities[1, 0]), 0.5, n_frames=6, dt=0.01)
    np.testing.assert_allclose(path.positions, split.positions[1, :6], atol=1e-12)
    np.testing.assert_allclose(momentum(path)[-1], momentum(path)[0], atol=1e-12)


def test_real_couplings_are_spread_and_of_both_signs(laws):
    q = read_split(laws / "law-couplings", "train").charges
    assert np.abs(q).min() >= 0.5
    assert np.abs(q).max() <= 2.0
    assert len(np.unique(np.abs(q))) == q.size
    assert q.min() < 0 < q.max()


def test_only_presets_with_masses_store_them(laws):
    m = read_split(laws / "law-gravity", "train").masses
    assert 0.5 <= m.min() < 1 < m.max() <= 2.0
    assert (laws / "law-gravity/train/masses/zarr.json").is_file()
    for other in ("law-spring", "charged-iso"):
        assert not (laws / other / "train/masses").exists()


def test_missing_masses_are_written_again_on_resume(tmp_path):
    request = made(tmp_path, "law-gravity")
    folder = tmp_path / "law-gravity"
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    (folder / "manifest.json").unlink()
    (folder / "train/masses/c/0/0").unlink()
    generate(request, folder, resume=True, workers=1)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(("n", "particles"), [(2, 6), (3, 7)])
def test_two_groups_do_not_act_on_each_other(n, particles, tmp_path):
    request = request_from_options("two-groups", {"train": "4"}, n, particles, None, {})
    generate(request, tmp_path / "d", workers=1)
    split = read_split(tmp_path / "d", "train")
    one = split.charges[:, :, None] * split.charges[:, None] > 0
    np.testing.assert_array_equal(split.edges > 0, one & ~np.eye(particles, dtype=bool))
    assert (np.sum(split.charges > 0, axis=1) == particles // 2).all()
    assert len(np.unique(split.charges, axis=0)) > 1  # which particles, is drawn
    for sign in (1, -1):
        weights = (split.charges == sign)[:, None, :, None]
        moment = (weights * split.velocities).sum(axis=2)
        np.testing.assert_allclose(moment, moment[:, :1].repeat(moment.shape[1], 1), atol=1e-12)
        x = (weights * split.positions).sum(axis=2)
        assert np.abs(x[:, -1] - x[:, 0]).max() > 0.1
    # springs of strength 1 / N within each group: one step of the velocities
    r = split.positions[:, 0, :, None] - split.positions[:, 0, None]
    pull = -(split.edges[..., None] * r).sum(axis=2) / particles
    change = (split.velocities[:, 1] - split.velocities[:, 0]) / 0.1
    later = split.positions[:, 1, :, None] - split.positions[:, 1, None]
    pull = 0.5 * (pull - (split.edges[..., None] * later).sum(axis=2) / particles)
    np.testing.assert_allclose(change, pull, atol=5e-3)
