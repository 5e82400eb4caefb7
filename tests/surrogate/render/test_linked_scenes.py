"""Scenes of graphs and molecules: which lines there are, in which colour, and what is written."""

import numpy as np

from surrogate.render.graph_scene import INVENTED, MISSED, TRUE, graph_scene
from surrogate.render.molecule_scene import bonds, molecule_scene
from surrogate.render.theme import rgb

RING = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])


def test_edges_are_found_missed_or_invented() -> None:
    z = np.random.default_rng(0).normal(size=(4, 5))
    probability = np.where(RING > 0, 0.9, 0.1)
    probability[0, 1] = probability[1, 0] = 0.2
    probability[0, 2] = probability[2, 0] = 0.7
    scene = graph_scene(z, RING, probability, model="m", name="ring", badge="outside training: size")
    truth, decoded = scene.panes
    assert (truth.trails.shape, decoded.trails.shape) == ((2, 4, 3), (2, 5, 3))
    shades = [tuple(c) for c in decoded.trail_colours[0, :, :3].tolist()]
    counts = {colour: shades.count(tuple(rgb(colour).astype(int))) for colour in (TRUE, MISSED, INVENTED)}
    assert counts == {TRUE: 3, MISSED: 1, INVENTED: 1}
    assert [word for word, _ in scene.legend.key] == ["found 3", "missed 1", "invented 1"]
    assert decoded.footer == "33.3 % of pairs wrong   F1 0.750"
    assert decoded.badge.startswith("outside training")
    assert len(scene.labels) == 5
    ends = truth.trails.swapaxes(0, 1)
    assert all(np.isin(end, truth.points).all() for end in ends)


def test_a_graph_without_edges_is_drawn() -> None:
    scene = graph_scene(np.eye(3), np.zeros((3, 3)), np.zeros((3, 3)), model="m", name="empty")
    assert scene.panes[0].trails.shape == (2, 0, 3)
    assert scene.panes[1].footer == "0 % of pairs wrong   F1 1.000"


def test_bonds_are_found_by_distance() -> None:
    numbers = np.array([8, 1, 1])
    positions = np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]])
    assert bonds(numbers, positions).tolist() == [[0, 1], [0, 2]]
    assert bonds(numbers, 3 * positions).tolist() == []
    scene = molecule_scene(numbers, positions, title="H2O", footer="alpha 6.3")
    assert [word for word, _ in scene.legend.key] == ["H", "O"]
    assert scene.panes[0].radii[0] > scene.panes[0].radii[1]
