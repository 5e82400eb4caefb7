import numpy as np
import pytest

from physics.errors import InputError
from physics.observables import momentum, total_energy
from physics.rotations import plane_rotation, random_orthogonal
from physics.scenarios import MAX_PARTICLES, SIZE_LIMIT, load_scenario, shipped_scenarios
from physics.types import State

SHIPPED = list(shipped_scenarios())

HEAD = 'title = "t"\nlaw = "coulomb"\n'
PARTICLES = "[particles]\ncharges = [1.0, -1.0]\npositions = [[0.0, 0.0], [1.0, 0.0]]\n"
FIXED = HEAD + PARTICLES + "velocities = [[0.0, 0.1], [0.0, -0.1]]\n"
RANDOM = HEAD + '[random]\npreset = "charged-iso"\nparticles = 3\ndims = 2\nseed = 1\n'


def from_text(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_scenario(str(path))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenario_runs_and_stays_finite(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title
    assert len(scenario.description) > 20
    system, state = scenario.initial()
    assert state.n_dims == scenario.dims
    assert state.time == pytest.approx(scenario.start)
    path = scenario.trajectory(system, state, n_frames=6)
    assert path.n_frames == 6
    assert path.times[1] - path.times[0] == pytest.approx(scenario.frame_interval)
    assert np.isfinite(path.positions).all()
    assert np.abs(path.positions[-1] - path.positions[0]).max() > 1e-3
    if system.law == "coulomb" and not system.fields.drag:
        energy = total_energy(path)
        assert np.ptp(energy) < 1e-3 * max(1.0, np.abs(energy).max())
    if system.law == "coulomb" and not system.fields.any:
        assert np.ptp(momentum(path), axis=0).max() < 1e-10


def test_shipped_scenarios_exist():
    assert {"binary", "bound", "published", "hexagon"} <= set(SHIPPED)


def test_default_frames_span_the_duration(tmp_path):
    scenario = from_text(tmp_path, "duration = 1.0\nframe_interval = 0.25\n" + FIXED)
    path = scenario.trajectory(*scenario.initial())
    np.testing.assert_allclose(path.times, [0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize("name", SHIPPED)
def test_more_dimensions(name):
    scenario = load_scenario(name)
    own = scenario.dims
    if name == "published":
        with pytest.raises(InputError, match="n = 3 and N = 5 only"):
            scenario.initial(dims=4)
        return
    system, state = scenario.initial(dims=own + 2)
    assert state.n_dims == own + 2
    if scenario.random:
        return
    assert not state.positions[:, own:].any()
    assert not state.velocities[:, own:].any()
    if scenario.parameters.get("p") == "gauss":
        return  # its law changes with n: tests/app/test_lessons.py
    padded = scenario.trajectory(system, state, n_frames=4)
    plain = scenario.trajectory(*scenario.initial(), n_frames=4)
    np.testing.assert_allclose(
        padded.positions[..., :own], plain.positions, rtol=0, atol=1e-12 if scenario.fields.any else 0
    )
    with pytest.raises(InputError, match=f"'{name}' needs n = {own} or more; got --dims {own - 1}"):
        scenario.initial(dims=own - 1)
    for choice in ({"n_particles": 3}, {"seed": 1}):
        with pytest.raises(InputError, match="is fixed"):
            scenario.initial(**choice)


def test_drawn_scenario_is_drawn_anew():
    scenario = load_scenario("bound-2d")
    system, state = scenario.initial(dims=1, n_particles=3, seed=9)
    assert state.positions.shape == (3, 1)
    assert state.time == pytest.approx(3.1)
    again = scenario.initial(dims=1, n_particles=3, seed=9)[1]
    np.testing.assert_array_equal(again.positions, state.positions)
    assert not np.array_equal(scenario.initial(dims=1, n_particles=3, seed=8)[1].positions, state.positions)
    np.testing.assert_array_equal(np.abs(np.diff(system.charges)), 2.0)  # alternating signs


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"dims": 0}, "dims must be from 1 to 64; got 0"),
        ({"dims": 65}, "dims must be from 1 to 64; got 65"),
        ({"n_particles": 0}, "n_particles must be from 1"),
        ({"n_particles": MAX_PARTICLES + 1}, "n_particles must be from 1"),
        ({"seed": -1}, "seed must be from 0"),
    ],
    ids=str,
)
def test_choices_out_of_range(choice, words):
    with pytest.raises(InputError, match=words):
        load_scenario("bound").initial(**choice)


def test_published_scenario_is_a_published_trajectory_from_frame_30_on():
    system, state = load_scenario("published").initial(seed=0)
    path = load_scenario("published").trajectory(system, state, n_frames=3)
    assert path.velocity_offset == pytest.approx(-0.0005)
    with pytest.raises(InputError, match="2000 published test trajectories; got 2000"):
        load_scenario("published").initial(seed=2000)


def test_hexagon_maps_to_itself_under_a_turn_by_120_degrees():
    scenario = load_scenario("hexagon")
    path = scenario.trajectory(*scenario.initial(), n_frames=20)
    R = plane_rotation(3, 0, 1, np.radians(120))
    np.testing.assert_allclose(path.positions @ R.T, np.roll(path.positions, -2, axis=1), atol=1e-9)
    assert np.abs(path.positions @ R.T - np.roll(path.positions, -1, axis=1)).max() > 0.1


def test_own_file(tmp_path):
    scenario = from_text(tmp_path, "dt = 1e-3\n" + FIXED + "masses = [1.0, 2.0]\n[parameters]\neps = 0.2\n")
    assert scenario.name == "own"
    assert scenario.parameters["eps"] == 0.2
    system, _ = scenario.initial()
    np.testing.assert_array_equal(system.masses, [1.0, 2.0])
    assert from_text(tmp_path, RANDOM).initial()[1].positions.shape == (3, 2)
    assert from_text(tmp_path, FIXED + "masses = 3\n").initial()[0].masses[1] == 3.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("title is missing",)),
        ("title = 'a'\n", ("law is missing",)),
        ("title = \n", ("not valid TOML", "line 1")),
        (b"title = '\xff'", ("not UTF-8",)),
        (b"\x00", ("not valid TOML",)),
        (HEAD, ("either [particles] or [random]",)),
        (FIXED + RANDOM[len(HEAD) :], ("either [particles] or [random]",)),
        ("titel = 'a'\n" + FIXED, ("unknown key", "'titel'", "did you mean 'title'")),
        ("duration = 'long'\n" + FIXED, ("duration has the wrong type", "'long'")),
        ("duration = true\n" + FIXED, ("duration has the wrong type", "True")),
        ("duration = 1979-05-27\n" + FIXED, ("duration has the wrong type",)),
        ("duration = nan\n" + FIXED, ("duration must be positive and finite", "nan")),
        ("duration = 1" + "0" * 400 + "\n" + FIXED, ("duration must be positive and finite",)),
        ("duration = 1" + "0" * 5000 + "\n" + FIXED, ("not valid TOML",)),
        ("duration = -1.0\n" + FIXED, ("duration must be positive", "-1.0")),
        ("dt = 0\n" + FIXED, ("dt must be positive", "0.0")),
        ("duration = 1e9\n" + FIXED, ("2 to 100000 frames",)),
        ("frame_interval = 9.0\n" + FIXED, ("2 to 100000 frames",)),
        (FIXED.replace("coulomb", "colomb"), ("unknown law 'colomb'", "did you mean 'coulomb'")),
        (FIXED + "[parameters]\nesp = 1\n", ("'esp'", "did you mean 'eps'")),
        (FIXED + "[parameters]\neps = inf\n", ("eps", "finite number", "inf")),
        (FIXED + "[parameters]\neps = -1\n", ("eps", ">= 0")),
        (FIXED + "[parameters]\neps = 1" + "0" * 400 + "\n", ("eps", "finite number")),
        (FIXED + "mass = 1\n", ("unknown key", "[particles]", "did you mean 'masses'")),
        (HEAD + PARTICLES, ("[particles] velocities must be a non-empty list",)),
        (FIXED.replace("[1.0, -1.0]", "1.0"), ("charges must be a non-empty list",)),
        (FIXED.replace("[1.0, -1.0]", "[1.0]"), ("a row for each of 1 charges; got 2",)),
        (FIXED.replace("[1.0, 0.0]", "[1.0]"), ("positions must be numbers",)),
        (FIXED.replace("[1.0, 0.0]", "[1.0, nan]"), ("positions must be finite", "(1, 1)")),
        (FIXED.replace("[1.0, 0.0]", "['1.0', '0.0']"), ("positions must be numbers",)),
        (FIXED.replace("[1.0, 0.0]", "[1.0, 1" + "0" * 400 + "]"), ("positions must be numbers",)),
        (FIXED.replace("[[0.0, 0.1], [0.0, -0.1]]", "[[0.0], [0.0]]"), ("velocities", "(2, 2)", "(2, 1)")),
        (FIXED + "masses = [1.0, 0.0]\n", ("masses must be positive",)),
        (FIXED + "masses = {a = 1}\n", ("masses must be numbers",)),
        (RANDOM.replace("charged-iso", "charged-is"), ("preset", "did you mean 'charged-iso'")),
        (RANDOM.replace("dims = 2", "dims = 2.0"), ("[random] dims must be int", "2.0")),
        (RANDOM.replace("dims = 2", "dims = 0"), ("dims 1 to 64",)),
        (RANDOM.replace("dims = 2\n", ""), ("[random] dims must be int", "None")),
        (RANDOM.replace("particles = 3", "particles = 99999999999"), (f"1 to {MAX_PARTICLES}",)),
        (RANDOM.replace("seed = 1", "seed = -1"), ("seed must be from 0",)),
        (RANDOM + "sead = 2\n", ("'sead'", "did you mean 'seed'")),
        ("x" + "." * 500_000, ("not valid TOML",)),
        ("a" + ".a" * 400_000 + " = 1\n", ("line 1 is too deeply nested",)),
        (FIXED + "[parameters.eps" + ".a" * 100_000 + "]\nx = 1\n", ("too deeply nested",)),
        ("duration = " + "[" * 5000 + "]" * 5000 + "\n", ("not valid TOML",)),
        ("title = '" + "x" * SIZE_LIMIT + "'\n", (f"at most {SIZE_LIMIT}",)),
    ],
    ids=range(46),
)
@pytest.mark.filterwarnings("error")
def test_bad_file_is_refused_in_one_line_that_names_it(text, words, tmp_path):
    with pytest.raises(InputError) as caught:
        from_text(tmp_path, text)
    message = str(caught.value)
    assert "own.toml" in message
    assert len(message) < 500
    for word in words:
        assert word in message


def test_missing_file_folder_and_unknown_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml: no such file"):
        load_scenario(str(tmp_path / "none.toml"))
    (tmp_path / "dir.toml").mkdir()
    with pytest.raises(InputError, match="is a folder; expected a file"):
        load_scenario(str(tmp_path / "dir.toml"))
    with pytest.raises(InputError, match="unknown scenario 'boundd'; did you mean 'bound'"):
        load_scenario("boundd")


def whole(name):
    """All of a scenario's duration, at its own frames."""
    scenario = load_scenario(name)
    return scenario.trajectory(*scenario.initial())


def test_fields_of_the_shipped_scenarios_do_what_is_said():
    drift = whole("drift")
    system, way = drift.system, (drift.positions[-1] - drift.positions[0]) / (drift.times[-1] - drift.times[0])
    b = np.array([0.0, 0.0, system.fields.magnetic[0, 1]])
    np.testing.assert_allclose(way[:, 1], np.cross(system.fields.electric, b)[1] / (b @ b), rtol=0.2)
    torus = whole("gyration-4d")
    assert np.linalg.norm(torus.positions, axis=-1).max() < 3.0  # no direction is free
    rest = whole("trap")
    radii = np.linalg.norm(rest.positions[-1], axis=-1)
    np.testing.assert_allclose(radii, radii.mean(), rtol=0.01)  # an octahedron
    apart = np.linalg.norm(rest.positions[-1][:, None] - rest.positions[-1], axis=-1)
    np.testing.assert_allclose(np.sort(apart, axis=1)[:, 1:5], 2**0.5 * radii.mean(), rtol=0.02)


@pytest.mark.parametrize("name", ["gyration", "gyration-4d", "drift", "trap"])
def test_a_scenario_with_fields_turns_with_the_world(name):
    scenario = load_scenario(name)
    system, state = scenario.initial()
    R = random_orthogonal(state.n_dims, np.random.default_rng(2))
    here = scenario.trajectory(system, state, n_frames=21).transformed(R)
    turned = State(state.positions @ R.T, state.velocities @ R.T, state.time)
    there = scenario.trajectory(system.transformed(R), turned, n_frames=21)
    np.testing.assert_allclose(there.positions, here.positions, atol=1e-9)
    np.testing.assert_allclose(total_energy(there), total_energy(here), atol=1e-9)  # its system turned along
    if system.fields.n_dims:
        kept = scenario.trajectory(system, turned, n_frames=21)
        assert np.abs(kept.positions - here.positions).max() > 1e-2


def test_fields_in_another_dimension():
    scenario = load_scenario("gyration")
    system, _ = scenario.initial(dims=5)
    assert system.fields.magnetic.shape == (5, 5)
    np.testing.assert_array_equal(system.fields.magnetic[:3, :3], scenario.fields.magnetic)
    assert not system.fields.magnetic[3:].any()
    with pytest.raises(InputError, match="fields are for n = 3 and cannot be cut to n = 2"):
        scenario.fields.padded(2)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("electric = [1.0, 0.0, 0.0]", r"\[fields\] are for n = 3; the scenario has n = 2"),
        ("magnetic = [[0.0, 1.0], [1.0, 0.0]]", r"\[fields\] magnetic must be antisymmetric; got 1 at \(0, 1\)"),
        ("magnetic = [[0.0, 1.0]]", r"\[fields\] magnetic must be \(n_dims, n_dims\)"),
        ('electric = ["up", 0.0]', r"\[fields\] electric must be numbers"),
        ("electric = [inf, 0.0]", r"\[fields\] electric must be finite; got inf"),
        ("electric = 2.0", r"\[fields\] electric has the wrong type; got 2.0"),
        ("drag = -1.0", r"\[fields\] drag must be >= 0; got -1"),
        ("trap = true", r"\[fields\] trap has the wrong type; got True"),
        ("gravity = 1.0", r"unknown key in .*\[fields\] 'gravity'"),
    ],
)
@pytest.mark.parametrize("kind", [FIXED, RANDOM], ids=["fixed", "random"])
def test_what_fields_of_a_scenario_cannot_be(tmp_path, kind, table, said):
    with pytest.raises(InputError, match=said) as refused:
        from_text(tmp_path, kind + "[fields]\n" + table + "\n")
    assert "\n" not in str(refused.value)


def test_the_published_law_takes_no_magnetic_field_and_no_drag(tmp_path):
    text = FIXED.replace("coulomb", "reference") + "[fields]\ndrag = 0.5\n"
    with pytest.raises(InputError, match="law 'reference' takes no magnetic field and no drag"):
        from_text(tmp_path, text)
    assert from_text(tmp_path, text.replace("drag", "trap")).fields.trap == 0.5
    with pytest.raises(InputError, match="scenario 'gyration': law 'reference' takes no magnetic field"):
        load_scenario("gyration").clamped()
