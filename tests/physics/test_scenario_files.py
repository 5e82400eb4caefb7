"""Scenarios written as TOML are read back to the same state, bit for bit."""

import tomllib

import numpy as np
import pytest

from physics.errors import InputError
from physics.scenario_files import scenario_text, scenario_tree, write_scenario
from physics.scenarios import Scenario, load_scenario, scenario_from_tree, shipped_scenarios


def awkward(n: int = 7, d: int = 4, **changes) -> Scenario:
    rng = np.random.default_rng(5)
    x, v = rng.standard_normal((2, n, d)) * 10.0 ** rng.integers(-12, 3, (2, n, d))
    x[0, 0], x[1, 1] = -0.0, 5e-324
    tree = {
        "title": 'Quotes " and \\ and é',
        "law": "coulomb",
        "parameters": {"eps": 0.1 + 0.2, "p": "gauss"},
        "duration": 7.3,
        "frame_interval": 1 / 30,
        "start": 3.1,
        "particles": {
            "charges": rng.standard_normal(n).tolist(),
            "masses": rng.uniform(0.1, 3.0, n).tolist(),
            "positions": x.tolist(),
            "velocities": v.tolist(),
        },
    }
    return scenario_from_tree({**tree, **changes}, "awkward", "test")


FIELDS = {
    "electric": [1 / 3, -0.0, 5e-324, 1e17],
    "magnetic": [[0.0, 1 / 7, 0, 0], [-1 / 7, 0.0, 2e-9, 0], [0, -2e-9, 0, 0.1], [0, 0, -0.1, 0]],
    "drag": 0.1 + 0.2,
    "trap": -1 / 3,
}


@pytest.mark.parametrize(
    "changes",
    [{}, {"dt": 1e-4}, {"law": "gravity", "parameters": {"G": 2.0 / 3.0}}, {"fields": FIELDS}]
    + [{"fields": {key: value}} for key, value in FIELDS.items()],
)
def test_a_state_is_read_back_bit_for_bit(tmp_path, changes):
    scenario = awkward(**changes)
    write_scenario(tmp_path / "a.toml", scenario)
    again = load_scenario(str(tmp_path / "a.toml"))
    (system, state), (system2, state2) = scenario.initial(), again.initial()
    for a, b in (
        (state.positions, state2.positions),
        (state.velocities, state2.velocities),
        (system.charges, system2.charges),
        (system.masses, system2.masses),
        (system.fields.packed(4), system2.fields.packed(4)),
    ):
        assert a.tobytes() == b.tobytes()
    assert (state.time, system.law, dict(system.parameters)) == (3.1, system2.law, dict(system2.parameters))
    assert system.fields.any == ("fields" in changes)
    assert (again.duration, again.frame_interval, again.dt) == (7.3, 1 / 30, changes.get("dt"))
    assert again.title == scenario.title


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_survive(name):
    scenario = load_scenario(name)
    tree = tomllib.loads(scenario_text(scenario))
    again = scenario_from_tree(tree, name, "again")
    assert scenario_tree(again) == scenario_tree(scenario)


def test_what_the_reader_refuses_is_not_written(tmp_path):
    bad = Scenario("bad", "Bad", "", "coulomb", {}, particles={"charges": [1.0], "positions": [[0.0]]})
    with pytest.raises(InputError, match="velocities must be a non-empty list"):
        write_scenario(tmp_path / "bad.toml", bad)
    assert list(tmp_path.iterdir()) == []


def test_the_state_of_a_fixed_scenario_is_at_its_start():
    system, state = awkward(start=2.5).initial()
    assert state.time == 2.5
    assert awkward(start=2.5).trajectory(system, state, 3).times[0] == 2.5
