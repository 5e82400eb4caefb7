"""Sets of graphs: the published streams, and what files of graphs may be."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from physics.errors import InputError
from surrogate.graphs import main
from surrogate.tasks.array_sets import write_npz
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS, components, copies, erdos_renyi_overfit
from surrogate.tasks.autoencoder.graph_set import checked, read_graphs
from tests.surrogate.helpers import command

PATH = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=np.uint8)


def test_the_published_sets_have_the_published_densities() -> None:
    community = GRAPH_PRESETS["community-small"].part("test")
    pairs = community.n_nodes * (community.n_nodes - 1)
    assert round(100 * community.adjacency.sum() / pairs.sum(), 2) == 31.79  # the error of finding no edge at all
    assert round(100 * GRAPH_PRESETS["erdos-renyi"].part("test").densities().mean(), 2) == 25.13


def test_published_communities_repeat_and_repaired_ones_do_not() -> None:
    published, repaired = GRAPH_PRESETS["community-small"], GRAPH_PRESETS["community-small-repaired"]
    assert copies(published.part("test"), published.part("train")) == 365
    assert copies(repaired.part("test"), repaired.part("train", count=1000)) == 0
    assert set(repaired.part("test").n_nodes) == set(range(12, 21))
    assert copies(published.part("test", count=20), published.part("test", count=20)) == 20


@pytest.mark.parametrize("preset", GRAPH_PRESETS)
def test_a_preset_gives_graphs(preset: str) -> None:
    graphs = GRAPH_PRESETS[preset].part("valid", seed=5, count=20)
    assert len(graphs) == 20
    checked(preset, {"adjacency": graphs.adjacency, "n_nodes": graphs.n_nodes})
    again = GRAPH_PRESETS[preset].part("valid", seed=5, count=20)
    assert np.array_equal(graphs.adjacency, again.adjacency)
    assert copies(graphs, GRAPH_PRESETS[preset].part("valid", seed=6, count=20)) < 20
    if preset.startswith("community"):
        assert all(len(components(graphs.graph(k))) == 1 for k in range(20))


@pytest.mark.parametrize(("p", "density"), [(0.0, 0.0), (1.0, 1.0)])
def test_overfit_sets_are_of_every_density(p: float, density: float) -> None:
    graphs = erdos_renyi_overfit(p)
    assert len(graphs) == 100
    assert np.all(graphs.densities() == density)


def test_the_draws_are_those_of_networkx() -> None:
    import random

    random.seed(2)
    first = [nx.to_numpy_array(nx.gnp_random_graph(n, 0.25)) for _ in range(2) for n in range(7, 17)]
    random.shuffle(first)
    ours = GRAPH_PRESETS["erdos-renyi"].part("test", count=20)
    assert all(np.array_equal(ours.graph(k), first[k]) for k in range(20))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"adjacency": np.eye(3)[None]}, "graph 0: a node is joined to itself"),
        ({"adjacency": np.triu(PATH)[None]}, "graph 0: adjacency is not symmetric"),
        ({"adjacency": 2 * PATH[None]}, "graph 0: adjacency must be 0 or 1"),
        ({"n_nodes": np.array([2])}, "graph 0: edges of nodes from n_nodes on"),
        ({"n_nodes": np.array([1])}, "graph 0: n_nodes must be from 2 to 3"),
        ({"n_nodes": np.array([4])}, "graph 0: n_nodes must be from 2 to 3"),
        ({"n_nodes": np.array([3, 3])}, "n_nodes must be 1 whole numbers"),
        ({"n_nodes": np.array([3.0])}, "n_nodes must be 1 whole numbers"),
        ({"adjacency": PATH}, r"adjacency must be numbers \(samples, M, M\)"),
        ({"adjacency": np.zeros((0, 3, 3)), "n_nodes": np.zeros(0, dtype=int)}, "adjacency must be numbers"),
        ({"adjacency": np.full((1, 3, 3), np.nan)}, "adjacency must be 0 or 1"),
    ],
)
def test_what_is_no_set_of_graphs(change: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    arrays = {"adjacency": PATH[None], "n_nodes": np.array([3])}
    checked("file", arrays)
    np.savez(tmp_path / "g.npz", **(arrays | change))
    with pytest.raises(InputError, match=said) as caught:
        read_graphs(tmp_path / "g.npz")
    assert len(str(caught.value).splitlines()) == 1


def test_damaged_missing_and_foreign_files(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    write_npz(good, GRAPH_PRESETS["erdos-renyi"].part("test", count=10).arrays)
    (tmp_path / "cut.npz").write_bytes(good.read_bytes()[:200])
    np.savez(tmp_path / "other.npz", positions=np.zeros(3))
    (tmp_path / "x.graphml").write_text("<graphml", encoding="utf-8")
    (tmp_path / "x.csv").write_text("1,2\n", encoding="utf-8")
    (tmp_path / "one.edges").write_text("", encoding="utf-8")
    (tmp_path / "loop.edges").write_text("a b\nb b\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    nx.write_graphml(nx.DiGraph([(0, 1)]), tmp_path / "way.graphml")
    for name, said in (
        ("cut.npz", "not a readable .npz"), ("other.npz", "no array 'adjacency'"), ("x.graphml", "not readable"),
        ("x.csv", "not a set of graphs"), ("one.edges", "a graph of 0 nodes"), ("loop.edges", "self loop"),
        ("empty", "neither a Zarr folder"), ("gone", "no such set"), ("way.graphml", "directed"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said) as caught:
            read_graphs(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert len(str(caught.value).splitlines()) == 1


def test_own_graphs_are_read_by_networkx(tmp_path: Path) -> None:
    graph = nx.path_graph(3)
    graph.add_edge(3, 4)  # a disconnected part
    nx.write_edgelist(graph, tmp_path / "a.edges")
    nx.write_graphml(graph, tmp_path / "b.graphml")
    nx.write_gml(nx.complete_graph(3), tmp_path / "c.gml")
    for name in ("a.edges", "b.graphml"):
        assert np.array_equal(read_graphs(tmp_path / name).graph(0), nx.to_numpy_array(graph))
    whole = read_graphs(tmp_path)
    assert whole.n_nodes.tolist() == [5, 5, 3]
    assert whole.graph(2).sum() == 6


def test_the_command_draws_writes_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "er.zarr")
    status, said, err = command(main, capsys, "--preset", "erdos-renyi", "--graphs", "20", "--out", out)
    assert status == 0, err
    assert said.startswith("train: 20 graphs of 7 to 16 nodes")
    assert [len(read_graphs(out, part)) for part in ("train", "valid", "test")] == [20, 20, 20]
    one = str(tmp_path / "test.npz")
    same = ("--preset", "erdos-renyi", "--graphs", "20")
    assert command(main, capsys, *same, "--split", "test", "--out", one)[0] == 0
    assert np.array_equal(read_graphs(one).adjacency, read_graphs(out).adjacency)
    for arguments, text in (
        (("--preset", "erdos-reny", "--out", "x.zarr"), "did you mean 'erdos-renyi'"),
        ((*same, "--out", out), "already exists"),
        ((*same, "--out", "x.npz"), "ends in .zarr"),
        ((*same, "--split", "tset", "--out", "x.npz"), "did you mean 'test'"),
        (("--preset", "erdos-renyi"), "--out"),
    ):
        status, _, err = command(main, capsys, *arguments)
        assert status == 2
        assert text in err
        assert len(err.splitlines()) == 1
    assert {preset in command(main, capsys, "--list")[1] for preset in GRAPH_PRESETS} == {True}
