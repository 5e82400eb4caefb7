import numpy as np
import pytest

from physics.observables import total_energy
from surrogate.comparison.comparison import with_energy_shares
from surrogate.render import ViewOptions, build_scene
from surrogate.render.hud import Numbers, footer, headline


def test_the_read_out(comparison_of):
    c = comparison_of(3, details={"recipe": {"seed": 7}})
    scene = build_scene(c, 2)
    assert scene.headline == "t = 0.20   frame 3 of 12   dt = 0.1\nn = 3   N = 5   seed 7   coulomb"
    first = total_energy(c.truth)[0]
    for pane in scene.panes:
        energy = total_energy(getattr(c, pane.source))[2]
        assert pane.footer.endswith(f"energy drift {abs(energy - first) / abs(first):.1e}")
    assert scene.panes[1].footer.startswith(f"RMSE {c.position_rmse()[2]:.4f}")
    assert "RMSE" not in scene.panes[0].footer


def test_it_can_be_put_out_and_then_no_energy_is_computed(comparison_of, monkeypatch):
    monkeypatch.setattr("physics.observables.particle_energies", lambda *a: pytest.fail("computed"))
    scene = build_scene(comparison_of(3), 2, ViewOptions(hud=False))
    assert scene.headline == ""
    assert [pane.footer for pane in scene.panes] == ["", "", ""]


def test_energies_that_are_there_are_not_computed_again(comparison_of, monkeypatch):
    c = comparison_of(3)
    known = with_energy_shares(c)
    assert set(known.energy_shares) == {"truth", "forecast", "rollout"}
    assert with_energy_shares(comparison_of(3, law_known=False)).energy_shares == {}
    plain = build_scene(c, 2, ViewOptions(colour_by="energy"))
    monkeypatch.setattr("physics.observables.particle_energies", lambda *a: pytest.fail("computed"))
    scene = build_scene(known, 2, ViewOptions(colour_by="energy"))
    assert [pane.footer for pane in scene.panes] == [pane.footer for pane in plain.panes]
    assert all((a.colours == b.colours).all() for a, b in zip(scene.panes, plain.panes, strict=True))


def test_what_is_not_known_is_left_out(comparison_of):
    c = comparison_of(3, law_known=False)
    scene = build_scene(c, 2)
    assert "seed" not in scene.headline
    assert "drift" not in "".join(pane.footer for pane in scene.panes)
    assert scene.headline.endswith("law unknown")
    assert footer(Numbers(None, None), 0) == ""


def test_without_a_pane_of_its_own_the_truth_tells_its_drift(comparison_of):
    line = headline(comparison_of(3), 0, None, Numbers(None, np.array([1.5e-6])))
    assert line.endswith("\nenergy drift of the truth 1.5e-06")


def test_a_seed_given_beside_the_recipe_counts(comparison_of):
    assert "seed 3" in headline(comparison_of(3, details={"seed": 3, "recipe": {"seed": 7}}), 0)
    assert "seed" not in headline(comparison_of(3, details={"seed": None}), 0)
