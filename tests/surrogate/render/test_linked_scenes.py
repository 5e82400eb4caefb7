"""Scenes of graphs and molecules: which lines there are, in which colour, and what is written."""

import numpy as np

from surrogate.comparison.task_samples import GraphSample, MoleculeSample, Place
from surrogate.render.graph_scene import COLOURS, graph_scene
from surrogate.render.molecule_scene import bonds, molecule_scene
from surrogate.render.theme import rgb

PLACE = Place("set.npz", "test", 0, 1)
RING = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])


def test_edges_are_found_missed_or_invented() -> None:
    z = np.random.default_rng(0).normal(size=(4, 5))
    probability = np.where(RING > 0, 0.9, 0.1)
    probability[0, 1] = probability[1, 0] = 0.2
    probability[0, 2] = probability[2, 0] = 0.7
    sample = GraphSample(
        "m", "", PLACE, np.eye(5), "", ("5 nodes",), z, RING.astype(np.uint8), np.float32(probability)
    )
    scene = graph_scene(sample)
    truth, decoded = scene.panes
    assert (truth.trails.shape, decoded.trails.shape) == ((2, 4, 3), (2, 5, 3))
    shades = [tuple(c) for c in decoded.trail_colours[0, :, :3].tolist()]
    counts = {name: shades.count(tuple(rgb(colour).astype(int))) for name, colour in COLOURS.items()}
    assert counts == {"found": 3, "missed": 1, "invented": 1}
    assert [word for word, _ in scene.legend.key] == ["found 3", "missed 1", "invented 1"]
    assert decoded.footer == "33.3 % of pairs wrong   F1 0.750"
    assert decoded.badge.startswith("outside training")
    assert len(scene.labels) == 5
    ends = truth.trails.swapaxes(0, 1)
    assert all(np.isin(end, truth.points).all() for end in ends)


def test_a_graph_without_edges_is_drawn() -> None:
    none = np.zeros((3, 3), np.uint8)
    scene = graph_scene(GraphSample("m", "", PLACE, np.eye(3), "", (), np.eye(3), none, np.float32(none)))
    assert scene.panes[0].trails.shape == (2, 0, 3)
    assert scene.panes[1].footer == "0 % of pairs wrong   F1 1.000"


def test_bonds_are_found_by_distance() -> None:
    numbers = np.array([8, 1, 1])
    positions = np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]])
    assert bonds(numbers, positions).tolist() == [[0, 1], [0, 2]]
    assert bonds(numbers, 3 * positions).tolist() == []
    told, units = {"alpha": 6.3}, {"alpha": "bohr^3"}
    scene = molecule_scene(
        MoleculeSample("m", "", PLACE, np.eye(3), "", (), numbers, positions, told, told, units)
    )
    assert scene.panes[0].title == "H2O"
    assert scene.panes[0].footer == "m: alpha 6.3 bohr^3 (true 6.3)"
    assert [word for word, _ in scene.legend.key] == ["H", "O"]
    assert scene.panes[0].radii[0] > scene.panes[0].radii[1]
