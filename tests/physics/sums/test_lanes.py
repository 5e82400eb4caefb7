"""The lane kernels' own promises: accuracy, and the same bits in every layout."""

import sys

import numpy as np
import pytest

from physics.errors import InputError, SimulationError
from physics.integrators import INTEGRATORS
from physics.kernels.inverse_cube import FARTHEST, GROUP
from physics.kernels.parameters import Forces, PairConstants
from physics.laws import LAWS
from physics.laws.inverse_power import INVERSE_POWER
from physics.laws.names import resolve_parameters
from physics.laws.packing import packed_parameters
from physics.simulate import simulate_batch
from physics.stepping.batch import aligned_zeros, block_lanes, pack_lanes
from physics.stepping.schedule import Schedule
from physics.sums.accelerations import lane_acceleration
from physics.sums.large_systems import LARGE
from physics.sums.rows import ROWS, takes_rows
from tests.physics import oracle
from tests.physics.tolerances import tolerance


def inverse_cubes(r2):
    """What the kernels take for r^-3, (count,)."""
    packed = np.concatenate([r2, np.ones(GROUP)])
    INVERSE_POWER.coefficients(PairConstants(exponent=2.0), packed, len(r2))
    return packed[: len(r2)]


def cube_error(r2, got):
    exact = r2.astype(np.longdouble)
    exact = 1 / (exact * np.sqrt(exact))
    return float(np.max(np.abs(got / exact - 1)))


def test_inverse_cube_is_right_to_round_off(rng):
    r2 = np.concatenate([np.linspace(1.0, 4.0, 100_001), np.exp(rng.uniform(-400, 400, 100_000))])
    assert cube_error(r2, inverse_cubes(r2)) < tolerance("inverse_cube")
    assert cube_error(r2, inverse_cubes(r2 * (1 + 4e-16))) > tolerance("inverse_cube")  # and the check bites


def test_inverse_cube_at_the_edges():
    got = inverse_cubes(np.array([0.0, np.nan, np.inf, FARTHEST**2, 1e-200]))
    assert not np.isfinite(got[:3]).any()  # nothing singular passes for a number
    assert got[3] == 0.0
    assert got[4] == pytest.approx(1e300, rel=1e-15)


def test_positions_that_overflow_are_refused():
    x = np.array([[[0.0, 0.0], [1e151, 0.0]]])
    schedule = Schedule(np.array([1]), np.array([1e-3]))
    with pytest.raises(InputError, match=r"positions must be within 1e\+150.*got 1e\+151"):
        simulate_batch(x, np.zeros_like(x), np.ones((1, 2)), schedule=schedule)
    x[0, 1] = 0.9 * FARTHEST
    assert np.isfinite(simulate_batch(x, np.zeros_like(x), np.ones((1, 2)), schedule=schedule)[0]).all()


@pytest.mark.parametrize("n", [3, LARGE])
def test_coincident_particles_are_found_among_those_that_share_a_coordinate(n, rng):
    x = rng.standard_normal((4, n, 2))
    x[1:, :, 0] = 0.25  # a wall of particles: none in one place
    x[2:, 2, 1] = 0.0
    schedule = Schedule(np.array([1]), np.array([1e-9]))
    choices = {"parameters": {"eps": 0.0}, "schedule": schedule}
    simulate_batch(x, np.zeros_like(x), np.ones((4, n)), **choices)
    x[3, 1, 1] = -0.0
    with pytest.raises(SimulationError, match="particles 1 and 2 coincide in system 3"):
        simulate_batch(x, np.zeros_like(x), np.ones((4, n)), **choices)


def test_two_particles_that_meet_without_softening_are_caught():
    x = np.array([[[-1.0], [1.0]]] * 3)  # they meet at the origin after one step
    schedule = Schedule(np.array([1, 1]), np.array([1.0, 1.0]))
    for law, parameters in (("coulomb", {"eps": 0.0}), ("coulomb", {"eps": 0.0, "p": 3.0}), ("reference", {})):
        with pytest.raises(SimulationError, match="not finite"):
            simulate_batch(
                x, -x, np.zeros((3, 2)), law=law, parameters=parameters, schedule=schedule, integrator="leapfrog"
            )


def systems(rng, count, n, d):
    x, v = rng.standard_normal((2, count, n, d))
    return x, v, rng.uniform(-2, 2, (count, n)), rng.uniform(0.5, 2, (count, n))


FAST = [("coulomb", {"p": 2.0}), ("coulomb", {"kappa": 0.7}), ("gravity", {}), ("reference", {"force_limit": 0.5})]


@pytest.mark.parametrize(("law", "parameters"), FAST, ids=str)
@pytest.mark.parametrize("d", range(1, 10))
def test_groups_and_single_lanes_have_the_same_bits(law, parameters, d, rng):
    x, v, q, m = systems(rng, 2 * GROUP + 3, 5, d)
    packed = packed_parameters(law, resolve_parameters(law, parameters), d)

    def stepped(which, lanes=0):
        state = [pack_lanes(values[which], lanes) for values in (x, v, q, m)]
        forces = Forces(*state[2:], packed)
        a = aligned_zeros(state[0].shape)
        for name in ("leapfrog", "symplectic-euler", "yoshida4"):
            INTEGRATORS[name].step(*state[:2], forces, a, 1e-2, 3)
        lane_acceleration(state[0], forces, a)
        return np.stack([state[0], state[1], a])

    whole = stepped(slice(None))
    padded = stepped(slice(None), 3 * GROUP)
    assert padded[..., : 2 * GROUP + 3].tobytes() == whole.tobytes()
    for lane in (0, GROUP - 1, GROUP, 2 * GROUP + 1):  # in a group there, alone here
        assert stepped(slice(lane, lane + 1))[..., 0].tobytes() == whole[..., lane].tobytes()


@pytest.mark.parametrize(("law", "parameters"), FAST, ids=str)
@pytest.mark.parametrize("n", [ROWS, 2 * ROWS, 2 * ROWS + 3])
@pytest.mark.parametrize("d", [2, 3])
def test_rows_have_the_bits_of_single_lanes(law, parameters, n, d, rng):
    x, v, q, m = systems(rng, GROUP, n, d)
    packed = packed_parameters(law, resolve_parameters(law, parameters), d)

    def stepped(which):
        state = [pack_lanes(values[which]) for values in (x, v, q, m)]
        forces = Forces(*state[2:], packed)
        a = aligned_zeros(state[0].shape)
        INTEGRATORS["leapfrog"].step(*state[:2], forces, a, 1e-2, 3)
        lane_acceleration(state[0], forces, a)
        return np.stack([state[0], state[1], a])

    assert takes_rows(n, d)
    whole = stepped(slice(None))
    for lane in (0, GROUP // 2, GROUP - 1):
        assert stepped(slice(lane, lane + 1))[..., 0].tobytes() == whole[..., lane].tobytes()


@pytest.mark.parametrize("n", [5, 20])
def test_lanes_of_a_block_are_no_part_of_the_result(n, monkeypatch, rng):
    x, v, q, m = systems(rng, 70, n, 3)
    runs = []
    for lanes in (16, 32, 48, 128, 7):
        module = sys.modules[simulate_batch.__module__]  # the package's `simulate` is the function
        monkeypatch.setattr(module, "block_lanes", lambda _coordinates, lanes=lanes: lanes)
        schedule = Schedule(np.array([3, 1]), np.array([1e-2, 5e-3]))
        runs.append(np.stack(simulate_batch(x, v, q, masses=m, schedule=schedule, workers=2)).tobytes())
    assert len(set(runs)) == 1


def test_blocks_of_large_systems_are_one_group():
    assert block_lanes(15) > GROUP
    assert block_lanes(300) == GROUP


@pytest.mark.parametrize("shape", [(5, 3, 16), (1, 1, 1), (3,)])
def test_blocks_begin_at_a_cache_line(shape):
    zeros = aligned_zeros(shape)
    assert zeros.shape == shape
    assert zeros.flags.c_contiguous
    assert zeros.ctypes.data % 64 == 0
    assert not zeros.any()


def test_padding_repeats_the_last_system(rng):
    values = rng.standard_normal((3, 4, 2))
    packed = pack_lanes(values, 8)
    np.testing.assert_array_equal(np.moveaxis(packed, -1, 0), values[[0, 1, 2, 2, 2, 2, 2, 2]])


LARGE_LAWS = {
    "coulomb": [{}, {"p": 1.0, "kappa": 0.5}, {"eps": 0.0}],
    "reference": [{"force_limit": 5.0}, {"force_limit": 5.0, "eps": 0.2}],
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [LARGE, LARGE + 37])
def test_large_systems_equal_the_oracle(law, n, rng):
    for parameters in LARGE_LAWS.get(law, [{}]):
        x, _, q, m = systems(rng, 1, n, 3)
        resolved = resolve_parameters(law, parameters)
        a = np.empty((n, 3, 1))
        forces = Forces(pack_lanes(q), pack_lanes(m), packed_parameters(law, resolved, 3))
        lane_acceleration(pack_lanes(x), forces, a)
        r_ij = x[0, :, None] - x[0]  # the oracle of whole matrices: its own is too slow for so many
        expected = matrix_acceleration(law, resolved, r_ij, q[0], m[0])
        assert np.max(np.abs(a[..., 0] - expected)) / np.max(np.abs(expected)) < tolerance("oracle")
        few = oracle.ACCELERATION[law](x[0, :4], q[0, :4], m[0, :4], **resolved)
        assert np.allclose(matrix_acceleration(law, resolved, r_ij[:4, :4], q[0, :4], m[0, :4]), few, rtol=1e-12)


def matrix_acceleration(law, parameters, r_ij, q, m):
    n = len(q)
    eps, kk = parameters.get("eps", 0.0), m[:, None] * m if law == "gravity" else q[:, None] * q
    s = np.sqrt((r_ij**2).sum(-1) + eps**2) + np.eye(n)
    if law == "coulomb":
        c = kk / s ** (parameters["p"] + 1) - parameters["kappa"] / n
    elif law == "gravity":
        c = -parameters["G"] * kk / s**3
    elif law == "spring":
        c = np.full((n, n), -parameters["k"] / n)
    elif law == "yukawa":
        c = kk * (1 + s / parameters["screening"]) * np.exp(-s / parameters["screening"]) / s**3
    elif law == "softcore":
        c = kk / s**2
    else:
        c = kk / s**3
    force = (c[..., None] * r_ij).sum(axis=1)
    if law == "reference":
        force = np.clip(force, -parameters["force_limit"], parameters["force_limit"])
    return force / m[:, None]


@pytest.mark.parametrize("integrator", ["leapfrog", "symplectic-euler", "yoshida4"])
def test_large_systems_have_the_same_bits_for_any_threads_and_batch(integrator, rng):
    x, v, q, m = systems(rng, 3, LARGE + 37, 2)
    schedule = Schedule(np.array([2, 1]), np.array([1e-3, 5e-4]))

    def run(which, workers):
        result = simulate_batch(
            x[which],
            v[which],
            q[which],
            masses=m[which],
            schedule=schedule,
            integrator=integrator,
            workers=workers,
        )
        return np.stack(result)

    whole = run(slice(None), 1)
    assert whole[:, 1].tobytes() == run(slice(1, 2), 1)[:, 0].tobytes()
    for workers in (2, 3, 5):
        assert whole.tobytes() == run(slice(None), workers).tobytes()
        assert whole[:, 1].tobytes() == run(slice(1, 2), workers)[:, 0].tobytes()
