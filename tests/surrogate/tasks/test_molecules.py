"""Molecules: QM9's checks, the published network, symmetry, batches, training, evaluation, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import surrogate
from physics.errors import InputError
from physics.rotations import random_orthogonal
from resources import ROOT
from surrogate.compare import main as compare
from surrogate.evaluate import main as evaluate
from surrogate.inference.loading import load
from surrogate.inference.property_predictor import PropertyPredictor
from surrogate.molecules import main as convert
from surrogate.tasks.molecules import qm9
from surrogate.tasks.molecules.baseline import Baseline
from surrogate.tasks.molecules.molecule_set import checked, molecule_set, read_molecules
from surrogate.tasks.molecules.networks import EGNNProperties, PropertyConfig, atom_inputs
from surrogate.tasks.molecules.qm9 import published_split, read_qm9, rotational_constant
from surrogate.tasks.molecules.targets import TARGETS
from surrogate.tasks.molecules.task import predicted
from surrogate.tasks.one_size_batches import one_size_batches, steps_of
from surrogate.train import main as train
from surrogate.training.checkpoint import ModelError
from tests.surrogate.helpers import command
from tests.surrogate.models.public_code import DATA

SAMPLE = ROOT / "examples" / "qm9-sample.npz"
RECORDS = Path(__file__).parent / "data" / "qm9_part1.csv"
SMALL = ["--set", "model.hidden=8", "model.layers=2", "train.epochs=4", "train.batch_size=16"]


def small(targets: str = "alpha,mu", basis: int = 0) -> EGNNProperties:
    torch.manual_seed(3)
    network = EGNNProperties(PropertyConfig(hidden=8, layers=2, targets=targets, basis=basis)).double()
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(2.0)
    return network


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's files with its first 39 molecules, 13 a file."""
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    monkeypatch.setattr(qm9, "MOLECULES", 39)
    folder = tmp_path / "qm9"
    folder.mkdir()
    for k, name in enumerate(qm9.FILES):
        text = "\n".join([lines[0], *lines[1 + 13 * k : 14 + 13 * k]])
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return folder


def test_records_pass_the_four_checks(package: Path) -> None:
    whole, checks = read_qm9(package)
    assert len(whole) == 39
    assert whole.numbers[0, :5].tolist() == [6, 1, 1, 1, 1]
    assert whole.targets["alpha"][0] == 13.21
    assert whole.targets["u0"][0] == pytest.approx(27211.4 * (-40.47893 + 37.846772 + 4 * 0.500273))
    assert whole.targets["gap"][1] == pytest.approx(27211.4 * 0.3399)
    assert 0 < checks.gap <= 1.01e-4
    assert checks.charge < 1e-5
    assert checks.rotation < 1e-6
    assert rotational_constant(whole.numbers[2, :3], whole.positions[2, :3]) == pytest.approx(437.90386, abs=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("13.21", "13.22", "molecule 1 is not methane"),
        ("0.3399", "0.3409", "check of gap failed"),
        ("-0.707143", "-0.606143", "check of charge failed"),
        ("1.0241077531", "1.0341077531", "check of rotation failed"),
        ("['N','H'", "['Xe','H'", "not a record of QM9"),
        ("[3,0,1,0,0]", "", ""),
        ("9.46", "nine", "not a record of QM9"),
    ],
)
def test_a_damaged_record_is_refused(package: Path, old: str, new: str, said: str) -> None:
    path = package / qm9.FILES[0]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if not said:  # what is not read does not matter
        read_qm9(package)
        return
    with pytest.raises(InputError, match=said) as caught:
        read_qm9(package)
    assert len(str(caught.value).splitlines()) == 1


def test_exponents_of_mathematica_are_read(package: Path) -> None:
    path = package / qm9.FILES[0]
    text = path.read_text(encoding="utf-8")
    before, _ = read_qm9(package)
    path.write_text(text.replace("0.0080009958", "8.0009958*^-3"), encoding="utf-8")
    after, _ = read_qm9(package)
    assert np.array_equal(before.positions, after.positions)


def test_a_cut_package_is_refused_and_nothing_is_written(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "qm9.zarr"
    path = package / qm9.FILES[2]
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for data, said in (
        (b"".join(lines[:-1]), "a file is cut"),
        (whole[:-400], "not a record"),
        (None, "cannot be read"),
    ):
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        status, _, err = command(convert, capsys, "--from", str(package), "--out", str(out))
        assert (status, len(err.splitlines())) == (2, 1)
        assert said in err
        assert not out.exists()


def test_the_command_splits_as_published(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qm9, "TRAIN", 20)
    monkeypatch.setattr(qm9, "VALID", 10)
    out = tmp_path / "qm9.zarr"
    status, said, err = command(convert, capsys, "--from", str(package), "--out", str(out))
    assert status == 0, err
    assert "20 train, 10 valid, 9 test" in said
    order = np.random.RandomState(0).permutation(39)
    whole, _ = read_qm9(package)
    assert np.array_equal(read_molecules(out, "train").targets["mu"], whole.targets["mu"][order[:20]])
    assert np.array_equal(read_molecules(out, "test").targets["mu"], published_split(whole)["test"].targets["mu"])
    status, _, err = command(convert, capsys, "--from", str(package), "--out", str(out))
    assert (status, "already exists" in err) == (2, True)


def test_a_sample_is_written_and_read(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "few.npz"
    status, said, err = command(convert, capsys, "--from", str(package), "--sample", "5", "--out", str(out))
    assert status == 0, err
    assert "35 sampled" in said
    whole, _ = read_qm9(package)
    few = read_molecules(out)
    assert few.n_atoms.tolist()[:30] == whole.n_atoms.tolist()[:30]
    assert np.array_equal(few.targets["alpha"][-1:], whole.targets["alpha"][-1:])
    status, _, err = command(convert, capsys, "--from", str(package), "--sample", "5", "--out", "x.zarr")
    assert (status, "ends in .npz" in err) == (2, True)


def test_without_the_package_the_way_to_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qm9, "find_spec", lambda name: None)
    status, _, err = command(convert, capsys, "--out", str(tmp_path / "x.zarr"))
    assert (status, len(err.splitlines())) == (2, 1)
    assert "pip install 'isotwin[qm9]'" in err


def test_the_published_network() -> None:
    assert sum(p.numel() for p in EGNNProperties(PropertyConfig()).parameters()) == 745_224
    with np.load(DATA / "qm9-egnn.npz") as arrays:
        found = {key: torch.as_tensor(values) for key, values in arrays.items()}
    network = EGNNProperties(PropertyConfig(hidden=16, layers=3)).double()
    with torch.no_grad():
        for k, p in enumerate(network.parameters()):
            numbers = torch.arange(p.numel(), dtype=torch.float64)
            p.copy_((torch.sin(1.7 * numbers**2 + k + 1) * 1.5 / p.shape[-1] ** 0.5).view(p.shape))
        made = network(atom_inputs(found["numbers"], torch.float64), found["positions"])[:, 0]
    assert torch.allclose(made, found["found"], rtol=1e-12)


@pytest.mark.parametrize("basis", [0, 8])
def test_properties_stay_where_molecules_are_turned_moved_reflected_or_renumbered(basis: int) -> None:
    network = small(basis=basis)
    sample = read_molecules(SAMPLE)
    n = 15
    chosen = np.flatnonzero(sample.n_atoms == n)[:3]
    z, x = torch.as_tensor(sample.numbers[chosen, :n]), torch.as_tensor(sample.positions[chosen, :n])
    here = network(atom_inputs(z, torch.float64), x)
    assert bool(here.std(0).min() > 1e-6)
    turn = torch.as_tensor(random_orthogonal(3, np.random.default_rng(0)))
    order = torch.as_tensor(np.random.default_rng(1).permutation(n))
    for numbers, places in ((z, x @ turn.T + 3.0), (z, -x), (z[:, order], x[:, order])):
        assert torch.allclose(network(atom_inputs(numbers, torch.float64), places), here, atol=1e-9)
    stretched = x.clone()
    stretched[:, 0, 0] += 0.5
    assert not torch.allclose(network(atom_inputs(z, torch.float64), stretched), here, atol=1e-6)


def test_a_mixed_set_is_told_as_its_molecules_one_by_one() -> None:
    network, sample = small(), read_molecules(SAMPLE).part(slice(0, 40))
    whole = predicted(network, sample, 2, torch.float64, "cpu")
    for k in range(len(sample)):
        n = int(sample.n_atoms[k])
        one = network(
            atom_inputs(torch.as_tensor(sample.numbers[k : k + 1, :n]), torch.float64),
            torch.as_tensor(sample.positions[k : k + 1, :n]),
        )
        assert np.allclose(whole[k], one.detach().numpy()[0], atol=1e-12)
    alone = molecule_set([(np.array([6]), np.zeros((1, 3))), (np.array([6, 1]), np.eye(2, 3))])
    assert np.isfinite(predicted(network, alone, 2, torch.float64, "cpu")).all()


def test_batches_are_of_one_size_and_hold_every_sample_once() -> None:
    sizes = np.array([3] * 10 + [4] * 2 + [5] * 5)
    found = one_size_batches(sizes, 4, np.random.default_rng(0))
    assert len(found) == steps_of(sizes, 4) == 4
    assert sorted(np.concatenate(found).tolist()) == list(range(17))
    assert all(len(set(sizes[batch])) == 1 for batch in found)
    assert sorted(map(len, found)) == [2, 5, 5, 5]


def test_trained_evaluated_and_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = (
        "--config",
        "egnn-qm9-alpha",
        "--data",
        str(SAMPLE),
        "--device",
        "cpu",
        *SMALL,
        'model.targets="alpha,u0"',
    )
    status, _, err = command(train, capsys, *run, "--out", "run")
    assert status == 0, err
    assert "bohr^3" in err
    status, table, err = command(evaluate, capsys, "run", "--data", str(SAMPLE), "--json", "r.json")
    assert status == 0, err
    result = json.loads(Path("r.json").read_text())
    assert result["samples"] == 330
    assert {name: row["unit"] for name, row in result["mae"].items()} == {"alpha": "bohr^3", "u0": "meV"}
    assert "published" in table
    model = surrogate.load("run")
    assert isinstance(model, PropertyPredictor)
    sample = read_molecules(SAMPLE)
    told = model.predict(sample.numbers, sample.positions, sample.n_atoms)
    assert np.abs(told["alpha"] - sample.targets["alpha"]).mean() == pytest.approx(result["mae"]["alpha"]["value"])
    spread = np.abs(sample.targets["alpha"] - sample.targets["alpha"].mean()).mean()
    assert result["mae"]["alpha"]["value"] < spread  # it has learned something
    with pytest.raises(ModelError, match="forecasts no trajectories"):
        load("run")
    status, _, err = command(compare, capsys, "run", "--data", str(SAMPLE), "--index", "20", "--out", "out")
    assert status == 0, err
    shown = json.loads(Path("out/molecule.json").read_text())
    assert shown["known"]["alpha"] == sample.targets["alpha"][20]
    assert shown["told"]["alpha"] == pytest.approx(told["alpha"][20], rel=1e-5)
    assert Path("out/molecule.png").stat().st_size > 10_000
    large = molecule_set([(np.array([6] * 60), np.random.default_rng(0).normal(size=(60, 3)))])
    assert "other sizes in 1 of 1 molecules" in model.outside_training(large)[0]
    assert model.outside_training(sample) == []


@pytest.mark.parametrize("by_elements", [False, True])
def test_a_baseline_is_a_mean_or_a_sum_over_elements(by_elements: bool) -> None:
    sample = read_molecules(SAMPLE)
    values = np.stack([sample.targets["alpha"], sample.targets["u0"]], axis=1)
    found = Baseline.of(sample, values, by_elements)
    apart = values - found.of_molecules(sample)
    assert np.abs(apart.mean(0)).max() < 1e-6 * np.abs(values).max()
    assert np.allclose(np.abs(apart).mean(0), found.deviation)
    assert np.allclose(found.properties(apart / found.deviation, sample), values)
    means = Baseline.of(sample, values, by_elements=False)
    assert (found.deviation < 0.5 * means.deviation).all() == by_elements
    again = Baseline.from_rows(found.rows())
    assert np.array_equal(again.of_molecules(sample), found.of_molecules(sample))
    ones = molecule_set([(np.array([6]), np.zeros((1, 3))), (np.array([6, 1]), np.eye(2, 3))])
    if by_elements:
        carbon, with_hydrogen = found.of_molecules(ones)
        assert np.allclose(with_hydrogen - carbon, found.coefficients[1])
    for rows in ([[1.0, 2.0]], [[np.nan] * 7], [["x"] * 7]):
        with pytest.raises((TypeError, ValueError)):
            Baseline.from_rows(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"numbers": np.array([[6, 14]])},
            r"molecule 0: an element other than H, C, N, O, F \(atomic number 14\)",
        ),
        ({"n_atoms": np.array([0])}, "molecule 0: n_atoms must be from 1 to 2"),
        ({"n_atoms": np.array([1])}, "molecule 0: atoms from n_atoms on"),
        ({"positions": np.full((1, 2, 3), np.nan)}, "molecule 0: positions must be finite"),
        ({"positions": np.zeros((1, 2, 2))}, "positions must be numbers"),
        ({"numbers": np.array([[6.0, 1.0]])}, "numbers must be whole"),
        ({"alpha": np.array([np.inf])}, "alpha must be 1 finite numbers"),
        ({"alpha": np.zeros(2)}, "alpha must be 1 finite numbers"),
    ],
)
def test_what_is_no_set_of_molecules(change: dict[str, np.ndarray], said: str) -> None:
    arrays = {"numbers": np.array([[6, 1]]), "positions": np.zeros((1, 2, 3)), "n_atoms": np.array([2])}
    checked("file", arrays)
    with pytest.raises(InputError, match=said) as caught:
        checked("file", arrays | change)
    assert len(str(caught.value).splitlines()) == 1


def test_xyz_files_of_one_and_of_many_molecules(tmp_path: Path) -> None:
    water = "3\nwater\nO 0 0 0.1\nH 0 0.7 -0.4 extra 1\nH 0 -7.0*^-1 -0.4\n"
    (tmp_path / "w.xyz").write_text(water + "\n" + "2\n\nC 0 0 0\nO 0 0 1.1\n", encoding="utf-8")
    found = read_molecules(tmp_path / "w.xyz")
    assert found.n_atoms.tolist() == [3, 2]
    assert found.numbers.tolist() == [[8, 1, 1], [6, 8, 0]]
    assert found.positions[0, 2].tolist() == [0.0, -0.7, -0.4]
    extended = 'Lattice="9 0 0 0 9 0 0 0 9" Properties=mass:R:1:pos:R:3:species:S:1 pbc="F F F"'
    (tmp_path / "e.extxyz").write_text(f"2\n{extended}\n12.0 0 0 0 C\n16.0 0 0 1.1 O\n", encoding="utf-8")
    found = read_molecules(tmp_path / "e.extxyz")
    assert found.numbers.tolist() == [[6, 8]]
    assert found.positions[0, 1].tolist() == [0.0, 0.0, 1.1]
    for text, said in (
        ("three\n", "line 1: expected a number of atoms"), ("3\n\nO 0 0 0\n", "3 atoms, of which 1 lines follow"),
        ("1\n\nXe 0 0 0\n", "line 3: element 'Xe'"), ("1\n\nO 0 0\n", "line 3: expected three coordinates"),
        ("1\n\nO 0\n", "line 3: expected three coordinates"),
        ("1\nProperties=pos:R:3\n0 0 0\n", "line 2: Properties without species and pos"),
        ("1\n\nO 0 0 nan\n", "positions must be finite"), ("", "no molecules"), ("0\n\n", "0 atoms"),
    ):  # fmt: skip
        (tmp_path / "bad.xyz").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=said) as caught:
            read_molecules(tmp_path / "bad.xyz")
        assert len(str(caught.value).splitlines()) == 1


def test_what_cannot_be_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w.xyz").write_text("1\n\nO 0 0 0\n" * 12, encoding="utf-8")
    out = str(tmp_path / "run")
    for data, setting, said in (
        (str(tmp_path / "w.xyz"), "train.lr=1e-3", "no property 'alpha' (model.targets); it has none"),
        (str(SAMPLE), "model.targets=alhpa", "did you mean 'alpha'"),
        (str(SAMPLE), 'model.targets="alpha,alpha"', "names one twice"),
        (str(SAMPLE), "train.baseline=median", "train.baseline must be one of mean, elements"),
        ("gone.npz", "train.lr=1e-3", "no such set of molecules"),
    ):
        status, _, err = command(
            train, capsys, "--config", "egnn-qm9-alpha", "--data", data, "--out", out, "--set", setting
        )
        assert (status, len(err.splitlines())) == (2, 1), err
        assert said in err
        assert not Path(out).exists()
    assert set(read_molecules(SAMPLE).targets) == set(TARGETS)
