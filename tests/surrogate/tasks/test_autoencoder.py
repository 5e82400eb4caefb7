"""Graph autoencoders: symmetry, batches of one size, training, evaluation, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import surrogate
from physics.rotations import random_orthogonal
from resources import shipped
from surrogate.compare import main as compare
from surrogate.evaluate import main as evaluate
from surrogate.evaluation import task_card
from surrogate.evaluation.graph_reconstruction import DRAWS
from surrogate.inference.graph_autoencoder import GraphAutoencoder
from surrogate.inference.loading import load
from surrogate.publish import main as publish
from surrogate.tasks.array_sets import write_npz, write_zarr
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS
from surrogate.tasks.autoencoder.graph_set import GraphSet, graph_set
from surrogate.tasks.autoencoder.networks import MODELS, EncoderConfig, GraphEncoder
from surrogate.tasks.autoencoder.task import (
    Autoencoder,
    AutoencoderOptions,
    GraphDataConfig,
    drawn_noise,
    reconstruction,
)
from surrogate.tasks.base import Setting
from surrogate.train import main as train
from surrogate.training.checkpoint import ModelError
from surrogate.training.config import shipped_configs
from surrogate.training.state import Trainer
from tests.surrogate.helpers import command
from tests.surrogate.models.public_code import DATA

networks = pytest.mark.parametrize("name", MODELS)
SMALL = ["--set", "model.hidden=8", "model.layers=2", "model.embedding=3", "train.epochs=4"]


def made(name: str, embedding: int = 3) -> GraphEncoder:
    torch.manual_seed(1)
    network = MODELS[name](EncoderConfig(hidden=8, layers=3, embedding=embedding)).double()
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(0.3 * torch.randn_like(p))
    return network


def inputs(network: GraphEncoder, n: int = 7, count: int = 4) -> tuple[Tensor, Tensor]:
    graphs = GRAPH_PRESETS["erdos-renyi"].part("test", count=100)
    a = torch.as_tensor(graphs.adjacency[graphs.n_nodes == n, :n, :n][:count]).double()
    return a, drawn_noise([0], (len(a), n, network.noise), torch.float64, "cpu")


@pytest.fixture
def er(tmp_path: Path) -> Path:
    write_zarr(
        tmp_path / "er.zarr",
        {s: GRAPH_PRESETS["erdos-renyi"].part(s, count=40).arrays for s in ("train", "valid", "test")},
    )
    return tmp_path / "er.zarr"


@networks
def test_nodes_have_no_order(name: str) -> None:
    network = made(name)
    a, noise = inputs(network)
    order = torch.tensor([3, 0, 6, 2, 1, 5, 4])
    moved = network.encode(a[:, order][:, :, order], noise[:, order])
    assert torch.allclose(moved, network.encode(a, noise)[:, order], atol=1e-12)


@networks
def test_places_turn_with_the_noise_where_the_network_is_equivariant(name: str) -> None:
    network = made(name, embedding=4)
    a, noise = inputs(network)
    if network.group != "E(n)":
        assert network.noise != network.embedding
        return
    turn = torch.as_tensor(random_orthogonal(4, np.random.default_rng(0)))
    z = network.encode(a, noise)
    assert torch.allclose(network.encode(a, noise @ turn.T), z @ turn.T, atol=1e-10)
    assert not torch.allclose(z, noise, atol=1e-2)
    assert torch.allclose(network.decode(z @ turn.T), network.decode(z), atol=1e-10)


@pytest.mark.parametrize("name", ["egnn", "radial-field", "gnn"])
def test_places_and_edges_are_those_of_the_published_code(name: str) -> None:
    with np.load(DATA / "autoencoder.npz") as arrays:
        found = {key: torch.as_tensor(values) for key, values in arrays.items()}
    network = MODELS[name](EncoderConfig(hidden=16, layers=3, embedding=4)).double()
    with torch.no_grad():
        for k, p in enumerate(network.parameters()):
            numbers = torch.arange(p.numel(), dtype=torch.float64)
            p.copy_((torch.sin(1.7 * numbers**2 + k + 1) / p.shape[-1] ** 0.5).view(p.shape))
        for zeroed in ("start", "embed"):  # what the published first layer does without
            if hasattr(network, zeroed):
                made = getattr(network, zeroed)
                for p in made.parameters() if isinstance(made, torch.nn.Module) else [made]:
                    p.zero_()
    a = found["adjacency"][None]
    noise = drawn_noise([0], (1, 9, max(network.noise, 1)), torch.float64, "cpu")
    z = network.encode(a, noise)
    assert torch.allclose(z[0], found[f"{name}_z"], rtol=0, atol=1e-13)
    probability = network.decode(z)[0].sigmoid() * (1 - torch.eye(9))
    assert torch.allclose(probability, found[name], rtol=0, atol=1e-13)


@networks
def test_edges_reach_the_places_and_logits_are_symmetric(name: str) -> None:
    network = made(name)
    a, noise = inputs(network)
    logits = network(a, noise)
    assert torch.allclose(logits, logits.mT, atol=1e-12)
    others = a.clone()
    others[:, 0, 1] = others[:, 1, 0] = 1 - others[:, 0, 1]
    assert not torch.allclose(network(others, noise), logits, atol=1e-6)


def test_a_gnn_cannot_tell_nodes_of_equal_neighbourhoods_apart_and_noise_can() -> None:
    ring = torch.zeros(1, 6, 6, dtype=torch.float64)
    for k in range(6):
        ring[0, k, (k + 1) % 6] = ring[0, (k + 1) % 6, k] = 1
    for name, spread in (("gnn", False), ("noise-gnn", True), ("egnn", True)):
        network = made(name)
        z = network.encode(ring, drawn_noise([0], (1, 6, network.noise), torch.float64, "cpu"))
        assert bool(z.std(1).max() > 1e-3) == spread, name


def setting(tmp_path: Path, batch_size: int = 4, processes: int = 1) -> Setting:
    return Setting("egnn", batch_size, torch.float64, "cpu", processes, tmp_path)


def test_batches_are_of_one_size_and_every_graph_comes_once(er: Path, tmp_path: Path) -> None:
    task = Autoencoder(GraphDataConfig((str(er),)), AutoencoderOptions(), made("egnn"), setting(tmp_path, 3))
    epoch = list(task.batches(0, 1))
    assert len(epoch) == task.steps_per_epoch
    assert sum(len(b.adjacency) for b in epoch) == 40
    again = list(task.batches(0, 1, skip=2))
    assert all(torch.equal(a.noise, b.noise) for a, b in zip(epoch[2:], again, strict=True))
    assert not torch.equal(epoch[0].noise, next(iter(task.batches(0, 2))).noise)
    halves = [list(task.batches(0, 1, rank=k, count=2)) for k in (0, 1)]
    for whole, *parts in zip(epoch, *halves, strict=True):
        assert torch.equal(whole.adjacency, torch.cat([p.adjacency for p in parts]))
        assert sum(p.fraction for p in parts) == 1.0


@networks
def test_a_mixed_set_is_decoded_as_its_graphs_one_by_one(name: str) -> None:
    network = made(name)
    graphs = GRAPH_PRESETS["erdos-renyi"].part("test", count=30)
    whole = reconstruction(network, [graphs], 3, noise=network.noise, dtype=torch.float64)
    ones = []
    for n in np.unique(graphs.n_nodes):
        chosen = graphs.n_nodes == n
        part = GraphSet(graphs.adjacency[chosen, :n, :n], graphs.n_nodes[chosen])
        ones.append(
            (int(chosen.sum()), reconstruction(network, [part], 3, noise=network.noise, dtype=torch.float64))
        )
    assert whole.pairs == sum(o.pairs for _, o in ones) == int((graphs.n_nodes * (graphs.n_nodes - 1)).sum())
    assert whole.true + whole.missed == int(graphs.adjacency.sum())
    assert np.isclose(whole.bce, sum(k * o.bce for k, o in ones) / 30)


def test_scores_of_a_decoder_that_finds_nothing_and_one_that_finds_all() -> None:
    graphs = graph_set([np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])])

    def nothing(a: Tensor, noise: Tensor) -> Tensor:
        return torch.full_like(a, -1.0)

    def right(a: Tensor, noise: Tensor) -> Tensor:
        return 50 * (a - 0.5)

    blank, perfect = (reconstruction(f, [graphs], 0, noise=0) for f in (nothing, right))
    assert (blank.error_percent, blank.f1) == (pytest.approx(100 / 3), 0.0)
    assert blank.bce == pytest.approx(2 * np.log1p(np.e) + 4 * np.log1p(np.exp(-1)))
    assert (perfect.error_percent, perfect.f1) == (0.0, 1.0)
    assert perfect.bce < 1e-9


@networks
def test_trained_evaluated_and_used(
    name: str, er: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = next(c for c in shipped_configs() if c == "autoencoder-er" + ("" if name == "egnn" else f"-{name}"))
    data = ("--config", config, "--data", str(er), "--device", "cpu")
    status, _, err = command(train, capsys, *data, "--out", "run", *SMALL)
    assert status == 0, err
    assert "% of pairs wrong, F1" in err
    status, table, err = command(evaluate, capsys, "run", "--data", str(er), "--json", "r.json")
    assert status == 0, err
    assert "wrong pairs" in table
    result = json.loads(Path("r.json").read_text())
    assert {"bce", "error_percent", "f1", "samples"} <= set(result)
    assert result["samples"] == 40
    drawn = MODELS[name].noise or name in ("egnn", "radial-field")  # the GNN begins with no noise
    assert len(result["error_percent_by_draw"]) == (DRAWS if drawn else 1)
    assert result["error_percent_by_draw"][0] == result["error_percent"]
    assert (f"mean of {DRAWS} draws" in table) == bool(drawn)
    model = surrogate.load("run")
    assert isinstance(model, GraphAutoencoder)
    with pytest.raises(ModelError, match="forecasts no trajectories"):
        load("run")
    graphs = GRAPH_PRESETS["erdos-renyi"].part("test", count=40)
    z = model.encode(graphs.adjacency, graphs.n_nodes)
    assert z.shape == (40, 16, 3)
    found = model.decode(z, graphs.n_nodes) > 0.5
    true = graphs.adjacency > 0
    assert int((found & true).sum()) == result["true"]
    assert int((found & ~true).sum()) == result["invented"]
    assert not np.array_equal(z, model.encode(graphs.adjacency, graphs.n_nodes, seed=1)) or not model.network.noise
    assert model.outside_training(graphs) == []
    assert "30 nodes (trained: 7 to 16)" in model.outside_training(graph_set([1 - np.eye(30)]))[0]


def test_stopped_and_resumed_it_ends_with_the_same_bytes(
    er: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("--config", "autoencoder-er", "--data", str(er), "--device", "cpu", *SMALL, "--out", "run")
    real, calls = Trainer.loss, 0

    def interrupted(self: Trainer, batch: object) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 23:
            raise KeyboardInterrupt
        return real(self, batch)

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    assert command(train, capsys, *run)[0] == 0
    monkeypatch.chdir(tmp_path / "cut")
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "loss", interrupted)
        assert command(train, capsys, *run)[0] != 0
    assert command(train, capsys, *run, "--resume")[0] == 0
    for file in ("metrics.csv", "best/checkpoint.safetensors"):
        assert (tmp_path / "whole/run" / file).read_bytes() == (tmp_path / "cut/run" / file).read_bytes()


def test_what_cannot_be_trained_or_measured(
    er: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    few = tmp_path / "few.npz"
    write_npz(few, GRAPH_PRESETS["erdos-renyi"].part("test", count=10).arrays)
    for data, said in ((str(few), "training needs at least 11"), ("gone.zarr", "no such set of graphs")):
        status, _, err = command(train, capsys, "--config", "autoencoder-er", "--data", data, "--out", "x")
        assert (status, len(err.splitlines())) == (2, 1)
        assert said in err
        assert not Path("x").exists()
    assert command(train, capsys, "--config", "autoencoder-er", "--data", str(er), "--out", "run", *SMALL)[0] == 0
    for arguments, said in (
        (("--input-frame", "3"), "without frames"),
        (("--data", "few.npz", "--evaluations", "3"), "without frames"),
        (("--data", "gone.npz"), "no such set of graphs"),
        (("--split", "tset"), "--split must be"),
    ):
        status, _, err = command(evaluate, capsys, "run", "--data", str(er), *arguments)
        assert (status, len(err.splitlines())) == (2, 1)
        assert said in err


def test_a_graph_is_shown_beside_what_is_decoded_of_it(
    er: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(train, capsys, "--config", "autoencoder-er", "--data", str(er), "--out", "run", *SMALL)[0] == 0
    one = ("run", "--data", str(er), "--index")
    status, out, err = command(compare, capsys, *one, "3", "--rotate", "0-2:90", "--out", "out")
    assert status == 0, err
    names = ["graph.png", "places.csv", "edges.csv", "graph.json"]
    assert out.split() == [f"out/{name}" for name in names]
    graph = GRAPH_PRESETS["erdos-renyi"].part("test", count=40).graph(3)
    rows = [line.split(",") for line in Path("out/edges.csv").read_text().splitlines()[1:]]
    assert sum(int(row[2]) for row in rows) == graph.sum() // 2
    assert len(Path("out/places.csv").read_text().splitlines()) == len(graph) + 1
    assert np.allclose(
        json.loads(Path("out/graph.json").read_text())["rotation"], [[0, 0, -1], [0, 1, 0], [1, 0, 0]]
    )
    assert Path("out/graph.png").stat().st_size > 10_000
    for arguments, said in (
        ((*one, "99", "--out", "x"), "index 99; it has 0 to 39"),
        ((*one, "3", "--rotate", "0-9:3", "--out", "x"), "axis"),
        (("run", "--scenario", "bound", "--out", "x"), "give --data and --index"),
    ):
        status, _, err = command(compare, capsys, *arguments)
        assert (status, len(err.splitlines())) == (2, 1)
        assert said in err
        assert not Path("x").exists()


def test_a_run_is_published_with_a_card_and_loaded_by_its_name(
    er: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for module in (shipped, task_card):
        monkeypatch.setattr(module, "ZOO", tmp_path / "zoo")
    run = ("--config", "autoencoder-er", "--data", str(er), "--device", "cpu", *SMALL)
    assert command(train, capsys, *run, "--out", "run")[0] == 0
    status, card, err = command(publish, capsys, "mine", "run", "--data", str(er))
    assert status == 0, err
    assert "wrong pairs" in card
    assert "python -m surrogate.train --config autoencoder-er" in card
    assert list(shipped.shipped_models_of_any_task()) == ["mine"]
    assert shipped.shipped_models() == {}
    assert surrogate.load("mine").card["results"][0]["samples"] == 40
    assert command(evaluate, capsys, "mine", "--data", str(er))[0] == 0
